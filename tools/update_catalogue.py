"""Extraction and compilation of the message catalogue of the client: `make messages`.

- Completeness: the catalogue contains exactly the messages in the code; a changed text is a new message.
- Reproducibility: equal code yields an equal file, independent of time and machine.
"""

import ast
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tui_chat.protocol import error_reasons
from tui_chat.session.settings import schema as settings_schema

ROOT = Path(__file__).parents[1]
SOURCE_DIRECTORY = ROOT / "tui_chat"
TRANSLATION_CALLS = {"tr": 1, "mark": 1, "plural": 2}
"""Translation functions and the number of their message arguments."""

HEADER = """\
# Messages of chat-tui in Simplified Chinese.
# Translate each `msgstr`, then run `make messages`. Parts in braces are placeholders.
#"""


class UndatedCatalog(Catalog):
    """Catalogue without creation dates and tool versions in its header, for reproducible files."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """Header fields of the `.po` and `.mo` files."""
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", f"text/plain; charset={self.charset}"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def catalogue_path(locale: str) -> Path:
    """Return the path of the `.po` file for a locale, for example `zh_CN`."""
    return SOURCE_DIRECTORY / "locale" / locale / "LC_MESSAGES" / "chat.po"


def extract_messages() -> Catalog:
    """Return the messages in the code, untranslated: literal texts, error messages and the texts of settings.

    Raises:
        ValueError: A message is formatted or concatenated before the translation call.
    """
    catalogue = Catalog(charset="utf-8")
    for path in sorted(SOURCE_DIRECTORY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and (count := TRANSLATION_CALLS.get(node.func.id))
            ):
                texts = [argument.value for argument in node.args[:count] if isinstance(argument, ast.Constant)]
                if len(texts) == count and all(texts):
                    catalogue.add(str(texts[0]) if count == 1 else tuple(map(str, texts)))
                elif any(isinstance(argument, ast.JoinedStr | ast.BinOp) for argument in node.args[:count]):
                    raise ValueError(
                        f"{path}:{node.lineno}: not a literal, pass variable parts as arguments of {node.func.id}"
                    )
    for message in error_reasons.MESSAGES.values():
        catalogue.add(message)
    for field in settings_schema.fields().values():
        catalogue.add(field.description.text)
        catalogue.add(field.title.text)
    return catalogue


def build_catalogue(path: Path, locale: str) -> Catalog:
    """Return the messages in the code, with the translations from the file `path`, if the file exists."""
    catalogue = UndatedCatalog(locale=locale, charset="utf-8", header_comment=HEADER, fuzzy=False)
    existing: dict[str | tuple[str, ...], Message] = {}
    if path.exists():
        with path.open("rb") as file:
            existing = {_message_key(message): message for message in read_po(file, locale=locale) if message.id}
    for message in extract_messages():
        if message.id:
            translated = existing.get(_message_key(message))
            catalogue.add(message.id, translated.string if translated is not None else None)
    return catalogue


def find_untranslated(catalogue: Catalog) -> list[str]:
    """Return the messages without a translation."""
    return [str(message.id) for message in catalogue if message.id and not _is_translated(message)]


def render_po(catalogue: Catalog) -> bytes:
    """Return the catalogue in `.po` format, sorted by message."""
    file = BytesIO()
    write_po(file, catalogue, no_location=True, sort_output=True, width=120, include_lineno=False)
    return file.getvalue()


def compile_mo(catalogue: Catalog) -> bytes:
    """Return the catalogue in `.mo` format."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def _message_key(message: Message) -> str | tuple[str, ...]:
    return message.id if isinstance(message.id, str) else tuple(message.id)


def _is_translated(message: Message) -> bool:
    return bool(message.string) and all(
        message.string if isinstance(message.string, list | tuple) else [message.string]
    )


def main() -> None:
    """Update and compile the catalogue, print missing translations, and exit with 1 if there are any, otherwise 0."""
    path = catalogue_path("zh_CN")
    catalogue = build_catalogue(path, "zh_CN")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(render_po(catalogue))
    path.with_suffix(".mo").write_bytes(compile_mo(catalogue))
    untranslated = find_untranslated(catalogue)
    for text in untranslated:
        print(f"missing translation: {text}")
    sys.exit(bool(untranslated))


if __name__ == "__main__":
    main()
