"""Message cursor: keyboard movement, and a stable position during changes of the list."""

from collections.abc import Sequence

from tui_chat.session.lines import GapLine, Line, MessageLine, Splice
from tui_chat.ui.timeline.messages import CursorMoved, MessageActivated
from tui_chat.ui.timeline.virtual_list import VirtualList


class MessageCursorView(VirtualList):
    """Virtual list with a cursor on messages and gaps."""

    _cursor_index: int | None = None

    def action_show_cursor(self) -> None:
        """Show the cursor on the last visible message."""
        visible_range = self._viewport.visible_range
        self._seek_cursor(visible_range.stop - 1, -1)

    def action_cursor_up(self) -> None:
        """Move the cursor to the previous message; scroll up one row without a cursor."""
        self._move_cursor(-1)

    def action_cursor_down(self) -> None:
        """Move the cursor to the next message; scroll down one row without a cursor."""
        self._move_cursor(1)

    def action_select_cursor(self) -> None:
        """Activate the line under the cursor."""
        if self._cursor_index is None:
            return
        line = self._viewport.lines[self._cursor_index]
        self._activate_line(line)

    def _activate_line(self, line: Line) -> None:
        self.post_message(MessageActivated(line.key))

    def action_hide_cursor(self) -> None:
        """Hide the cursor; scroll to the bottom without a cursor."""
        if self.cursor_key is None:
            self.action_to_bottom()
        else:
            self.cursor_key = None

    def set_cursor(self, key: str | None) -> bool:
        """Move the cursor to a line and scroll the line into view.

        Args:
            key: Key of the line; None hides the cursor.

        Returns:
            False if the list does not contain the key; the cursor then stays.
        """
        if key is None:
            self.cursor_key = None
            return True
        index = self._index_of(key)
        if index is None:
            return False
        self._set_cursor_index(index)
        return True

    def watch_cursor_key(self, cursor_key: str | None) -> None:
        """Redraw the cursor and post `CursorMoved`."""
        if cursor_key is None:
            self._cursor_index = None
        self.refresh()
        self.post_message(CursorMoved(cursor_key))

    def _move_cursor(self, step: int) -> None:
        if self._cursor_index is None:
            self._scroll_rows(step)
        else:
            self._seek_cursor(self._cursor_index + step, step)

    def _seek_cursor(self, index: int, step: int) -> None:
        lines = self._viewport.lines
        while 0 <= index < len(lines):
            if isinstance(lines[index], MessageLine | GapLine):
                self._set_cursor_index(index)
                return
            index += step

    def _set_cursor_index(self, index: int) -> None:
        self._cursor_index = index
        self.cursor_key = self._viewport.lines[index].key
        if self._viewport.reveal_line(index):
            self._sync_view()

    def _on_splice_applied(self, change: Splice, replaced_keys: Sequence[str]) -> None:
        super()._on_splice_applied(change, replaced_keys)
        cursor = self._cursor_index
        if cursor is None or cursor < change.index:
            return
        if cursor >= change.index + change.removed:
            self._cursor_index = cursor + len(change.lines) - change.removed
            return
        new_keys = [line.key for line in change.lines]
        key = replaced_keys[cursor - change.index] if replaced_keys else ""
        self._cursor_index = change.index + new_keys.index(key) if key in new_keys else change.index

    def _on_view_synced(self) -> None:
        super()._on_view_synced()
        # After the removal of its line, the cursor moves to the line at the same index.
        if self._cursor_index is None:
            return
        lines = self._viewport.lines
        self._cursor_index = min(self._cursor_index, len(lines) - 1)
        line = lines[self._cursor_index] if lines else None
        self.cursor_key = line.key if isinstance(line, MessageLine | GapLine) else None
