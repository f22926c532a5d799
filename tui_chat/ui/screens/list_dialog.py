"""Base of the modal dialogs with one option list."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import OptionList

from tui_chat.session.i18n import Translatable, tr
from tui_chat.ui.app_services import app_services
from tui_chat.ui.input.keys import KeyScope
from tui_chat.ui.screens.dialog import Dialog
from tui_chat.ui.widgets.line_input import LineInput

ResultT = TypeVar("ResultT")
RowT = TypeVar("RowT")


class ListDialog(Dialog[ResultT | None]):
    """Dialog with an option list that is operated by key bindings and the mouse and never has the focus."""

    AUTO_FOCUS = ""

    _debounce_timer: Timer | None = None

    @property
    def option_list(self) -> OptionList:
        """List of the dialog."""
        return self.query_one(OptionList)

    @property
    def highlighted_index(self) -> int:
        """Index of the highlighted row, 0 if there is none."""
        return self.option_list.highlighted or 0

    def highlighted_row(self, rows: Sequence[RowT]) -> RowT | None:
        """Return the element of `rows` at the highlight, None if there is none."""
        index = self.option_list.highlighted
        return rows[index] if index is not None and index < len(rows) else None

    def set_up(
        self,
        title: Translatable,
        scope: KeyScope,
        frame: str = "OptionList",
        key_labels: Mapping[str, Translatable] | None = None,
    ) -> None:
        """Keep the focus out of the list, and set title and footer (`Keymap.dialog_footer`) of the widget `frame`."""
        self.option_list.can_focus = False
        self.query_one(frame).border_title = Content(tr(title))
        self.query_one(frame).border_subtitle = Content(app_services(self).keymap.dialog_footer(scope, key_labels))

    def action_move(self, offset: int) -> None:
        """Move the highlight by `offset` rows, with wrap-around. No effect on an empty list."""
        if count := self.option_list.option_count:
            self.option_list.highlighted = (self.highlighted_index + offset) % count

    def debounce(self, delay: float, callback: Callable[[], None] | None) -> None:
        """Call `callback` in `delay` seconds, instead of the callback of an earlier call. None only cancels."""
        if self._debounce_timer is not None:
            self._debounce_timer.stop()
        self._debounce_timer = self.set_timer(delay, callback) if callback is not None else None


def compose_query_frame(placeholder: str, query: str = "") -> ComposeResult:
    """Yield a frame with a query input above a list, styled by `query_dialog.tcss`."""
    with Vertical(id="frame"):
        yield LineInput(query, placeholder)
        yield OptionList(markup=False, compact=True)
