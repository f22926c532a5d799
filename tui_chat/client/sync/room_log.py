"""State of one room log; pure, without network or clock (docs/protocol.md, "Synchronization").

- Sequence: a log consists of the entries `seq` 1, 2, 3 … without holes. Known entries form ranges. A gap lies between
  two ranges, older history before the first. The live end is the end of the last range. A joined log without entries
  is the range of `seq` 0, so that entries missed during a disconnection form a gap.
- Pushes: a push at live end + 1 is applied, a lower `seq` is a duplicate, a higher `seq` is buffered until the
  entries between are fetched (`missing_after`). Outside a joined connection, all pushes are buffered.
- Responses: a page or join response adds its range in any order, and leaves a gap if not adjacent to a known range.
- Base state: a message is displayed as base plus changes. `as_of` is the `seq` up to which the base includes every
  change: the `seq` of a pushed message, `last_seq` of a response. A base with a higher `as_of` replaces a lower one.
- Changes: changes after `as_of` apply in order of `seq`, independent of their arrival. Changes are folded into the base
  once all entries between are known, because a gap may contain an earlier change.
- Early changes: a change without its target is stored until the message arrives, because the page with the message
  may predate the change.
- Limit: above `MAX_PENDING_CHANGES`, the changes of the least recently changed target are folded despite unknown
  entries, or dropped without a loaded target. A later page includes them.
- Trim: a page that was read before a trim does not extend the log below the trim, because the trim drops changes that
  the page can lack.
- Replacement: a join response with another `log_id` belongs to another log and requires a `reset` first.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from operator import attrgetter

from tui_chat.client.sync.apply_change import apply_change, mark_own_reactions
from tui_chat.client.sync.log_segment import LogSegment
from tui_chat.client.sync.message_store import MessageStore
from tui_chat.client.sync.seq_ranges import Gap, SeqRanges
from tui_chat.protocol.events import Entry, Message, MessageChange
from tui_chat.protocol.requests import History
from tui_chat.protocol.responses import HistoryPage, JoinResponse, ObserveResponse

MAX_BUFFERED_PUSHES = 1_000
"""Limit of buffered pushes; later pushes are fetched from the server."""

MAX_PENDING_CHANGES = 1_000
"""Limit of changes that are not folded yet."""


class RoomLog:
    """Messages of one room in their current state, with the known ranges of the log.

    Attributes:
        member_id: User's member id, for `own` of reactions; empty if unknown and for an observer.
        log_id: Identifier of the server's log (docs/protocol.md, "Synchronization"); empty if unknown.
        first_stored: Oldest `seq` that the server has not removed; missing entries below are no gap.
    """

    def __init__(self) -> None:
        self.member_id = self.log_id = ""
        self.first_stored = 1
        self._buffered_pushes: dict[int, Entry] = {}
        self._expected_seq = 0  # newest known `seq` of the server on the current connection
        self._is_live = False
        self._is_tracking = False
        self.reset()

    def __len__(self) -> int:
        """Return the number of loaded messages."""
        return len(self._messages)

    def __contains__(self, seq: int) -> bool:
        """Return whether a message is loaded."""
        return seq in self._messages

    def __getitem__(self, seq: int) -> Message:
        """Return a loaded message; raise `KeyError` if not loaded, or for an entry of another kind."""
        return self._messages[seq]

    @property
    def last(self) -> int:
        """Live end, used as `since` of a join; 0 for an empty log."""
        return self._ranges.last

    @property
    def first(self) -> int:
        """First known `seq`; 1 for a complete or an empty log."""
        return max(self._ranges.first, 1)

    @property
    def has_older(self) -> bool:
        """True if the server stores entries before the first known one; False for an empty log."""
        return self.first > self.first_stored

    def gaps(self) -> tuple[Gap, ...]:
        """Return the gaps between known ranges, ascending, without entries that the server has removed."""
        return tuple(
            Gap(max(gap.after, self.first_stored - 1), gap.before)
            for gap in self._ranges.gaps()
            if gap.before > self.first_stored
        )

    def messages(self, first: int = 1, last: int | None = None) -> Iterator[Message]:
        """Iterate over loaded messages from `first` to `last` inclusive, ascending, deleted ones included."""
        yield from self._messages.iter_range(first, last)

    def find_seq_at(self, ts: int) -> int | None:
        """Return the `seq` of the first loaded message at or after a time in milliseconds since the epoch.

        If all are older, that of the last message; None for an empty log.
        """
        return self._messages.find_seq_at(ts)

    def missing_after(self) -> int | None:
        """Return the `after` of a `history` request for the entries after the live end.

        None if none are missing, and outside a joined connection.
        """
        return self.last if self._is_live and self._expected_seq > self.last else None

    def on_disconnected(self) -> None:
        """Discard buffered pushes, and buffer later ones until `apply_join`. Loaded messages and ranges remain."""
        self._is_live = False
        self._buffered_pushes.clear()
        self._expected_seq = 0

    def reset(self) -> None:
        """Remove all messages, changes and ranges after a replacement of the server log.

        Unsaved changes are discarded. Buffered pushes, which belong to the new log, and the attributes remain.
        """
        self._messages = MessageStore()
        self._new_base_as_of: dict[int, int] = {}  # `as_of` of received bases until `_rebuild` stores the message
        self._bases: dict[int, Message] = {}  # bases of the messages in `_changes`
        self._changes: dict[int, list[MessageChange]] = {}  # not folded yet, per target, ascending
        self._ranges = SeqRanges()
        self._trimmed_at = 0  # live end at the latest trim
        self._dirty_targets: set[int] = set()  # messages with unsaved changes
        self._dirty_ranges = SeqRanges()  # unsaved ranges

    def track_changes(self) -> None:
        """Enable the tracking of unsaved changes, off by default; earlier changes count as saved."""
        self._is_tracking = True

    @property
    def is_dirty(self) -> bool:
        """True if unsaved changes exist."""
        return bool(self._dirty_targets or self._dirty_ranges.ranges())

    def pop_dirty(self, limit: int | None = None) -> LogSegment:
        """Return unsaved changes and mark them as saved.

        Args:
            limit: Maximum number of changed messages, lowest `seq` first; None for all. Only the last segment contains
                the ranges, because a range without its messages must not appear as known.
        """
        targets, dirty_ranges = sorted(self._dirty_targets)[:limit], SeqRanges()
        self._dirty_targets.difference_update(targets)
        if not self._dirty_targets:
            dirty_ranges, self._dirty_ranges = self._dirty_ranges, SeqRanges()
        return LogSegment(
            tuple(
                (self._bases.get(seq, self._messages[seq]), self._messages.get_as_of(seq))
                for seq in targets
                if seq in self._messages
            ),
            tuple(change for seq in targets for change in self._changes.get(seq, ())),
            dirty_ranges.ranges(),
        )

    def restore(self, segment: LogSegment) -> tuple[int, ...]:
        """Apply a stored segment of the same room.

        The restored content counts as saved. A stored message without a higher `as_of` than the loaded one is ignored;
        `own` of the reactions of a restored message is computed for `member_id` (`mark_own_reactions`).

        Returns:
            `seq` of each new or modified message, ascending.
        """
        was_tracking, self._is_tracking = self._is_tracking, False
        for first, last in segment.ranges:
            self._add_range(first, last)
        bases = ((mark_own_reactions(message, self.member_id), as_of) for message, as_of in segment.messages)
        changed = self._apply(bases, segment.changes)
        self._is_tracking = was_tracking
        return tuple(sorted(changed))

    def trim(self, max_messages: int) -> bool:
        """Release the oldest messages with their changes; their entries become unknown, so `has_older` becomes True.

        Args:
            max_messages: Number of messages to retain, at least one.

        Returns:
            False if nothing is released: at most `max_messages` are loaded, or a change of a message to release is
                unsaved.
        """
        if len(self._messages) <= max_messages:
            return False
        first = self._messages.seq_from_end(max_messages)
        if any(target < first for target in self._dirty_targets):
            return False  # unsaved changes would be lost
        self._messages.truncate_before(first)
        for mapping in (self._bases, self._changes):
            for seq in [seq for seq in mapping if seq < first]:
                del mapping[seq]
        self._ranges.truncate(first)
        self._trimmed_at = self.last
        return True

    def apply_join(self, response: ObserveResponse, since: int | None) -> tuple[int, ...]:
        """Apply the response of a join or observation and all buffered pushes that follow; set the attributes.

        `since` is that of the request, the live end at that time; None for a full join.

        Returns:
            `seq` of each new or modified message, ascending.
        """
        newest = response.room.last_seq
        self.log_id = response.room.log_id
        self.member_id = response.member_id if isinstance(response, JoinResponse) else ""
        self.first_stored = response.room.first_seq
        self._is_live = True
        self._expected_seq = max(self._expected_seq, newest)
        oldest = 0 if since is None else since + 1
        if response.has_more:
            oldest = min((entry.seq for entry in response.messages), default=newest + 1)
        return self._apply_buffered(self._apply_range(response.messages, oldest, newest, newest))

    def apply_page(self, response: HistoryPage, request: History) -> tuple[int, ...]:
        """Apply a history page, and the buffered pushes that follow; set `first_stored`.

        On a joined connection, a page that starts after live end + 1 is ignored; `missing_after` then includes its
        entries.

        Returns:
            `seq` of each new or modified message, ascending.
        """
        self._expected_seq = max(self._expected_seq, response.last_seq)
        self.first_stored = response.first_seq
        seqs = [entry.seq for entry in response.messages]
        oldest, newest = min(seqs, default=1), max(seqs, default=0)
        if request.after is not None:
            oldest = request.after + 1
            if not response.has_more:
                newest = max(newest, response.last_seq)
        elif request.before is not None:
            newest = min(request.before - 1, response.last_seq)
            if not response.has_more:
                oldest = 0
            elif not seqs:
                oldest = request.before
        if self._is_live and oldest > self.last + 1:
            return ()  # later pushes of the entries between would count as duplicates
        return self._apply_buffered(self._apply_range(response.messages, oldest, newest, response.last_seq))

    def apply_push(self, entry: Entry) -> tuple[int, ...]:
        """Apply a push at live end + 1; buffer a later one, and every push outside a joined connection.

        A duplicate has no effect. With `MAX_BUFFERED_PUSHES` buffered, the push is dropped and fetched later.

        Returns:
            `seq` of each new or modified message, ascending, including those of buffered pushes that follow.
        """
        self._expected_seq = max(self._expected_seq, entry.seq)
        if len(self._buffered_pushes) < MAX_BUFFERED_PUSHES:
            self._buffered_pushes[entry.seq] = entry
        has_no_gap = self._is_live and entry.seq <= self.last + 1
        return self._apply_buffered(set()) if has_no_gap else ()

    def _apply_buffered(self, affected: set[int]) -> tuple[int, ...]:
        """Apply the buffered pushes that continue the live end and drop those before, on a joined connection only.

        Returns `affected` with the `seq` of each further new or modified message, ascending.
        """
        while self._is_live and (entry := self._buffered_pushes.pop(self.last + 1, None)) is not None:
            if isinstance(entry, Message):  # without the general path, half of the time per push
                self._add_range(entry.seq, entry.seq)
                self._messages.put(entry, entry.seq)
                self._mark_dirty(entry.seq)
                affected.add(entry.seq)
            else:
                affected |= self._apply_range((entry,), entry.seq, entry.seq, entry.seq)
        for seq in [seq for seq in self._buffered_pushes if self._is_live and seq <= self.last]:
            del self._buffered_pushes[seq]
        return tuple(sorted(affected))

    def _apply_range(self, entries: Iterable[Entry], first: int, last: int, as_of: int) -> set[int]:
        """Apply a contiguous range whose messages include all changes up to `as_of`; return each modified `seq`.

        Entries outside the range are ignored. A range that was read before a trim starts at the start of the log.
        """
        if as_of < self._trimmed_at:
            first = max(first, self.first)
        self._add_range(first, last)
        entries_in_range = [entry for entry in entries if first <= entry.seq <= last]
        return self._apply(
            ((entry, as_of) for entry in entries_in_range if isinstance(entry, Message)),
            (entry for entry in entries_in_range if isinstance(entry, MessageChange)),
        )

    def _apply(self, bases: Iterable[tuple[Message, int]], changes: Iterable[MessageChange]) -> set[int]:
        """Apply pairs of message and `as_of`, and changes, of known ranges; return each new or modified `seq`."""
        affected = {base.seq for base, as_of in bases if self._add_base(base, as_of)}
        affected.update(change.target for change in changes if self._add_change(change))
        # The first fold assumes that all changes of known ranges are added.
        changed = {seq for seq in affected if self._rebuild(seq)}
        self._limit_changes()
        return changed

    def _add_base(self, message: Message, as_of: int) -> bool:
        """Stage a base for `_rebuild`, unless the present one has an equal or higher `as_of`; return whether staged."""
        seq = message.seq
        if (seq in self._messages or seq in self._new_base_as_of) and self._base_as_of(seq) >= as_of:
            return False
        self._bases[seq], self._new_base_as_of[seq] = message, as_of
        return True

    def _base_as_of(self, seq: int) -> int:
        return self._new_base_as_of[seq] if seq in self._new_base_as_of else self._messages.get_as_of(seq)

    def _add_change(self, change: MessageChange) -> bool:
        """Insert a change in order of `seq`, unless known or in the base; return whether `_rebuild` is necessary.

        A change of an unloaded message is stored for later, unless the target is a known entry of another kind.
        """
        target = change.target
        has_base = target in self._messages or target in self._bases
        if (has_base and change.seq <= self._base_as_of(target)) or (not has_base and target in self._ranges):
            return False
        pending = self._changes[target] = self._changes.pop(target, [])  # the most recently changed target is last
        if any(existing.seq == change.seq for existing in pending):
            return False
        insort(pending, change, key=attrgetter("seq"))
        self._mark_dirty(target)
        return has_base

    def _rebuild(self, seq: int) -> bool:
        """Store the base with its pending changes applied, and fold them if no entry between is unknown.

        Returns whether the displayed message is new or modified.
        """
        message_before = self._messages.get(seq)
        as_of = self._base_as_of(seq)
        self._new_base_as_of.pop(seq, None)
        pending = [change for change in self._changes.pop(seq, ()) if change.seq > as_of]
        base = message = self._bases.pop(seq, message_before)
        if base is None or message is None:
            return False
        for change in pending:
            message = apply_change(message, change, self.member_id)
        self._mark_dirty(seq)
        if pending and self._ranges.contains_range(as_of + 1, pending[-1].seq):
            as_of = pending[-1].seq
        elif pending:
            self._changes[seq], self._bases[seq] = pending, base
        self._messages.put(message, as_of)
        return message != message_before

    def _limit_changes(self) -> None:
        while sum(map(len, self._changes.values())) > MAX_PENDING_CHANGES:
            target = next(iter(self._changes))
            changes = self._changes.pop(target)
            if self._bases.pop(target, None) is not None:
                self._messages.put(self._messages[target], changes[-1].seq)

    def _mark_dirty(self, target: int) -> None:
        if self._is_tracking:
            self._dirty_targets.add(target)

    def _add_range(self, first: int, last: int) -> None:
        self._ranges.add(first, last)
        if self._is_tracking:
            self._dirty_ranges.add(first, last)
