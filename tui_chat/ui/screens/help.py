"""Keys and commands, from their two registries."""

from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import var
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.session import commands, words
from tui_chat.session.language import tr
from tui_chat.ui import keys
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.widgets import members

LEAST_BESIDE = 24
"""Columns that the right column needs beside the left one."""

INDENT = 4
"""Columns that it stands in from the left where it is under it."""


class HelpText(Static):
    """Two columns, the right one wrapped under itself; where it is narrow, one under the other.

    Attributes:
        wanted: What is searched for: only lines that hold each of its words are shown.
    """

    wanted: var[str] = var("")

    def watch_wanted(self) -> None:
        """Show other lines, in a page as high as they are."""
        self.refresh(layout=True)

    @property
    def found(self) -> int:
        """How many lines are shown."""
        return sum(len(rows) for _, rows in self._sections())

    def _sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Each heading with its lines that are to be shown."""
        holding = self.wanted.casefold().split()
        searched = [
            (heading, [row for row in rows if all(word in " ".join(row).casefold() for word in holding)])
            for heading, rows in self._all_sections()
        ]
        return [(heading, rows) for heading, rows in searched if rows]

    def _all_sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        sections = [
            (tr(words.HELP_COMMANDS), [(command.usage, _with_aliases(command)) for command in commands.COMMANDS])
        ]
        keymap = settings_app(self).keymap
        for place in keys.Place:
            if place is not keys.Place.HELP:
                sections.append(
                    (
                        tr(place.value),
                        [("  ".join(names), tr(key.help)) for names, key in keymap.listed(place) if key.help],
                    )
                )
        sections.append((tr(words.HELP_LEGEND), [(sign, tr(meaning)) for sign, meaning in members.SIGNS]))
        return sections

    def render(self) -> Content:
        """The page, for the width there is."""
        # The columns stand where they stand for the whole page, so that nothing jumps while one types.
        left_width = max(cell_len(left) for _, rows in self._all_sections() for left, _ in rows) + 2
        width = self.content_region.width
        beside = width - left_width >= LEAST_BESIDE
        indent = left_width if beside else INDENT
        parts: list[Content | str | tuple[str, str]] = []
        for heading, rows in self._sections():
            parts.append((f"{heading}\n", "bold $primary"))
            for left, right in rows:
                rows_of_it = Content(right).wrap(max(1, width - indent))
                parts.append((left + (" " * (indent - cell_len(left)) if beside else "\n"), "$accent"))
                for at, row in enumerate(rows_of_it):
                    parts += [" " * indent if at or not beside else "", row, "\n"]
            parts.append("\n")
        return Content.assemble(*parts[:-1])


class HelpScreen(ModalScreen[None]):
    """Over whatever is shown; what is typed searches it, Esc closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.HELP)]

    def compose(self) -> ComposeResult:
        """One page that scrolls."""
        with VerticalScroll(id="help"):
            yield HelpText(markup=False)

    def on_mount(self) -> None:
        """Its frame says how to close it."""
        self.query_one("#help").border_title = Content(tr(words.HELP_TITLE))
        self._search("")

    def on_key(self, event: events.Key) -> None:
        """A letter narrows the search, Backspace widens it."""
        query = self.query_one(HelpText).wanted
        if event.key in ("backspace", "ctrl+h"):
            self._search(query[:-1])
        elif event.is_printable and event.character:
            self._search(query + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def _search(self, query: str) -> None:
        text = self.query_one(HelpText)
        text.wanted = query.lstrip()
        frame = self.query_one("#help", VerticalScroll)
        frame.border_subtitle = Content(
            words.help_search_prompt(query, text.found) if text.wanted else tr(words.HELP_CLOSE)
        )
        frame.scroll_home(animate=False)


def _with_aliases(command: commands.Command) -> str:
    return " · ".join((tr(command.help), *(f"/{alias}" for alias in command.aliases)))
