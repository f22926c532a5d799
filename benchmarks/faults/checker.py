"""Whether a server kept its word: what people were told, held against its log. Pure: records in, findings out.

Rule 1  The log of a room has `seq` 1, 2, 3 … without a hole; `id` grows, `ts` never goes back.
Rule 2  What was acknowledged is in the log, at the `seq`, with the `id` and the `ts` of
        its acknowledgement, once. What a client said that it keeps until it is sent is
        there once. Anything else that was sent is there once or not at all.
Rule 3  Nothing is in the log that nobody said.
Rule 4  What one person said, one after the other, is in the log in that order.
Rule 5  What a reader was given is the log from where it began, entry by entry, to the
        end; and what it shows at last is what the log says at last.

A message is known by its mark: its first word, which no other message has. The
rest of the text may be edited.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from server.protocol.answers import SendResponse
from server.protocol.entries import Entry, Message


class Fault(StrEnum):
    """What can be wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    HOLE = "hole"
    ALTERED = "altered"
    INVENTED = "invented"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of a rule.

    Attributes:
        where: Whose record it is and which entry, in words.
    """

    fault: Fault
    where: str


@dataclass(slots=True)
class Said:
    """A message that somebody sent, once or more often.

    Attributes:
        mark: The first word of its text.
        answers: Every acknowledgement of it, in the order they came; none when it was never answered.
        kept: A client promised to send it, be it killed or not.
    """

    room: str
    writer: str
    mark: str
    answers: list[SendResponse] = field(default_factory=list[SendResponse])
    kept: bool = False


@dataclass(slots=True)
class Read:
    """What one reader got of one room.

    Attributes:
        entries: As they were given, one by one.
        began: The `seq` that the reader had at first; what it was given follows it.
        shown: The messages in their present state, as the reader has them in the end.
        shown_from: The `seq` from which on it has them; what is older a reader may let go.
    """

    room: str
    reader: str
    entries: list[Entry] = field(default_factory=list[Entry])
    began: int = 0
    shown: list[Message] = field(default_factory=list[Message])
    shown_from: int = 1


def mark(text: str) -> str:
    """What tells a message apart."""
    return text.partition(" ")[0]


def check(logs: Mapping[str, Sequence[Entry]], said: Iterable[Said], reads: Iterable[Read]) -> list[Finding]:
    """Every breach of the rules.

    Args:
        logs: Each room's log by the room's name, read afresh when all was over.
        said: Everything that was sent; what one writer said is in the order it was said.
        reads: What the readers got.
    """
    findings: list[Finding] = []
    by_room: dict[str, list[Said]] = {room: [] for room in logs}
    for message in said:
        by_room.setdefault(message.room, []).append(message)
    for room, messages in by_room.items():
        log = logs.get(room, ())
        findings += _check_log(room, log)
        findings += _check_said(room, log, messages)
    for read in reads:
        findings += _check_read(read, logs.get(read.room, ()))
    return findings


def _check_log(room: str, log: Sequence[Entry]) -> Iterable[Finding]:
    before: Entry | None = None
    for entry in log:
        where = f"{room}: entry {entry.seq} of the log"
        expected = 1 if before is None else before.seq + 1
        if entry.seq != expected:
            yield Finding(Fault.HOLE if entry.seq > expected else Fault.REORDERED, where)
        if before is not None and (entry.id <= before.id or entry.ts < before.ts):
            yield Finding(Fault.REORDERED, f"{where}: its id or ts goes back")
        before = entry


def _check_said(room: str, log: Sequence[Entry], messages: Sequence[Said]) -> Iterable[Finding]:
    by_seq = {entry.seq: entry for entry in log}
    places: dict[str, int] = {}
    counts = Counter(mark(entry.message) for entry in log if isinstance(entry, Message))
    for entry in log:
        if isinstance(entry, Message):
            places.setdefault(mark(entry.message), entry.seq)
    known = {message.mark for message in messages}
    for name, count in counts.items():
        if name not in known:
            yield Finding(Fault.INVENTED, f"{room}: {name} at {places[name]}, which nobody said")
        if count > 1:
            yield Finding(Fault.DOUBLED, f"{room}: {name} is {count} times in the log")
    reached: dict[str, int] = {}
    for message in messages:
        for answer in message.answers:
            where = f"{room}: {message.mark}, acknowledged as {answer.seq}"
            if message.mark not in places:
                yield Finding(Fault.LOST, where)
                break
            entry = by_seq.get(answer.seq)
            if not isinstance(entry, Message) or mark(entry.message) != message.mark:
                yield Finding(Fault.REORDERED, f"{where}, is at {places[message.mark]}")
            elif (entry.id, entry.ts) != (answer.id, answer.ts):
                yield Finding(Fault.ALTERED, f"{where}: its id or ts is another")
        place = places.get(message.mark)
        if place is None and message.kept and not message.answers:
            yield Finding(Fault.LOST, f"{room}: {message.mark}, which its client kept")
        if place is not None:
            if place < reached.get(message.writer, 0):
                yield Finding(Fault.REORDERED, f"{room}: {message.mark} comes before what its writer said earlier")
            reached[message.writer] = place


def _check_read(read: Read, log: Sequence[Entry]) -> Iterable[Finding]:
    by_seq = {entry.seq: entry for entry in log}
    who = f"{read.room}: {read.reader}"
    last, seen = read.began, set[int]()
    for got in read.entries:
        if got.seq in seen or got.seq <= read.began:
            yield Finding(Fault.DOUBLED, f"{who} was given {got.seq} again")
            continue
        if got.seq < last:
            yield Finding(Fault.REORDERED, f"{who} was given {got.seq} after {last}")
        elif got.seq > last + 1:
            yield Finding(Fault.HOLE, f"{who} was given {got.seq} after {last}")
        seen.add(got.seq)
        last = max(last, got.seq)
        stored = by_seq.get(got.seq)
        if stored is None or not _same(got, stored):
            yield Finding(Fault.ALTERED, f"{who} was given something else as {got.seq}")
    if log and last < log[-1].seq:
        yield Finding(Fault.LOST, f"{who} was given nothing after {last}")
    shown = {message.seq: message for message in read.shown}
    if len(shown) < len(read.shown):
        yield Finding(Fault.DOUBLED, f"{who} shows a message twice")
    if [message.seq for message in read.shown] != sorted(shown):
        yield Finding(Fault.REORDERED, f"{who} shows messages out of order")
    for entry in log:
        if not isinstance(entry, Message) or entry.seq < max(read.shown_from, read.began + 1):
            continue
        if entry.seq not in shown:
            yield Finding(Fault.LOST, f"{who} does not show {entry.seq}")
        elif shown[entry.seq] != entry:
            yield Finding(Fault.ALTERED, f"{who} shows {entry.seq} otherwise than the log")
    for seq in shown.keys() - by_seq.keys():
        yield Finding(Fault.INVENTED, f"{who} shows {seq}, which is not in the log")


def _same(got: Entry, stored: Entry) -> bool:
    """The same entry; the text of a message may have been edited between the two readings."""
    if isinstance(got, Message) and isinstance(stored, Message):
        return (got.id, mark(got.message), got.member_id) == (stored.id, mark(stored.message), stored.member_id)
    return got == stored
