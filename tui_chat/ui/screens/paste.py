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

PREVIEW_LINES = 8
PREVIEW_CHARACTERS = 200


class PasteScreen(ModalScreen[PasteMode | None]):
    """Ends with what is wanted, None for nothing: then nothing was pasted."""

    CSS_PATH = "paste.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.PASTE)]
    AUTO_FOCUS = "OptionList"

    def __init__(self, paste: Paste) -> None:
        """Make it.

        Args:
            paste: What was pasted.
        """
        super().__init__()
        self._paste = paste
        self._wishes = paste.available_modes()
        self._shown_at = inf

    def compose(self) -> ComposeResult:
        """Its beginning, and what can be done."""
        lines = self._paste.text.split("\n", PREVIEW_LINES)
        shown = [line[:PREVIEW_CHARACTERS].expandtabs(4) for line in lines[:PREVIEW_LINES]]
        if len(lines) > PREVIEW_LINES:
            shown.append("…")
        with Vertical(id="paste"):
            yield Static("\n".join(shown), id="preview", markup=False)
            rows = [_row(wish, words.paste_option(wish, count)) for wish, count in self._wishes]
            yield OptionList(*(Option(row) for row in [*rows, _row(None, tr(words.PASTE_CANCEL))]), compact=True)

    def on_mount(self, event: events.Mount) -> None:
        """The frame says how much it is."""
        card = self.query_one("#paste")
        card.border_title = Content(words.paste_summary(self._paste.line_count, len(self._paste.text)))
        self.query_one(OptionList).highlighted = 0
        self._shown_at = event.time

    def on_key(self, event: events.Key) -> None:
        """A key that was pressed before this was asked is no answer to it."""
        if event.time < self._shown_at:
            event.stop()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        at = event.option_index
        self.dismiss(self._wishes[at][0] if at < len(self._wishes) else None)

    def action_wish(self, name: str) -> None:
        """Do this with it, if that can be done."""
        wish = PasteMode(name)
        if wish is PasteMode.SINGLE_MESSAGE and wish not in dict(self._wishes):
            wish = PasteMode.CHUNKS
        if wish in dict(self._wishes):
            self.dismiss(wish)

    def action_close(self) -> None:
        """Nothing was pasted."""
        self.dismiss(None)


def _row(wish: PasteMode | None, text: str) -> Content:
    letter = {
        PasteMode.EDIT: "e",
        PasteMode.SINGLE_MESSAGE: "s",
        PasteMode.CHUNKS: "s",
        PasteMode.LINE_BY_LINE: "l",
        None: "Esc",
    }[wish]
    return Content.assemble((f"{letter:>4}  ", "$primary"), text)
