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
from tui_chat.ui.arrivals import Arrival

TOGETHER = 100

MUCH = 5_000
"""Messages and other arrivals."""


class _Said:
    """Changes of one room's log that came one after the other."""

    __slots__ = ("live", "room", "seqs")

    def __init__(self, first: LogChanged) -> None:
        self.room = first.room
        self.live = first.live
        self.seqs = deque(first.seqs)


class Inbox:
    """A queue of arrivals.

    Args:
        arrived: Called when it is no longer empty.
    """

    def __init__(self, arrived: Callable[[], None]) -> None:
        self._waiting: deque[Arrival | _Said] = deque()
        self._arrived = arrived
        self._size = 0

    @property
    def overfull(self) -> bool:
        """Too much waits."""
        return self._size > MUCH

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, arrival: Arrival) -> None:
        """Something came."""
        self._size += len(arrival.seqs) if isinstance(arrival, LogChanged) else 1
        if not isinstance(arrival, LogChanged):
            self._waiting.append(arrival)
        else:
            last = self._waiting[-1] if self._waiting else None
            if isinstance(last, _Said) and (last.room, last.live) == (arrival.room, arrival.live):
                last.seqs.extend(arrival.seqs)
                return
            self._waiting.append(_Said(arrival))
        if len(self._waiting) == 1:
            self._arrived()

    def take(self) -> Arrival:
        """What came first; there must be something."""
        first = self._waiting[0]
        if not isinstance(first, _Said):
            self._waiting.popleft()
            self._size -= 1
            return first
        count = min(TOGETHER, len(first.seqs))
        self._size -= count
        seqs = {first.seqs.popleft() for _ in range(count)}
        if not first.seqs:
            self._waiting.popleft()
        return LogChanged(first.room, tuple(sorted(seqs)), first.live)
