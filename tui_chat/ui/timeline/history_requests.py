"""Requests for missing history in the visible part of a timeline."""

from collections.abc import Callable

from textual.message import Message

from tui_chat.session.lines import GapLine
from tui_chat.ui.timeline.messages import GapRequested, OlderMessagesRequested
from tui_chat.ui.timeline.viewport import Viewport


class HistoryRequests:
    """Requests for older messages, posted once per oldest line, and for gaps, posted once each, until `reset`."""

    def __init__(self, viewport: Viewport, post: Callable[[Message], object]) -> None:
        self._viewport = viewport
        self._post = post
        self._requested_oldest_key: str | None = None
        self._requested_gaps: set[tuple[int, int]] = set()

    def reset(self) -> None:
        """Permit repeated requests."""
        self._requested_oldest_key = None
        self._requested_gaps.clear()

    def request_visible(self) -> None:
        """Request each visible gap, and older messages if at most a view height of rows is above, unless requested.

        No older messages are requested while the oldest line is a gap. No effect without visible rows.
        """
        viewport = self._viewport
        if not viewport.visible_rows:
            return
        top = viewport.lines[0]
        if (
            viewport.rows_above <= viewport.height
            and self._requested_oldest_key != top.key
            and not isinstance(top, GapLine)
        ):
            self._requested_oldest_key = top.key
            self._post(OlderMessagesRequested())
        for index in viewport.visible_range:
            line = viewport.lines[index]
            if isinstance(line, GapLine) and (line.after, line.before) not in self._requested_gaps:
                self.request_gap(line, index)

    def request_gap(self, gap: GapLine, index: int) -> None:
        """Request the gap at `lines[index]`, even repeatedly; oldest entries first if most visible lines are above."""
        self._requested_gaps.add((gap.after, gap.before))
        visible_range = self._viewport.visible_range
        oldest_first = index - visible_range.start > visible_range.stop - 1 - index
        self._post(GapRequested(gap.after, oldest_first=oldest_first))
