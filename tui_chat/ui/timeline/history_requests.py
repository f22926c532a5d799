"""Requests for missing history in the visible part of a timeline."""

from collections.abc import Callable

from textual.message import Message

from tui_chat.session.lines import GapLine
from tui_chat.ui.timeline.messages import GapRequested, OlderMessagesRequested
from tui_chat.ui.timeline.viewport import Viewport


class HistoryRequests:
    """Requests for older messages and gaps, each posted once until `reset`.

    Args:
        viewport: Lines and visible rows.
        post: Posts `OlderMessagesRequested` and `GapRequested`.
    """

    def __init__(self, viewport: Viewport, post: Callable[[Message], object]) -> None:
        self._viewport = viewport
        self._post = post
        self._older_requested_at: str | None = None
        self._requested_gaps: set[tuple[int, int]] = set()

    def reset(self) -> None:
        """Permit repeated requests."""
        self._older_requested_at = None
        self._requested_gaps.clear()

    def request_visible(self) -> None:
        """Request each visible gap, and older messages up to a view height below the top, unless requested before.

        A gap at the top of the list replaces the request for older messages.
        """
        viewport = self._viewport
        if not viewport.visible_rows:
            return
        top = viewport.lines[0]
        if (
            viewport.rows_above <= viewport.height
            and self._older_requested_at != top.key
            and not isinstance(top, GapLine)
        ):
            self._older_requested_at = top.key
            self._post(OlderMessagesRequested())
        for index in viewport.visible_range:
            line = viewport.lines[index]
            if isinstance(line, GapLine) and (line.after, line.before) not in self._requested_gaps:
                self.request_gap(line, index)

    def request_gap(self, gap: GapLine, index: int) -> None:
        """Request the gap at `lines[index]`, even repeatedly; in the lower half of the view, oldest entries first."""
        self._requested_gaps.add((gap.after, gap.before))
        visible_range = self._viewport.visible_range
        oldest_first = index - visible_range.start > visible_range.stop - 1 - index
        self._post(GapRequested(gap.after, oldest_first=oldest_first))
