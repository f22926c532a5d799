"""Searchable help with all commands and keys."""

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Static
from wcwidth import grapheme_boundary_before

from tui_chat.session.commands import registry
from tui_chat.session.i18n import plural, tr
from tui_chat.ui.app_services import app_services
from tui_chat.ui.input.inserted_text import typed_text
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.widgets.side_list import SIGNS

MIN_RIGHT_COLUMN_WIDTH = 24  # minimum width of the right column beside the left one, in cells

INDENT = 4  # indentation of the right column below the left one, in cells


class HelpText(Static):
    """Two-column help text. On narrow screens the columns are stacked.

    Attributes:
        search_text: Search words in any case. Only lines that contain each word, in any order, are visible.
    """

    search_text: reactive[str] = reactive("", layout=True)

    @property
    def match_count(self) -> int:
        """Number of matching lines, of all lines without a search."""
        return sum(len(rows) for _, rows in self._matching_sections())

    def _matching_sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return each heading with its matching lines. Sections without a match are omitted."""
        terms = self.search_text.casefold().split()
        filtered = [
            (heading, [row for row in rows if all(term in " ".join(row).casefold() for term in terms)])
            for heading, rows in self._all_sections()
        ]
        return [(heading, rows) for heading, rows in filtered if rows]

    def _all_sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return headings with rows of left and right text: commands, the keys of each scope, and signs of members.

        The scope of the help itself and keys without a help text are omitted.
        """
        return [
            (
                tr("Commands"),
                [(command.usage, _with_aliases(command)) for command in registry.COMMANDS],
            ),
            *(
                (
                    tr(scope.value),
                    [
                        ("  ".join(labels), tr(key.help))
                        for labels, key in app_services(self).keymap.list_bindings(scope)
                        if key.help
                    ],
                )
                for scope in KeyScope
                if scope is not KeyScope.HELP
            ),
            (tr("Symbols in the member list"), [(sign, tr(meaning)) for sign, meaning in SIGNS]),
        ]

    def render(self) -> Content:
        """Return the matching lines below their headings for the current width, empty without a match."""
        # Measure all lines, not only the matches, so that the columns stay in place during a search.
        left_width = max(cell_len(left) for _, rows in self._all_sections() for left, _ in rows) + 2
        width = self.content_region.width
        side_by_side = width - left_width >= MIN_RIGHT_COLUMN_WIDTH
        indent = left_width if side_by_side else INDENT
        parts: list[Content | str | tuple[str, str]] = []
        for heading, rows in self._matching_sections():
            parts.append((f"{heading}\n", "bold $primary"))
            for left, right in rows:
                parts.append((left + (" " * (indent - cell_len(left)) if side_by_side else "\n"), "$accent"))
                for row_index, row in enumerate(Content(right).wrap(max(1, width - indent))):
                    parts += [" " * indent if row_index or not side_by_side else "", row, "\n"]
            parts.append("\n")
        return Content.assemble(*parts[:-1])


class HelpScreen(ModalScreen[None]):
    """Modal help. Typed characters extend the search, Esc closes the screen."""

    CSS_PATH = "text_dialog.tcss"
    BINDINGS = textual_bindings(KeyScope.HELP)

    def compose(self) -> ComposeResult:
        """Yield the scrollable help text."""
        with VerticalScroll():
            yield HelpText(markup=False)

    def on_mount(self) -> None:
        """Set the title and show all lines."""
        self.query_one(VerticalScroll).border_title = Content(tr("Keys and commands"))
        self._search("")

    def on_key(self, event: events.Key) -> None:
        """Append typed text to the search, or remove its last character on Backspace or Ctrl+H; other keys bubble."""
        query = self.query_one(HelpText).search_text
        if event.key in ("backspace", "ctrl+h"):
            self._search(query[: grapheme_boundary_before(query, len(query))])
        elif text := typed_text(event):
            self._search(query + text)
        else:
            return
        event.stop().prevent_default()

    def _search(self, query: str) -> None:
        """Show the lines that match a query, their number and the query, from the top."""
        text = self.query_one(HelpText)
        text.search_text = query.lstrip()
        frame = self.query_one(VerticalScroll)
        state = (
            plural("{query}▏ {count:,} line", "{query}▏ {count:,} lines", text.match_count, query=query)
            if text.search_text
            else tr("type to search")
        )
        footer = app_services(self).keymap.dialog_footer(KeyScope.HELP)
        frame.border_subtitle = Content(" · ".join(filter(None, (state, footer))))
        frame.scroll_home(animate=False)


def _with_aliases(command: registry.Command) -> str:
    return " · ".join((tr(command.help), *(f"/{alias}" for alias in command.aliases)))
