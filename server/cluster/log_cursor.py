"""Position of a node in the log of one room; a pure state machine.

- Order: entries are delivered by ascending `seq`, each exactly once and without a gap, independent of the order of
  arrival. Only `skip_to` omits entries.
- Start: entries that arrive before the start position is known wait for it.
"""

from collections.abc import Iterable

from tui_chat.protocol import events

MAX_WAITING_ENTRIES = 500
"""Maximum number of entries that wait for an earlier one; further entries are dropped and form a gap."""


class LogCursor:
    """Cursor of one room log.

    Attributes:
        delivered_seq: `seq` of the newest entry that the readers of the node know; None before `start`.
        announced_seq: Newest known `seq` of the log.
        is_replaced: True after an entry with a known `seq` and a new id, because the name then belongs to another log.
    """

    def __init__(self) -> None:
        self.delivered_seq: int | None = None
        self.announced_seq = 0
        self.is_replaced = False
        self._delivered_id = 0  # 0 if unknown
        self._waiting: dict[int, events.Entry] = {}

    @property
    def has_gap(self) -> bool:
        """True if an announced entry is not delivered yet; False before `start`."""
        return self.delivered_seq is not None and self.announced_seq > self.delivered_seq

    def start(self, seq: int, entry_id: int) -> list[events.Entry]:
        """Set the start position, drop the waiting entries up to it, and return those that follow it directly.

        Args:
            seq: `seq` of the newest entry that the readers know, 0 for an empty log.
            entry_id: Id of this entry, 0 if unknown.
        """
        self._advance(seq, entry_id)
        for waiting_seq in [waiting_seq for waiting_seq in self._waiting if waiting_seq <= seq]:
            del self._waiting[waiting_seq]
        return self._take_waiting()

    def offer(self, entries: Iterable[events.Entry]) -> list[events.Entry]:
        """Return the entries to deliver now, in order; later ones wait, and known ones are dropped.

        Before `start`, all entries wait. Above `MAX_WAITING_ENTRIES`, later entries are dropped and only announced. A
        known `seq` with an id above that of the newest delivered entry sets `is_replaced`.
        """
        ready: list[events.Entry] = []
        for entry in entries:
            self.announce(entry.seq)
            if self.delivered_seq is None or entry.seq > self.delivered_seq + 1:
                if len(self._waiting) < MAX_WAITING_ENTRIES:
                    self._waiting[entry.seq] = entry
            elif entry.seq <= self.delivered_seq:
                self.is_replaced |= 0 < self._delivered_id < entry.id
            else:
                self._advance(entry.seq, entry.id)
                self._waiting.pop(entry.seq, None)
                ready += [entry, *self._take_waiting()]
        return ready

    def announce(self, seq: int) -> None:
        """Record that the log has an entry with this `seq`."""
        self.announced_seq = max(self.announced_seq, seq)

    def skip_to(self, seq: int) -> list[events.Entry]:
        """Skip removed entries up to `seq`, and return the waiting entries that follow them directly.

        Without effect before `start`, and for a `seq` up to `delivered_seq`.
        """
        if self.delivered_seq is None or seq <= self.delivered_seq:
            return []
        return self.start(seq, 0)

    def _advance(self, seq: int, entry_id: int) -> None:
        self.delivered_seq, self._delivered_id = seq, entry_id
        self.announce(seq)

    def _take_waiting(self) -> list[events.Entry]:
        """Remove and return the waiting entries that follow the newest delivered one without a gap."""
        ready: list[events.Entry] = []
        while self._waiting and (entry := self._waiting.pop((self.delivered_seq or 0) + 1, None)) is not None:
            self._advance(entry.seq, entry.id)
            ready.append(entry)
        return ready
