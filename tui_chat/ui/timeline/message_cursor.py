"""Message cursor with a stable position during changes of the list.

- Selection: started by the user. `index` and `key` identify the selected line, and key presses act on this line.
- Highlight: mark on the target of a jump. `index` identifies the line, `key` is None.
"""

from collections.abc import Callable, Sequence

from tui_chat.session.lines import GapLine, MessageLine, Splice
from tui_chat.ui.timeline.viewport import Viewport


class MessageCursor:
    """Cursor on messages and gaps, initially hidden.

    Attributes:
        index: Index of the selected or highlighted line; None without a cursor.
        key: Key of the selected line; None for a highlight and without a cursor.
    """

    def __init__(self, viewport: Viewport, on_moved: Callable[[str | None], object]) -> None:
        self._viewport = viewport
        self._on_moved = on_moved
        self.index: int | None = None
        self.key: str | None = None

    def show(self) -> None:
        """Select the highlighted or selected line if visible, otherwise the last message or gap in or above the view.

        The line is scrolled into view. No effect without such a line.
        """
        visible = self._viewport.visible_range
        if self.index is not None and self.index in visible:
            self.move_to(self.index)
        else:
            self._seek(visible.stop - 1, -1)

    def hide(self) -> None:
        """End the selection or the highlight."""
        self.index = None
        self._set_key(None)

    def highlight(self, index: int) -> None:
        """Highlight `lines[index]` without scrolling, and end a selection."""
        self.index = index
        self._set_key(None)

    def move(self, step: int) -> bool:
        """Move the cursor up (-1) or down (1) to the next message or gap, if any, and scroll there.

        Returns:
            False without a selection.
        """
        if self.index is None or self.key is None:
            return False
        self._seek(self.index + step, step)
        return True

    def move_to(self, index: int) -> None:
        """Select `lines[index]` and scroll the line into view."""
        self.index = index
        self._set_key(self._viewport.lines[index].key)
        self._viewport.reveal_line(index)

    def apply_splice(self, change: Splice, replaced_keys: Sequence[str]) -> None:
        """Keep the cursor on its line, found by key, after a splice; call `update_key` after the last splice.

        If the line was removed, the cursor moves to the first line at the splice. `replaced_keys` are the keys of the
        removed lines, empty for a pure deletion.
        """
        index = self.index
        if index is None or index < change.index:
            return
        if index >= change.index + change.removed:
            self.index = index + len(change.lines) - change.removed
            return
        new_keys = [line.key for line in change.lines]
        key = replaced_keys[index - change.index] if replaced_keys else ""
        self.index = change.index + new_keys.index(key) if key in new_keys else change.index

    def update_key(self) -> None:
        """Update `key` after splices: that of the line at `index`, limited to the last line.

        Hides the cursor if that line is no message or gap.
        """
        if self.index is not None:
            lines = self._viewport.lines
            self.index = min(self.index, len(lines) - 1)
            line = lines[self.index] if lines else None
            if isinstance(line, MessageLine | GapLine):
                self._set_key(None if self.key is None else line.key)
            else:
                self.hide()

    def _seek(self, index: int, step: int) -> None:
        """Select the first message or gap from `index` on in the direction `step`; no effect without one."""
        lines = self._viewport.lines
        found = next(
            (
                candidate
                for candidate in range(index, len(lines) if step > 0 else -1, step)
                if isinstance(lines[candidate], MessageLine | GapLine)
            ),
            None,
        )
        if found is not None:
            self.move_to(found)

    def _set_key(self, key: str | None) -> None:
        """Set the key, and call `on_moved` after a change."""
        if key != self.key:
            self.key = key
            self._on_moved(key)
