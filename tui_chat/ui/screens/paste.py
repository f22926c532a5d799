"""What shall become of a long paste: asked before any of it is sent."""

from math import inf
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.session import words
from tui_chat.session.language import tr
from tui_chat.session.pasting import Paste, PasteMode
from tui_chat.ui import keys

MAX_PREVIEW_LINES = 8
MAX_PREVIEW_CHARACTERS = 200


class PasteScreen(ModalScreen[PasteMode | None]):
    """Ends with what is wanted, None for nothing: then nothing was pasted."""

    CSS_PATH = "paste.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.textual_bindings(keys.KeyScope.PASTE_DIALOG)]
    AUTO_FOCUS = "OptionList"

    def __init__(self, paste: Paste) -> None:
        """Make it.

        Args:
            paste: What was pasted.
        """
        super().__init__()
        self._paste = paste
        self._modes = paste.available_modes()
        self._opened_at = inf

    def compose(self) -> ComposeResult:
        """Its beginning, and what can be done."""
        lines = self._paste.text.split("\n", MAX_PREVIEW_LINES)
        preview = [line[:MAX_PREVIEW_CHARACTERS].expandtabs(4) for line in lines[:MAX_PREVIEW_LINES]]
        if len(lines) > MAX_PREVIEW_LINES:
            preview.append("…")
        with Vertical(id="paste"):
            yield Static("\n".join(preview), id="preview", markup=False)
            rows = [_mode_row(mode, words.paste_option(mode, count)) for mode, count in self._modes]
            yield OptionList(*(Option(row) for row in [*rows, _mode_row(None, tr(words.PASTE_CANCEL))]), compact=True)

    def on_mount(self, event: events.Mount) -> None:
        """The frame says how much it is."""
        card = self.query_one("#paste")
        card.border_title = Content(words.paste_summary(self._paste.line_count, len(self._paste.text)))
        self.query_one(OptionList).highlighted = 0
        self._opened_at = event.time

    def on_key(self, event: events.Key) -> None:
        """A key that was pressed before this was asked is no answer to it."""
        if event.time < self._opened_at:
            event.stop()

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self, event: OptionList.OptionSelected) -> None:
        index = event.option_index
        self.dismiss(self._modes[index][0] if index < len(self._modes) else None)

    def action_choose(self, name: str) -> None:
        """Do this with it, if that can be done."""
        mode = PasteMode(name)
        if mode is PasteMode.SINGLE_MESSAGE and mode not in dict(self._modes):
            mode = PasteMode.CHUNKS
        if mode in dict(self._modes):
            self.dismiss(mode)

    def action_close(self) -> None:
        """Nothing was pasted."""
        self.dismiss(None)


def _mode_row(mode: PasteMode | None, text: str) -> Content:
    letter = {
        PasteMode.EDIT: "e",
        PasteMode.SINGLE_MESSAGE: "s",
        PasteMode.CHUNKS: "s",
        PasteMode.LINE_BY_LINE: "l",
        None: "Esc",
    }[mode]
    return Content.assemble((f"{letter:>4}  ", "$primary"), text)
