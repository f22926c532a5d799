"""A reader's place in a room's log: every entry once, in order, over breaks.

Rule 1  The reader has seen everything up to its cursor, and nothing after it.
Rule 2  Entries are buffered only where they follow without a hole, and at most
        `BUFFERED_MAX` of them. What does not fit is fetched when the reader gets
        there, so that a reader who is slow or absent costs nothing.
"""

from collections import deque
from collections.abc import Iterable

from server.protocol.entries import Entry

MAX_BUFFERED_ENTRIES = 1_000


class EntryCursor:
    """The entries that come next.

    Attributes:
        cursor: The `seq` of the last entry that the reader took.
    """

    def __init__(self) -> None:
        self.position = 0
        self._buffer: deque[Entry] = deque()

    @property
    def buffered_to(self) -> int:
        """The `seq` of the last entry that is here; the next is to follow it."""
        return self.position + len(self._buffer)

    def reset(self, position: int) -> None:
        """What comes after this `seq` is next."""
        self.position = position
        self._buffer.clear()

    def offer(self, entries: Iterable[Entry]) -> bool:
        """Take what follows, of entries in ascending order; whether any did."""
        size_before = len(self._buffer)
        for entry in entries:
            if entry.seq == self.buffered_to + 1 and len(self._buffer) < MAX_BUFFERED_ENTRIES:
                self._buffer.append(entry)
        return len(self._buffer) > size_before

    def pop(self) -> Entry | None:
        """The next entry, if it is here."""
        if not self._buffer:
            return None
        self.position += 1
        return self._buffer.popleft()
