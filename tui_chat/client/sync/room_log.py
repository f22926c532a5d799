"""What is known of one room's log. No network, no clock: entries in, changes out.

Rule 1   A room's log is a sequence without holes: `seq` 1, 2, 3 … (WIRE 1, "An entry").
         What is known of it are spans; what lies between two spans is a gap, and
         what lies before the first is older history. The end of the last span is
         the live end.
         The beginning counts as `seq` 0, so that what was missed in a room that was
         empty is a gap like any other.
Rule 2   A push at the live end + 1 is applied. One at or before the live end is a
         repeat and dropped. One further ahead is held, and what is between is to be
         fetched (`missing`). Before the room is joined, and between a break and the
         next join, every push is held.
Rule 3   A page or the answer to a join makes known the stretch it speaks of, wherever
         that is, in any order. An answer that does not reach back to what is held
         leaves a gap.
Rule 4   A message is shown in the state `base + changes`. The base comes with a mark,
         `as_of`: every change up to that `seq` is in it. For a message that was pushed
         that is its own `seq`, for one from a page or a join the answer's `last_seq`.
         A base that knows more replaces one that knows less.
Rule 5   A change counts for its target from the base's `as_of` on, in the order of
         `seq`, whatever order the changes arrive in. Changes are folded into the base
         only when everything between is known, so that one found later in a gap still
         takes its place.
Rule 6   A change to a message that is not held is kept until the message comes: the
         page that brings it may have been read before the change was made.
Rule 7   A join that finds the log shorter than what is held finds another log (the
         server's data was replaced). Nothing of it can be put beside what is held:
         `forget`, and join as for the first time.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui_chat.client.sync.apply_change import MessageChange, apply_change
from tui_chat.client.sync.message_store import MessageStore
from tui_chat.client.sync.seq_ranges import Gap, SeqRanges
from tui_chat.protocol.events import Deletion, Edit, Entry, Message, Reaction
from tui_chat.protocol.requests import History
from tui_chat.protocol.responses import HistoryPage, JoinResponse

MAX_BUFFERED_PUSHES = 1_000
"""Pushes kept while what comes before them is fetched; those beyond are fetched too."""


@dataclass(frozen=True, slots=True)
class LogSegment:
    """A part of a log, to be put aside and brought back.

    Attributes:
        messages: Each with its mark (rule 4), ascending.
        changes: Those not in the messages, by target and `seq`.
        spans: The first and last `seq` of what is known, ascending.
    """

    messages: tuple[tuple[Message, int], ...]
    changes: tuple[MessageChange, ...]
    ranges: tuple[tuple[int, int], ...]


class RoomLog:
    """One room's messages in their present state, and which parts of its log are missing."""

    __slots__ = (
        "_bases",
        "_buffered_pushes",
        "_changes",
        "_dirty_ranges",
        "_dirty_targets",
        "_highest_pushed",
        "_is_live",
        "_is_tracking",
        "_messages",
        "_new_base_as_of",
        "_ranges",
    )

    def __init__(self) -> None:
        self._messages = MessageStore()
        self._new_base_as_of: dict[int, int] = {}  # the marks of bases that are not put among the messages yet
        self._bases: dict[int, Message] = {}  # only of messages that have unfolded changes
        self._changes: dict[int, list[MessageChange]] = {}  # unfolded, by target, ascending
        self._ranges = SeqRanges()
        self._buffered_pushes: dict[int, Entry] = {}
        self._highest_pushed = 0  # the highest seq that a push of this connection had
        self._is_live = False
        self._is_tracking = False
        self._dirty_targets: set[int] = set()  # targets whose message or changes are not put aside
        self._dirty_ranges = SeqRanges()  # stretches that are not put aside

    def __len__(self) -> int:
        """How many messages are held."""
        return len(self._messages)

    def __contains__(self, seq: int) -> bool:
        """Whether the message with this `seq` is held."""
        return seq in self._messages

    def __getitem__(self, seq: int) -> Message:
        """The message with this `seq`.

        Raises:
            KeyError: It is not held, or the entry is no message.
        """
        return self._messages[seq]

    @property
    def last(self) -> int:
        """The live end: what a join gives as `since`. 0 while nothing is known."""
        return self._ranges.last

    @property
    def first(self) -> int:
        """The first `seq` known; 1 while nothing is known."""
        return max(self._ranges.first, 1) if self._ranges else 1

    @property
    def has_older(self) -> bool:
        """There is history before the first entry known."""
        return self.first > 1

    def gaps(self) -> tuple[Gap, ...]:
        """The stretches that are missing between what is known, ascending."""
        return self._ranges.gaps()

    def messages(self, first: int = 1, last: int | None = None) -> Iterator[Message]:
        """The messages from `first` to `last` (default: all to the live end), ascending."""
        yield from self._messages.iter_range(first, last)

    def find_seq_at(self, ts: int) -> int | None:
        """The first message of this time (milliseconds since the epoch) or later, or else the last; None when empty."""
        return self._messages.find_seq_at(ts)

    def missing_after(self) -> int | None:
        """What to ask `history after:` for, because pushes ran ahead; None when nothing is missing."""
        return self.last if self._is_live and self._highest_pushed > self.last else None

    def on_disconnected(self) -> None:
        """The connection was lost: what is pushed next waits until the room is joined again."""
        self._is_live = False
        self._buffered_pushes.clear()
        self._highest_pushed = 0

    def reset(self) -> None:
        """Rule 7. Pushes that are held stay: they came after the break."""
        self._messages = MessageStore()
        self._new_base_as_of.clear()
        self._bases.clear()
        self._changes.clear()
        self._ranges = SeqRanges()
        self._dirty_targets.clear()
        self._dirty_ranges = SeqRanges()

    def track_changes(self) -> None:
        """Remember from now on what is not put aside."""
        self._is_tracking = True

    @property
    def is_dirty(self) -> bool:
        """There is something that is not put aside."""
        return bool(self._dirty_targets or self._dirty_ranges)

    def pop_dirty(self, limit: int | None = None) -> LogSegment:
        """What was learnt since this was last asked.

        Args:
            limit: Of how many messages, the oldest first, at most. Only the last part says which stretches
                are known: until then a reader must not take them for whole.
        """
        targets, dirty_ranges = sorted(self._dirty_targets)[:limit], SeqRanges()
        self._dirty_targets.difference_update(targets)
        if not self._dirty_targets:
            dirty_ranges, self._dirty_ranges = self._dirty_ranges, SeqRanges()
        return LogSegment(
            tuple(
                (self._bases.get(seq, self._messages[seq]), self._messages.as_of_seq(seq))
                for seq in targets
                if seq in self._messages
            ),
            tuple(change for seq in targets for change in self._changes.get(seq, ())),
            dirty_ranges.ranges(),
        )

    def restore(self, segment: LogSegment) -> tuple[int, ...]:
        """Bring back what was put aside, by this log or another of the same room.

        Returns:
            The `seq` of each message that is new or now reads otherwise, ascending.
        """
        was_tracking, self._is_tracking = self._is_tracking, False
        for first, last in segment.ranges:
            self._ranges.add(first, last)
        affected: set[int] = set()
        for message, as_of in segment.messages:
            if self._is_newer_base(message.seq, as_of):
                self._bases[message.seq] = message
                self._new_base_as_of[message.seq] = as_of
                affected.add(message.seq)
        affected.update(change.target for change in segment.changes if self._add_change(change))
        changed_seqs = tuple(sorted(seq for seq in affected if self._rebuild(seq)))
        self._is_tracking = was_tracking
        return changed_seqs

    def trim(self, keep: int) -> bool:
        """Let the oldest messages go, so that `kept` (at least one) stay; whether any did."""
        if len(self._messages) <= keep:
            return False
        first = self._messages.seq_from_end(keep)
        if any(target < first for target in self._dirty_targets):
            return False  # what is let go must be put aside as it reads now
        self._messages.truncate_before(first)
        for mapping in (self._bases, self._changes):
            for seq in [seq for seq in mapping if seq < first]:
                del mapping[seq]
        self._ranges.truncate(first)
        return True

    def apply_join(self, response: JoinResponse, since: int | None) -> tuple[int, ...]:
        """The room was joined.

        Args:
            answer: What the server answered.
            since: What was asked with: the live end at that time.

        Returns:
            The `seq` of each message that is new or now reads otherwise, ascending.
        """
        newest = response.room.last_seq
        self._is_live = True
        oldest = 0 if since is None else since + 1
        if response.has_more:
            oldest = min((entry.seq for entry in response.messages), default=newest + 1)
        return self._apply_buffered(self._apply_range(response.messages, oldest, newest, newest))

    def apply_page(self, response: HistoryPage, request: History) -> tuple[int, ...]:
        """A page of history arrived for this request.

        Returns:
            The `seq` of each message that is new or now reads otherwise, ascending.
        """
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
        return self._apply_buffered(self._apply_range(response.messages, oldest, newest, response.last_seq))

    def apply_push(self, entry: Entry) -> tuple[int, ...]:
        """An entry was pushed.

        Returns:
            The `seq` of each message that is new or now reads otherwise, ascending:
            more than one when the push closes a hole before pushes that were held.
        """
        seq = entry.seq
        if self._is_live and not self._buffered_pushes and seq == self._ranges.last + 1:
            return self._append(entry)
        self._highest_pushed = max(self._highest_pushed, seq)
        if (seq > self._ranges.last or not self._is_live) and len(self._buffered_pushes) < MAX_BUFFERED_PUSHES:
            self._buffered_pushes[seq] = entry
        return self._apply_buffered(set())

    def _apply_buffered(self, affected: set[int]) -> tuple[int, ...]:
        """Apply the held pushes whose turn has come."""
        while (
            self._is_live
            and self._buffered_pushes
            and (entry := self._buffered_pushes.pop(self._ranges.last + 1, None)) is not None
        ):
            affected.update(self._append(entry))
        return tuple(sorted(affected))

    def _append(self, entry: Entry) -> tuple[int, ...]:
        seq = entry.seq
        self._ranges.append(seq)
        self._mark_range_dirty(seq, seq)
        if isinstance(entry, Message):
            self._messages.put(entry, seq)
            self._mark_dirty(seq)
            return (seq,)
        if isinstance(entry, (Edit, Deletion, Reaction)) and self._add_change(entry) and self._rebuild(entry.target):
            return (entry.target,)
        return ()

    def _apply_range(self, entries: Iterable[Entry], first: int, last: int, as_of: int) -> set[int]:
        """Take in a stretch whose messages include every change up to `as_of`."""
        self._ranges.add(first, last)
        self._mark_range_dirty(first, last)
        for seq in [seq for seq in self._buffered_pushes if self._is_live and seq <= self._ranges.last]:
            del self._buffered_pushes[seq]
        ascending = sorted((entry for entry in entries if first <= entry.seq <= last), key=_entry_seq)
        # Rule 5 needs every change of the stretch in its place before the first is folded.
        affected: set[int] = set()
        for entry in ascending:
            if isinstance(entry, Message):
                if self._is_newer_base(entry.seq, as_of):
                    self._bases[entry.seq] = entry
                    self._new_base_as_of[entry.seq] = as_of
                    affected.add(entry.seq)
            elif isinstance(entry, (Edit, Deletion, Reaction)) and self._add_change(entry):
                affected.add(entry.target)
        return {seq for seq in affected if self._rebuild(seq)}

    def _is_newer_base(self, seq: int, as_of: int) -> bool:
        """Rule 4. Whether a base with this mark says more than the one held."""
        return (seq not in self._messages and seq not in self._new_base_as_of) or self._base_as_of(seq) < as_of

    def _base_as_of(self, seq: int) -> int:
        new_as_of = self._new_base_as_of.get(seq)
        return self._messages.as_of_seq(seq) if new_as_of is None else new_as_of

    def _add_change(self, change: MessageChange) -> bool:
        """Put the change in its place among those not folded yet; whether its target is held and not as new."""
        target = change.target
        has_base = target in self._messages or target in self._bases
        if (has_base and change.seq <= self._base_as_of(target)) or (not has_base and target in self._ranges):
            return False
        pending = self._changes.setdefault(target, [])
        if any(other.seq == change.seq for other in pending):
            return False
        insort(pending, change, key=_entry_seq)
        self._mark_dirty(target)
        return has_base

    def _rebuild(self, seq: int) -> bool:
        """Put the changes over the base, and fold them in when nothing between is unknown.

        Returns:
            Whether the message is new or reads otherwise now.
        """
        shown_before = self._messages.get(seq)
        as_of = self._base_as_of(seq)
        self._new_base_as_of.pop(seq, None)
        pending = [change for change in self._changes.pop(seq, ()) if change.seq > as_of]
        base = message = self._bases.pop(seq, shown_before)
        if base is None or message is None:
            return False
        for change in pending:
            message = apply_change(message, change)
        self._mark_dirty(seq)
        if pending and self._ranges.contains_range(as_of + 1, pending[-1].seq):
            as_of = pending[-1].seq
        elif pending:
            self._changes[seq], self._bases[seq] = pending, base
        self._messages.put(message, as_of)
        return message != shown_before

    def _mark_dirty(self, target: int) -> None:
        if self._is_tracking:
            self._dirty_targets.add(target)

    def _mark_range_dirty(self, first: int, last: int) -> None:
        if self._is_tracking:
            self._dirty_ranges.add(first, last)


def _entry_seq(entry: Entry) -> int:
    return entry.seq
