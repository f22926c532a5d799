"""Command palette: search over the slash commands."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_chat.session import fuzzy_match
from tui_chat.session.commands import registry
from tui_chat.session.commands.registry import Command
from tui_chat.session.i18n import mark, tr
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog, compose_query_frame

_APP_ACTIONS = {
    "help": "app.help",
    "settings": "app.settings",
    "theme": "app.choose_theme",
    "quit": "app.quit_when_sent",
}


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """Entry of the command palette.

    Attributes:
        command: Listed command.
        run: Action of the entry.
        matched_indices: Indices of the matched characters in the usage of the command.
    """

    command: Command
    run: Callable[[], Awaitable[object] | None]
    matched_indices: tuple[int, ...] = ()


def room_entries(run: Callable[[str], None], insert: Callable[[str], None]) -> list[PaletteEntry]:
    """Return the entries of the chat screen: all slash commands.

    Args:
        run: Runs a command without required arguments.
        insert: Replaces the composer text with a command that has required arguments.
    """
    return [
        PaletteEntry(
            command, partial(insert, f"/{command.name} ") if command.min_arguments else partial(run, f"/{command.name}")
        )
        for command in registry.COMMANDS
    ]


def app_entries(run_action: Callable[[str], Awaitable[object]]) -> list[PaletteEntry]:
    """Return the entries of the other screens: `/theme`, `/settings`, `/help` and `/quit`, in registry order."""
    return [
        PaletteEntry(command, partial(run_action, _APP_ACTIONS[command.name]))
        for command in registry.COMMANDS
        if command.name in _APP_ACTIONS
    ]


def find_entries(text: str, entries: Sequence[PaletteEntry]) -> list[PaletteEntry]:
    """Return the entries that match a query, best first, with their `matched_indices`.

    A query matches the command name with its `/` (`fuzzy_match`), otherwise, in any case, a part of an alias or of the
    translated description. Matches of the second kind follow without `matched_indices`. Equal matches keep their order.
    A blank query matches every entry.
    """
    query, phrase = fuzzy_match.query_letters(text), text.strip().casefold()
    scored: list[tuple[int, PaletteEntry]] = []
    for entry in entries:
        command = entry.command
        score, matched = fuzzy_match.match(query, f"/{command.name}")
        if matched is not None:
            scored.append((score, PaletteEntry(command, entry.run, matched)))
        elif any(phrase in description.casefold() for description in (tr(command.help), *command.aliases)):
            scored.append((-1, entry))
    return [entry for _, entry in sorted(scored, key=lambda item: -item[0])]


class CommandPalette(ListDialog[PaletteEntry]):
    """Dialog that returns the selected entry, None if cancelled."""

    CSS_PATH = "query_dialog.tcss"
    BINDINGS = textual_bindings(KeyScope.COMMAND_PALETTE)
    AUTO_FOCUS = "Input"

    def __init__(self, entries: Sequence[PaletteEntry]) -> None:
        super().__init__()
        self._entries = entries
        self._matches: list[PaletteEntry] = []

    def compose(self) -> ComposeResult:
        """Return a frame with the query input above the list of commands."""
        return compose_query_frame(tr("search commands"))

    def on_mount(self) -> None:
        """Set the titles and list all commands."""
        self.set_up(mark("Commands"), KeyScope.COMMAND_PALETTE, "#frame")
        self._update_matches("")

    def action_page(self, pages: int) -> None:
        """Move the highlight by one page, up if `pages` is negative."""
        if pages < 0:
            self.option_list.action_page_up()
        else:
            self.option_list.action_page_down()

    @on(Input.Changed)
    def _handle_input_changed(self, event: Input.Changed) -> None:
        self._update_matches(event.value)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def action_go(self) -> None:
        """Close the dialog with the highlighted entry as result. No effect without one."""
        if (entry := self.highlighted_row(self._matches)) is not None:
            self.dismiss(entry)

    def _update_matches(self, query: str) -> None:
        """List the commands that match a query, and highlight the best one."""
        self._matches = find_entries(query, self._entries)
        options = [Option(_entry_row(entry)) for entry in self._matches]
        self.option_list.set_options(options or [Option(tr("No command matches."), disabled=True)])
        self.option_list.highlighted = 0 if self._matches else None


def _entry_row(entry: PaletteEntry) -> Content:
    """Return the usage with underlined matches, and the description below."""
    usage = Content(entry.command.usage)
    for index in entry.matched_indices:
        usage = usage.stylize("underline", index, index + 1)
    return Content.assemble(usage.stylize("bold"), "\n", (tr(entry.command.help), "$text-muted"))
