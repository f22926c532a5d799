"""Command palette: search over the slash commands."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_chat.session.i18n import mark, tr
from tui_chat.ui.command_palette import PaletteEntry, find_entries
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog, compose_query_frame


class CommandPalette(ListDialog[PaletteEntry]):
    """Dialog that returns the selected entry, None if cancelled.

    Args:
        entries: Available entries in display order.
    """

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
