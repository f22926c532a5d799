"""A reader's place in a room's log: every entry once, in order, over breaks.

Rule 1  The reader has seen everything up to its cursor, and nothing after it.
Rule 2  Entries are buffered only where they follow without a hole, and at most
        `BUFFERED_MAX` of them. What does not fit is fetched when the reader gets
        there, so that a reader who is slow or absent costs nothing.
"""

from collections import deque
from collections.abc import Iterable

from server.protocol.entries import Entry

BUFFERED_MAX = 1_000


class Feed:
    """The entries that come next.

    Attributes:
        cursor: The `seq` of the last entry that the reader took.
    """

    def __init__(self) -> None:
        self.cursor = 0
        self._next: deque[Entry] = deque()

    @property
    def end(self) -> int:
        """The `seq` of the last entry that is here; the next is to follow it."""
        return self.cursor + len(self._next)

    def start(self, cursor: int) -> None:
        """What comes after this `seq` is next."""
        self.cursor = cursor
        self._next.clear()

    def offer(self, entries: Iterable[Entry]) -> bool:
        """Take what follows, of entries in ascending order; whether any did."""
        before = len(self._next)
        for entry in entries:
            if entry.seq == self.end + 1 and len(self._next) < BUFFERED_MAX:
                self._next.append(entry)
        return len(self._next) > before

    def take(self) -> Entry | None:
        """The next entry, if it is here."""
        if not self._next:
            return None
        self.cursor += 1
        return self._next.popleft()
