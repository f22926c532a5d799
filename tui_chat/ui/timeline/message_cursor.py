"""Message cursor with a stable position during changes of the list."""

from collections.abc import Callable, Sequence

from tui_chat.session.lines import GapLine, MessageLine, Splice
from tui_chat.ui.timeline.viewport import Viewport


class MessageCursor:
    """Cursor on messages and gaps, initially hidden.

    Args:
        viewport: Lines and visible rows.
        on_moved: Called with the new key after a change.

    Attributes:
        index: Index of the line under the cursor; None without a cursor.
        key: Key of the line under the cursor; None without a cursor.
    """

    def __init__(self, viewport: Viewport, on_moved: Callable[[str | None], object]) -> None:
        self._viewport = viewport
        self._on_moved = on_moved
        self.index: int | None = None
        self.key: str | None = None

    def show(self) -> None:
        """Show the cursor on the last visible message or gap."""
        self._seek(self._viewport.visible_range.stop - 1, -1)

    def hide(self) -> None:
        """Hide the cursor."""
        self.index = None
        self._set_key(None)

    def move(self, step: int) -> bool:
        """Move the cursor to the next message or gap; a cursor at the end of the list stays.

        Args:
            step: Direction, -1 for up and 1 for down.

        Returns:
            False if the cursor is hidden.
        """
        if self.index is None:
            return False
        self._seek(self.index + step, step)
        return True

    def move_to(self, index: int) -> None:
        """Move the cursor to `lines[index]` and scroll the line into view."""
        self.index = index
        self._set_key(self._viewport.lines[index].key)
        self._viewport.reveal_line(index)

    def apply_splice(self, change: Splice, replaced_keys: Sequence[str]) -> None:
        """Keep the cursor on its line after a splice; call `update_key` after the last splice.

        Args:
            change: The applied splice.
            replaced_keys: Keys of the removed lines; empty for a pure deletion.
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
        """Move the cursor to the line at its index after the removal of its line; hide a cursor on any other type."""
        if self.index is not None:
            lines = self._viewport.lines
            self.index = min(self.index, len(lines) - 1)
            line = lines[self.index] if lines else None
            if isinstance(line, MessageLine | GapLine):
                self._set_key(line.key)
            else:
                self.hide()

    def _seek(self, index: int, step: int) -> None:
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
        if key != self.key:
            self.key = key
            self._on_moved(key)
