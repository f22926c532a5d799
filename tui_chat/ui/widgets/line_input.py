"""Single-line input of forms and search dialogs.

- Text: typed and pasted text pass the same sanitizing, with spaces in place of line breaks.
- Cursor: movement and deletion work on grapheme clusters.
"""

from collections.abc import Callable

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input
from textual.widgets.input import Selection

from tui_chat.protocol import sanitize
from tui_chat.ui.input.grapheme_boundaries import cluster_end, cluster_start
from tui_chat.ui.input.inserted_text import pasted_text, typed_text

_ACTION_BY_KEY = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.replace(" ", "").split(",")
}


class LineInput(Input):
    """Input that runs the actions of its keys without bubbling, for immediate echo.

    The virtual size is constant, so a key causes no layout of other widgets. A secret is shown as dots, never copied.
    """

    virtual_size = Reactive(Size(0, 0))

    def __init__(self, value: str, placeholder: str, *, is_secret: bool = False) -> None:
        super().__init__(value, placeholder=placeholder, password=is_secret, compact=True, select_on_focus=False)
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        """Run the action of a key of `Input.BINDINGS`, such as Enter, or insert its text; other keys bubble.

        A newline becomes a space, and Alt with an unbound letter inserts nothing.
        """
        if (action := _ACTION_BY_KEY.get(event.key)) is not None:
            event.stop().prevent_default()
            cursor = self.cursor_position
            await self.run_action(action)
            if action.startswith("cursor_"):
                self._round_cursor(cluster_start if self.cursor_position < cursor else cluster_end)
        elif text := typed_text(event):
            event.stop().prevent_default()
            self.replace(text.replace("\n", " "), *self.selection)
        elif event.key.startswith("alt+"):
            event.prevent_default()  # Input would insert the letter

    def _on_paste(self, event: events.Paste) -> None:
        event.stop().prevent_default()
        self.replace(sanitize.sanitize_line(pasted_text(event)), *self.selection)

    @property
    def selected_text(self) -> str:
        """Selected text, "" for a secret."""
        return "" if self.password else super().selected_text

    def delete(self, start: int, end: int) -> None:
        """Delete the text between two indices, with the whole cluster around an index other than the cursor."""
        start, end = sorted((start, end))
        cursor = self.cursor_position
        super().delete(
            start if start == cursor else cluster_start(self.value, start),
            end if end == cursor else cluster_end(self.value, end),
        )

    def _cell_offset_to_index(self, offset: int) -> int:
        return cluster_start(self.value, super()._cell_offset_to_index(offset))

    def _round_cursor(self, round_index: Callable[[str, int], int]) -> None:
        """Move the cursor to a cluster boundary; the other end of a selection stays."""
        start, end = self.selection
        rounded = round_index(self.value, end)
        self.selection = Selection(rounded if start == end else start, rounded)
