"""A cursor on one line: moved by keys, kept on its line whatever happens around it."""

from collections.abc import Sequence

from tui_chat.session.lines import GapLine, Line, MessageLine, Splice
from tui_chat.ui.widgets.timeline.line_view import LineView
from tui_chat.ui.widgets.timeline.messages import Chosen, Picked


class PickingView(LineView):
    """A view with a cursor that stands on messages and gaps."""

    _cursor: int | None = None  # the index of the picked line

    def action_pick(self) -> None:
        """Put the cursor on the last message in view."""
        visible = self._view.visible
        self._pick_from(visible.stop - 1, -1)

    def action_pick_up(self) -> None:
        """The cursor to the message above, or one row up while nothing is picked."""
        self._pick_step(-1)

    def action_pick_down(self) -> None:
        """The cursor to the message below, or one row down while nothing is picked."""
        self._pick_step(1)

    def action_choose(self) -> None:
        """Do with the picked line what it is there for."""
        if self._cursor is None:
            return
        line = self._view.lines[self._cursor]
        self._choose(line)

    def _choose(self, line: Line) -> None:
        self.post_message(Chosen(line.key))

    def action_leave(self) -> None:
        """Take the cursor away; without one, go to the bottom."""
        if self.picked is None:
            self.action_to_bottom()
        else:
            self.picked = None

    def pick(self, key: str | None) -> bool:
        """Put the cursor on a line and bring it into view, or take it away; False if there is no such line."""
        if key is None:
            self.picked = None
            return True
        index = self._index_of(key)
        if index is None:
            return False
        self._pick_at(index)
        return True

    def watch_picked(self, picked: str | None) -> None:
        """Draw the cursor where it is now."""
        if picked is None:
            self._cursor = None
        self.refresh()
        self.post_message(Picked(picked))

    def _pick_step(self, step: int) -> None:
        if self._cursor is None:
            self._move(step)
        else:
            self._pick_from(self._cursor + step, step)

    def _pick_from(self, index: int, step: int) -> None:
        lines = self._view.lines
        while 0 <= index < len(lines):
            if isinstance(lines[index], MessageLine | GapLine):
                self._pick_at(index)
                return
            index += step

    def _pick_at(self, index: int) -> None:
        self._cursor = index
        self.picked = self._view.lines[index].key
        if self._view.reveal(index):
            self._settle()

    def _changed(self, change: Splice, old: Sequence[str]) -> None:
        super()._changed(change, old)
        cursor = self._cursor
        if cursor is None or cursor < change.index:
            return
        if cursor >= change.index + change.removed:
            self._cursor = cursor + len(change.lines) - change.removed
            return
        now = [line.key for line in change.lines]
        key = old[cursor - change.index] if old else ""
        self._cursor = change.index + now.index(key) if key in now else change.index

    def _settled(self) -> None:
        super()._settled()
        # When the picked line is gone, the one now in its place is picked.
        if self._cursor is None:
            return
        lines = self._view.lines
        self._cursor = min(self._cursor, len(lines) - 1)
        line = lines[self._cursor] if lines else None
        self.picked = line.key if isinstance(line, MessageLine | GapLine) else None
