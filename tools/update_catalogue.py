"""The catalogue of what the terminal client says: `make messages` takes new sentences in and compiles it.

Rule 1  The catalogue has what the code says and nothing else; a sentence that has changed is a new one.
Rule 2  Nothing in it depends on when or where it was made, so the same code gives the same file.
"""

import ast
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tui_chat.session.settings import schema as settings_schema

ROOT = Path(__file__).parents[1]
SOURCE_DIRECTORY = ROOT / "tui_chat"
TRANSLATION_CALLS = {"tr": 1, "mark": 1, "plural": 2}
"""The functions that take a sentence, and how many forms of it come first."""

HEADER = """\
# What chat-tui says, in Simplified Chinese.
# Fill in `msgstr`, then `make messages`. The parts in braces stand for names and numbers.
#"""


class UndatedCatalog(Catalog):
    """A catalogue whose files say nothing of when and with what they were made (rule 2)."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The header of the files."""
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", f"text/plain; charset={self.charset}"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def catalogue_path(locale: str) -> Path:
    """The catalogue of a language."""
    return SOURCE_DIRECTORY / "locale" / locale / "LC_MESSAGES" / "chat.po"


def extract_messages() -> Catalog:
    """The sentences of the code, without translations.

    Raises:
        ValueError: A sentence is put together before it is looked up, so that nobody can translate it.
    """
    catalogue = Catalog(charset="utf-8")
    for path in sorted(SOURCE_DIRECTORY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and (count := TRANSLATION_CALLS.get(node.func.id))
            ):
                texts = [part.value for part in node.args[:count] if isinstance(part, ast.Constant)]
                if len(texts) == count and all(texts):
                    catalogue.add(str(texts[0]) if count == 1 else tuple(map(str, texts)))
                elif any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in node.args[:count]):
                    raise ValueError(f"{path}:{node.lineno}: the parts of a sentence are arguments of {node.func.id}")
    for field in settings_schema.fields().values():
        catalogue.add(field.description.text)
        catalogue.add(field.title.text)
    return catalogue


def build_catalogue(path: Path, locale: str) -> Catalog:
    """The catalogue in `path` with the sentences of the code, and no others."""
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
    """The sentences that have no translation."""
    return [str(message.id) for message in catalogue if message.id and not _is_translated(message)]


def render_po(catalogue: Catalog) -> bytes:
    """A catalogue as the text of its `.po` file."""
    file = BytesIO()
    write_po(file, catalogue, no_location=True, sort_output=True, width=120, include_lineno=False)
    return file.getvalue()


def compile_mo(catalogue: Catalog) -> bytes:
    """A catalogue as its compiled `.mo` file."""
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
    """Bring the catalogue up to date, and say what is not translated yet."""
    path = catalogue_path("zh_CN")
    catalogue = build_catalogue(path, "zh_CN")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(render_po(catalogue))
    path.with_suffix(".mo").write_bytes(compile_mo(catalogue))
    for text in find_untranslated(catalogue):
        print(f"not translated: {text}")
    sys.exit(1 if find_untranslated(catalogue) else 0)


if __name__ == "__main__":
    main()
