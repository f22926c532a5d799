"""The language of the program: what is said is written in English and translated when it is shown.

Rule 1  A sentence is looked up at the moment it is shown, so the language can change while the program runs.
Rule 2  What stands in a registry is marked (`mark`) and is no `str`: showing it without `tr` is a type error.
Rule 3  A sentence with parts is looked up whole, then filled in; what people wrote is only ever filled in.

The catalogue is `tui_chat/locale/<language>/LC_MESSAGES/chat.po`; `make messages` keeps it up to date
(docs/translating.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

LOCALE_DIR = Path(__file__).parents[1] / "locale"
"""Where the catalogues are."""

DOMAIN = "chat"
"""The name of their files."""


class Language(Enum):
    """A language the program speaks; its value is its tag (RFC 5646) as one types it."""

    ENGLISH = "en"
    CHINESE = "zh"


_CATALOGUE_DIRS = {Language.CHINESE: "zh_CN"}


@dataclass(frozen=True, slots=True)
class Translatable:
    """A text that is translated when it is shown.

    Attributes:
        text: It in English.
    """

    text: str


def mark(text: str) -> Translatable:
    """Mark a text for translation where it cannot be shown yet; `tr` shows it."""
    return Translatable(text)


class _Active:
    """The one language that is in use; the screen is one, too."""

    language = Language.ENGLISH
    catalogue: NullTranslations = NullTranslations()


def tr(text: str | Translatable, /, **values: object) -> str:
    """A text in the language in use.

    Args:
        text: It in English, with the names of its parts in braces.
        values: The parts, if it has any.
    """
    english = text.text if isinstance(text, Translatable) else text
    translated = _Active.catalogue.gettext(english) if english else ""
    return translated.format(**values) if values else translated


def plural(singular: str, plural_form: str, count: int, /, **values: object) -> str:
    """A text about a number of things, in the language in use.

    Args:
        one: It in English, when there is one of them.
        many: It in English otherwise.
        count: How many there are; the texts may say `{count:,}`.
        values: Its other parts.
    """
    return _Active.catalogue.ngettext(singular, plural_form, count).format(count=count, **values)


def activate(language: Language) -> None:
    """Speak this language from now on.

    Raises:
        OSError: Its catalogue cannot be read.
    """
    catalogue = NullTranslations()
    if language in _CATALOGUE_DIRS:
        with (LOCALE_DIR / catalogue_dir(language) / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as mo_file:
            catalogue = GNUTranslations(mo_file)
    _Active.language, _Active.catalogue = language, catalogue


def catalogue_dir(language: Language) -> str:
    """The folder of its catalogue below `LOCALE`, empty for English, which needs none."""
    return _CATALOGUE_DIRS.get(language, "")


def active_language() -> Language:
    """The language in use."""
    return _Active.language


def language_from_tag(tag: str) -> Language | None:
    """The language of a tag or locale (`zh`, `zh-Hans`, `zh_CN.UTF-8`), None when the program does not speak it."""
    primary = tag.replace("-", "_").partition("_")[0].partition(".")[0].casefold()
    return next((language for language in Language if language.value == primary), None)


def select_language(flag: str, setting: str, environ: Mapping[str, str]) -> Language:
    """The language somebody wants.

    Args:
        flag: What the command line says, empty when nothing.
        settings: What the settings say, empty when nothing.
        environ: The environment, where the locale of messages is the first of `LC_ALL`,
            `LC_MESSAGES` and `LANG` that is set (POSIX, "Environment Variables", 8.2).
    """
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environ.get(name))), "")
    return language_from_tag(flag) or language_from_tag(setting) or language_from_tag(locale) or Language.ENGLISH
