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

from server.protocol.answers import HistoryPage, JoinResponse
from server.protocol.entries import Deletion, Edit, Entry, Message, Reaction
from server.protocol.requests import History
from tui_chat.client.held_messages import HeldMessages
from tui_chat.client.present_state import MessageChange, changed
from tui_chat.client.spans import Gap, Spans

HELD_MAX = 1_000
"""Pushes kept while what comes before them is fetched; those beyond are fetched too."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a log, to be put aside and brought back.

    Attributes:
        messages: Each with its mark (rule 4), ascending.
        changes: Those not in the messages, by target and `seq`.
        spans: The first and last `seq` of what is known, ascending.
    """

    messages: tuple[tuple[Message, int], ...]
    changes: tuple[MessageChange, ...]
    spans: tuple[tuple[int, int], ...]


class RoomLog:
    """One room's messages in their present state, and which parts of its log are missing."""

    __slots__ = (
        "_bases",
        "_changes",
        "_fresh",
        "_held",
        "_learnt",
        "_live",
        "_messages",
        "_pushed_to",
        "_recording",
        "_spans",
        "_unsaved",
    )

    def __init__(self) -> None:
        self._messages = HeldMessages()
        self._fresh: dict[int, int] = {}  # the marks of bases that are not put among the messages yet
        self._bases: dict[int, Message] = {}  # only of messages that have unfolded changes
        self._changes: dict[int, list[MessageChange]] = {}  # unfolded, by target, ascending
        self._spans = Spans()
        self._held: dict[int, Entry] = {}
        self._pushed_to = 0  # the highest seq that a push of this connection had
        self._live = False
        self._recording = False
        self._unsaved: set[int] = set()  # targets whose message or changes are not put aside
        self._learnt = Spans()  # stretches that are not put aside

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
        return self._spans.last

    @property
    def first(self) -> int:
        """The first `seq` known; 1 while nothing is known."""
        return max(self._spans.first, 1) if self._spans else 1

    @property
    def has_older(self) -> bool:
        """There is history before the first entry known."""
        return self.first > 1

    def gaps(self) -> tuple[Gap, ...]:
        """The stretches that are missing between what is known, ascending."""
        return self._spans.gaps()

    def messages(self, first: int = 1, last: int | None = None) -> Iterator[Message]:
        """The messages from `first` to `last` (default: all to the live end), ascending."""
        yield from self._messages.between(first, last)

    def first_at(self, ts: int) -> int | None:
        """The first message of this time (milliseconds since the epoch) or later, or else the last; None when empty."""
        return self._messages.first_at(ts)

    def missing(self) -> int | None:
        """What to ask `history after:` for, because pushes ran ahead; None when nothing is missing."""
        return self.last if self._live and self._pushed_to > self.last else None

    def broken(self) -> None:
        """The connection was lost: what is pushed next waits until the room is joined again."""
        self._live = False
        self._held.clear()
        self._pushed_to = 0

    def forget(self) -> None:
        """Rule 7. Pushes that are held stay: they came after the break."""
        self._messages = HeldMessages()
        self._fresh.clear()
        self._bases.clear()
        self._changes.clear()
        self._spans = Spans()
        self._unsaved.clear()
        self._learnt = Spans()

    def record(self) -> None:
        """Remember from now on what is not put aside."""
        self._recording = True

    @property
    def unsaved(self) -> bool:
        """There is something that is not put aside."""
        return bool(self._unsaved or self._learnt)

    def take_unsaved(self, limit: int | None = None) -> Stretch:
        """What was learnt since this was last asked.

        Args:
            limit: Of how many messages, the oldest first, at most. Only the last part says which stretches
                are known: until then a reader must not take them for whole.
        """
        targets, learnt = sorted(self._unsaved)[:limit], Spans()
        self._unsaved.difference_update(targets)
        if not self._unsaved:
            learnt, self._learnt = self._learnt, Spans()
        return Stretch(
            tuple(
                (self._bases.get(seq, self._messages[seq]), self._messages.as_of(seq))
                for seq in targets
                if seq in self._messages
            ),
            tuple(change for seq in targets for change in self._changes.get(seq, ())),
            learnt.stretches(),
        )

    def restore(self, stretch: Stretch) -> tuple[int, ...]:
        """Bring back what was put aside, by this log or another of the same room.

        Returns:
            The `seq` of each message that is new or now reads otherwise, ascending.
        """
        recording, self._recording = self._recording, False
        for first, last in stretch.spans:
            self._spans.add(first, last)
        touched: set[int] = set()
        for message, as_of in stretch.messages:
            if self._knows_more(message.seq, as_of):
                self._bases[message.seq] = message
                self._fresh[message.seq] = as_of
                touched.add(message.seq)
        touched.update(change.target for change in stretch.changes if self._keep(change))
        changed = tuple(sorted(seq for seq in touched if self._rebuild(seq)))
        self._recording = recording
        return changed

    def trim(self, kept: int) -> bool:
        """Let the oldest messages go, so that `kept` (at least one) stay; whether any did."""
        if len(self._messages) <= kept:
            return False
        first = self._messages.seq_from_end(kept)
        if any(target < first for target in self._unsaved):
            return False  # what is let go must be put aside as it reads now
        self._messages.cut(first)
        for known in (self._bases, self._changes):
            for seq in [seq for seq in known if seq < first]:
                del known[seq]
        self._spans.cut(first)
        return True

    def joined(self, answer: JoinResponse, since: int | None) -> tuple[int, ...]:
        """The room was joined.

        Args:
            answer: What the server answered.
            since: What was asked with: the live end at that time.

        Returns:
            The `seq` of each message that is new or now reads otherwise, ascending.
        """
        newest = answer.room.last_seq
        self._live = True
        oldest = 0 if since is None else since + 1
        if answer.has_more:
            oldest = min((entry.seq for entry in answer.messages), default=newest + 1)
        return self._settled(self._learn(answer.messages, oldest, newest, newest))

    def page(self, answer: HistoryPage, request: History) -> tuple[int, ...]:
        """A page of history arrived for this request.

        Returns:
            The `seq` of each message that is new or now reads otherwise, ascending.
        """
        seqs = [entry.seq for entry in answer.messages]
        oldest, newest = min(seqs, default=1), max(seqs, default=0)
        if request.after is not None:
            oldest = request.after + 1
            if not answer.has_more:
                newest = max(newest, answer.last_seq)
        elif request.before is not None:
            newest = min(request.before - 1, answer.last_seq)
            if not answer.has_more:
                oldest = 0
            elif not seqs:
                oldest = request.before
        return self._settled(self._learn(answer.messages, oldest, newest, answer.last_seq))

    def pushed(self, entry: Entry) -> tuple[int, ...]:
        """An entry was pushed.

        Returns:
            The `seq` of each message that is new or now reads otherwise, ascending:
            more than one when the push closes a hole before pushes that were held.
        """
        seq = entry.seq
        if self._live and not self._held and seq == self._spans.last + 1:
            return self._append(entry)
        self._pushed_to = max(self._pushed_to, seq)
        if (seq > self._spans.last or not self._live) and len(self._held) < HELD_MAX:
            self._held[seq] = entry
        return self._settled(set())

    def _settled(self, touched: set[int]) -> tuple[int, ...]:
        """Apply the held pushes whose turn has come."""
        while self._live and self._held and (entry := self._held.pop(self._spans.last + 1, None)) is not None:
            touched.update(self._append(entry))
        return tuple(sorted(touched))

    def _append(self, entry: Entry) -> tuple[int, ...]:
        seq = entry.seq
        self._spans.append(seq)
        self._note_span(seq, seq)
        if isinstance(entry, Message):
            self._messages.put(entry, seq)
            self._note(seq)
            return (seq,)
        if isinstance(entry, (Edit, Deletion, Reaction)) and self._keep(entry) and self._rebuild(entry.target):
            return (entry.target,)
        return ()

    def _learn(self, entries: Iterable[Entry], first: int, last: int, as_of: int) -> set[int]:
        """Take in a stretch whose messages include every change up to `as_of`."""
        self._spans.add(first, last)
        self._note_span(first, last)
        for seq in [seq for seq in self._held if self._live and seq <= self._spans.last]:
            del self._held[seq]
        ascending = sorted((entry for entry in entries if first <= entry.seq <= last), key=_seq)
        # Rule 5 needs every change of the stretch in its place before the first is folded.
        touched: set[int] = set()
        for entry in ascending:
            if isinstance(entry, Message):
                if self._knows_more(entry.seq, as_of):
                    self._bases[entry.seq] = entry
                    self._fresh[entry.seq] = as_of
                    touched.add(entry.seq)
            elif isinstance(entry, (Edit, Deletion, Reaction)) and self._keep(entry):
                touched.add(entry.target)
        return {seq for seq in touched if self._rebuild(seq)}

    def _knows_more(self, seq: int, as_of: int) -> bool:
        """Rule 4. Whether a base with this mark says more than the one held."""
        return (seq not in self._messages and seq not in self._fresh) or self._as_of(seq) < as_of

    def _as_of(self, seq: int) -> int:
        fresh = self._fresh.get(seq)
        return self._messages.as_of(seq) if fresh is None else fresh

    def _keep(self, change: MessageChange) -> bool:
        """Put the change in its place among those not folded yet; whether its target is held and not as new."""
        target = change.target
        held = target in self._messages or target in self._bases
        if (held and change.seq <= self._as_of(target)) or (not held and target in self._spans):
            return False
        waiting = self._changes.setdefault(target, [])
        if any(other.seq == change.seq for other in waiting):
            return False
        insort(waiting, change, key=_seq)
        self._note(target)
        return held

    def _rebuild(self, seq: int) -> bool:
        """Put the changes over the base, and fold them in when nothing between is unknown.

        Returns:
            Whether the message is new or reads otherwise now.
        """
        before = self._messages.get(seq)
        as_of = self._as_of(seq)
        self._fresh.pop(seq, None)
        waiting = [change for change in self._changes.pop(seq, ()) if change.seq > as_of]
        base = message = self._bases.pop(seq, before)
        if base is None or message is None:
            return False
        for change in waiting:
            message = changed(message, change)
        self._note(seq)
        if waiting and self._spans.cover(as_of + 1, waiting[-1].seq):
            as_of = waiting[-1].seq
        elif waiting:
            self._changes[seq], self._bases[seq] = waiting, base
        self._messages.put(message, as_of)
        return message != before

    def _note(self, target: int) -> None:
        if self._recording:
            self._unsaved.add(target)

    def _note_span(self, first: int, last: int) -> None:
        if self._recording:
            self._learnt.add(first, last)


def _seq(entry: Entry) -> int:
    return entry.seq
