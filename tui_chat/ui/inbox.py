"""What has come from the connection and was not applied yet.

Rule 1  It is taken in the order it came.
Rule 2  What was said one after the other in one room is taken together, `TOGETHER` messages
        at a time: applying twenty costs little more than applying one.
Rule 3  More than `MUCH` does not stay: it is `overfull`, and is to be taken whether or not
        it can be drawn.
"""

from collections import deque
from collections.abc import Callable

from tui_chat.client.events import LogChanged
from tui_chat.ui.arrivals import QueuedEvent

MAX_MESSAGES_PER_POP = 100

HIGH_WATER_MARK = 5_000
"""Messages and other arrivals."""


class _PendingLogChange:
    """Changes of one room's log that came one after the other."""

    __slots__ = ("live", "room", "seqs")

    def __init__(self, first: LogChanged) -> None:
        self.room = first.room
        self.live = first.live
        self.seqs = deque(first.seqs)


class EventQueue:
    """A queue of arrivals.

    Args:
        arrived: Called when it is no longer empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        self._queue: deque[QueuedEvent | _PendingLogChange] = deque()
        self._on_ready = on_ready
        self._size = 0

    @property
    def is_overfull(self) -> bool:
        """Too much waits."""
        return self._size > HIGH_WATER_MARK

    def __bool__(self) -> bool:
        return bool(self._queue)

    def put(self, event: QueuedEvent) -> None:
        """Something came."""
        self._size += len(event.seqs) if isinstance(event, LogChanged) else 1
        if not isinstance(event, LogChanged):
            self._queue.append(event)
        else:
            last = self._queue[-1] if self._queue else None
            if isinstance(last, _PendingLogChange) and (last.room, last.live) == (event.room, event.live):
                last.seqs.extend(event.seqs)
                return
            self._queue.append(_PendingLogChange(event))
        if len(self._queue) == 1:
            self._on_ready()

    def pop(self) -> QueuedEvent:
        """What came first; there must be something."""
        first = self._queue[0]
        if not isinstance(first, _PendingLogChange):
            self._queue.popleft()
            self._size -= 1
            return first
        count = min(MAX_MESSAGES_PER_POP, len(first.seqs))
        self._size -= count
        seqs = {first.seqs.popleft() for _ in range(count)}
        if not first.seqs:
            self._queue.popleft()
        return LogChanged(first.room, tuple(sorted(seqs)), first.live)
