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

from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.responses import SendResponse


class ViolationKind(StrEnum):
    """What can be wrong."""

    LOST = "lost"
    DUPLICATED = "doubled"
    REORDERED = "reordered"
    GAP = "hole"
    ALTERED = "altered"
    UNEXPECTED = "invented"


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of a rule.

    Attributes:
        where: Whose record it is and which entry, in words.
    """

    kind: ViolationKind
    location: str


@dataclass(slots=True)
class SentMessage:
    """A message that somebody sent, once or more often.

    Attributes:
        mark: The first word of its text.
        answers: Every acknowledgement of it, in the order they came; none when it was never answered.
        kept: A client promised to send it, be it killed or not.
    """

    room: str
    writer: str
    marker: str
    acks: list[SendResponse] = field(default_factory=list[SendResponse])
    is_persisted: bool = False


@dataclass(slots=True)
class ReadRecord:
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
    start_seq: int = 0
    visible: list[Message] = field(default_factory=list[Message])
    visible_from: int = 1


def extract_marker(text: str) -> str:
    """What tells a message apart."""
    return text.partition(" ")[0]


def find_violations(
    logs: Mapping[str, Sequence[Entry]], sent: Iterable[SentMessage], records: Iterable[ReadRecord]
) -> list[Violation]:
    """Every breach of the rules.

    Args:
        logs: Each room's log by the room's name, read afresh when all was over.
        said: Everything that was sent; what one writer said is in the order it was said.
        reads: What the readers got.
    """
    violations: list[Violation] = []
    by_room: dict[str, list[SentMessage]] = {room: [] for room in logs}
    for message in sent:
        by_room.setdefault(message.room, []).append(message)
    for room, messages in by_room.items():
        log = logs.get(room, ())
        violations += _check_log(room, log)
        violations += _check_sent(room, log, messages)
    for record in records:
        violations += _check_record(record, logs.get(record.room, ()))
    return violations


def _check_log(room: str, log: Sequence[Entry]) -> Iterable[Violation]:
    previous: Entry | None = None
    for entry in log:
        location = f"{room}: entry {entry.seq} of the log"
        expected = 1 if previous is None else previous.seq + 1
        if entry.seq != expected:
            yield Violation(ViolationKind.GAP if entry.seq > expected else ViolationKind.REORDERED, location)
        if previous is not None and (entry.id <= previous.id or entry.ts < previous.ts):
            yield Violation(ViolationKind.REORDERED, f"{location}: its id or ts goes back")
        previous = entry


def _check_sent(room: str, log: Sequence[Entry], messages: Sequence[SentMessage]) -> Iterable[Violation]:
    by_seq = {entry.seq: entry for entry in log}
    positions: dict[str, int] = {}
    counts = Counter(extract_marker(entry.message) for entry in log if isinstance(entry, Message))
    for entry in log:
        if isinstance(entry, Message):
            positions.setdefault(extract_marker(entry.message), entry.seq)
    sent_markers = {message.marker for message in messages}
    for marker, count in counts.items():
        if marker not in sent_markers:
            yield Violation(ViolationKind.UNEXPECTED, f"{room}: {marker} at {positions[marker]}, which nobody said")
        if count > 1:
            yield Violation(ViolationKind.DUPLICATED, f"{room}: {marker} is {count} times in the log")
    last_positions: dict[str, int] = {}
    for message in messages:
        for ack in message.acks:
            location = f"{room}: {message.marker}, acknowledged as {ack.seq}"
            if message.marker not in positions:
                yield Violation(ViolationKind.LOST, location)
                break
            entry = by_seq.get(ack.seq)
            if not isinstance(entry, Message) or extract_marker(entry.message) != message.marker:
                yield Violation(ViolationKind.REORDERED, f"{location}, is at {positions[message.marker]}")
            elif (entry.id, entry.ts) != (ack.id, ack.ts):
                yield Violation(ViolationKind.ALTERED, f"{location}: its id or ts is another")
        position = positions.get(message.marker)
        if position is None and message.is_persisted and not message.acks:
            yield Violation(ViolationKind.LOST, f"{room}: {message.marker}, which its client kept")
        if position is not None:
            if position < last_positions.get(message.writer, 0):
                yield Violation(
                    ViolationKind.REORDERED, f"{room}: {message.marker} comes before what its writer said earlier"
                )
            last_positions[message.writer] = position


def _check_record(record: ReadRecord, log: Sequence[Entry]) -> Iterable[Violation]:
    by_seq = {entry.seq: entry for entry in log}
    reader_name = f"{record.room}: {record.reader}"
    last, received_seqs = record.start_seq, set[int]()
    for received in record.entries:
        if received.seq in received_seqs or received.seq <= record.start_seq:
            yield Violation(ViolationKind.DUPLICATED, f"{reader_name} was given {received.seq} again")
            continue
        if received.seq < last:
            yield Violation(ViolationKind.REORDERED, f"{reader_name} was given {received.seq} after {last}")
        elif received.seq > last + 1:
            yield Violation(ViolationKind.GAP, f"{reader_name} was given {received.seq} after {last}")
        received_seqs.add(received.seq)
        last = max(last, received.seq)
        stored = by_seq.get(received.seq)
        if stored is None or not _is_same_entry(received, stored):
            yield Violation(ViolationKind.ALTERED, f"{reader_name} was given something else as {received.seq}")
    if log and last < log[-1].seq:
        yield Violation(ViolationKind.LOST, f"{reader_name} was given nothing after {last}")
    visible_by_seq = {message.seq: message for message in record.visible}
    if len(visible_by_seq) < len(record.visible):
        yield Violation(ViolationKind.DUPLICATED, f"{reader_name} shows a message twice")
    if [message.seq for message in record.visible] != sorted(visible_by_seq):
        yield Violation(ViolationKind.REORDERED, f"{reader_name} shows messages out of order")
    for entry in log:
        if not isinstance(entry, Message) or entry.seq < max(record.visible_from, record.start_seq + 1):
            continue
        if entry.seq not in visible_by_seq:
            yield Violation(ViolationKind.LOST, f"{reader_name} does not show {entry.seq}")
        elif visible_by_seq[entry.seq] != entry:
            yield Violation(ViolationKind.ALTERED, f"{reader_name} shows {entry.seq} otherwise than the log")
    for seq in visible_by_seq.keys() - by_seq.keys():
        yield Violation(ViolationKind.UNEXPECTED, f"{reader_name} shows {seq}, which is not in the log")


def _is_same_entry(received: Entry, stored: Entry) -> bool:
    """The same entry; the text of a message may have been edited between the two readings."""
    if isinstance(received, Message) and isinstance(stored, Message):
        return (received.id, extract_marker(received.message), received.member_id) == (
            stored.id,
            extract_marker(stored.message),
            stored.member_id,
        )
    return received == stored
