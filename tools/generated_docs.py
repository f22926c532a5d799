"""Generated parts of the documents: `make docs`.

- `docs/keys.md`: the complete page.
- `docs/settings.md` and `docs/operating.md`: the table of settings; the text around the table is written by hand.
"""

from pathlib import Path

from server import settings as server_settings
from tui_chat.session.settings import schema as client_settings
from tui_chat.ui.input import keys_doc

DOCUMENTS = Path(__file__).parents[1] / "docs"


def replace_table(document: str, table: str) -> str:
    """Return a document with the table that has the same header row replaced.

    Raises:
        ValueError: The document contains no such header row.
    """
    lines = document.splitlines()
    first = lines.index(table.splitlines()[0])
    end = next((index for index in range(first, len(lines)) if not lines[index].startswith("|")), len(lines))
    return "\n".join([*lines[:first], *table.splitlines(), *lines[end:]]) + "\n"


def main() -> None:
    """Write the generated parts."""
    (DOCUMENTS / "keys.md").write_text(keys_doc.render_markdown(), encoding="utf-8")
    for name, table in (
        ("settings.md", client_settings.render_markdown()),
        ("operating.md", server_settings.render_markdown()),
    ):
        path = DOCUMENTS / name
        path.write_text(replace_table(path.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
