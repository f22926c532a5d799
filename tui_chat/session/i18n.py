"""Translation of user-visible texts with gettext.

- Late lookup: texts are translated at display time, so a language change needs no restart.
- Type safety: registries hold `Translatable` values from `mark`, so display without `tr` is a type error.
- Whole sentences: a template is translated first and formatted second; text from members is only a parameter.
- Catalogue: `tui_chat/locale/<language>/LC_MESSAGES/chat.po`, updated by `make messages` (docs/translating.md).
"""

from collections.abc import Mapping
from enum import Enum
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from msgspec import Struct

LOCALE_DIR = Path(__file__).parents[1] / "locale"
"""Directory of the message catalogues."""

DOMAIN = "chat"
"""Gettext domain and base name of the catalogue files."""


class Language(Enum):
    """Supported language; the value is the language tag (RFC 5646) used by `--lang` and the `language` setting."""

    ENGLISH = "en"
    CHINESE = "zh"


CATALOGUE_DIRS = {Language.ENGLISH: "", Language.CHINESE: "zh_CN"}
"""Catalogue directory of each language below `LOCALE_DIR`, empty for English."""


class Translatable(Struct, frozen=True):
    """English text with translation at display time, the key of the catalogue."""

    text: str


def mark(text: str) -> Translatable:
    """Mark a text for extraction, without a translation."""
    return Translatable(text)


class _ActiveCatalogue:
    """Process-wide active language and its catalogue."""

    language = Language.ENGLISH
    catalogue: NullTranslations = NullTranslations()


def tr(text: str | Translatable, /, **values: object) -> str:
    """Translate a text to the active language, and format named fields in braces if there are `values`.

    A text without a translation remains English.
    """
    english = text.text if isinstance(text, Translatable) else text
    translated = _ActiveCatalogue.catalogue.gettext(english) if english else ""
    return translated.format(**values) if values else translated


def plural(singular: str, plural_form: str, count: int, /, **values: object) -> str:
    """Translate a text with a count to the active language, and format its fields, such as `{count:,}`.

    The singular is the English template for a count of 1, `plural_form` the one for any other count.
    """
    return _ActiveCatalogue.catalogue.ngettext(singular, plural_form, count).format(count=count, **values)


def activate(language: Language) -> None:
    """Set the active language of the process.

    Raises:
        OSError: The catalogue file is missing or unreadable; the previous language remains active.
    """
    catalogue = NullTranslations()
    if directory := CATALOGUE_DIRS[language]:
        with (LOCALE_DIR / directory / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as mo_file:
            catalogue = GNUTranslations(mo_file)
    _ActiveCatalogue.language, _ActiveCatalogue.catalogue = language, catalogue


def active_language() -> Language:
    """Return the active language."""
    return _ActiveCatalogue.language


def language_from_tag(tag: str) -> Language | None:
    """Return the language of a tag or locale (`zh`, `zh-Hans`, `zh_CN.UTF-8`), None if unsupported."""
    primary = tag.replace("-", "_").partition("_")[0].partition(".")[0].casefold()
    return next((language for language in Language if language.value == primary), None)


def select_language(flag: str, setting: str, environ: Mapping[str, str]) -> Language:
    """Return the language for the process; the precedence is flag, setting, environment, English.

    An unsupported tag counts as absent.

    Args:
        flag: Value of `--lang`, "" if absent.
        setting: Value of the `language` setting, "" or "auto" for none.
        environ: Environment; the first non-empty value of `LC_ALL`, `LC_MESSAGES` and `LANG` applies
            (POSIX, "Environment Variables", 8.2).
    """
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environ.get(name))), "")
    return language_from_tag(flag) or language_from_tag(setting) or language_from_tag(locale) or Language.ENGLISH
