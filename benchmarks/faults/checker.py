"""Checker of delivery guarantees: compares the records of clients with the logs of the server. Pure functions.

- Log: `seq` is 1, 2, 3 … without gaps; `id` increases and `ts` never decreases.
- Durability: an acknowledged message is in the log exactly once, with the acknowledged `seq`, `id`
  and `ts`. A message in a client's outbox is in the log exactly once. Any other sent
  message is in the log at most once.
- No invention: the log contains sent messages only.
- Order: messages of one writer are in the log in send order.
- Bans: a banned member has no message after the `seq` of the ban.
- Delay: a reader receives a message within a maximum time after its acknowledgement, or after the last fault.
- Reading: a reader receives every log entry after its start position exactly once and in order. Its final
  state equals the final state of the log.
- Display: a terminal or page displays the last messages of the log in their final state.

Messages are identified by a marker, a unique first word. Edits may change the remaining text.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest

from tui_chat.protocol.events import Entry, MemberChange, Message
from tui_chat.protocol.responses import SendResponse

MIN_DISPLAYED = 10
"""Minimum number of displayed messages."""


class ViolationKind(StrEnum):
    """Type of a violation."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    GAP = "gap"
    ALTERED = "altered"
    UNEXPECTED = "unexpected"
    LATE = "late"
    BANNED = "by a banned member"
    NICKNAME = "nickname"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Violation:
    """Violation of a guarantee.

    Attributes:
        kind: Type of the violation.
        location: Record and entry as text.
    """

    kind: ViolationKind
    location: str


@dataclass(slots=True)
class SentMessage:
    """Message of a writer, sent at least once.

    Attributes:
        room: Name of the room.
        writer: Name of the writer.
        marker: First word of the text.
        acks: All acknowledgements, in order of arrival.
        is_persisted: The message is in the outbox of a client, so a kill must not lose it.
        acked_at: Time of the first acknowledgement in seconds, None without one.
    """

    room: str
    writer: str
    marker: str
    acks: list[SendResponse] = field(default_factory=list[SendResponse])
    is_persisted: bool = False
    acked_at: float | None = None


@dataclass(slots=True)
class ReadRecord:
    """Entries and final state of one reader in one room.

    Attributes:
        room: Name of the room.
        reader: Name of the reader.
        entries: Entries in the order of delivery.
        start_seq: `seq` before the first delivered entry.
        visible: Messages in their final state.
        visible_from: First `seq` of `visible`; a reader may discard older messages.
        received_at: Time of the delivery of each entry in seconds.
    """

    room: str
    reader: str
    entries: list[Entry] = field(default_factory=list[Entry])
    start_seq: int = 0
    visible: list[Message] = field(default_factory=list[Message])
    visible_from: int = 1
    received_at: list[float] = field(default_factory=list[float])


def extract_marker(text: str) -> str:
    """Return the marker of a message text."""
    return text.partition(" ")[0]


def find_violations(
    logs: Mapping[str, Sequence[Entry]], sent: Iterable[SentMessage], records: Iterable[ReadRecord]
) -> list[Violation]:
    """Return all violations of the guarantees.

    Args:
        logs: Final log of each room, by room name.
        sent: All sent messages, in send order per writer.
        records: Records of all readers.
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


def find_late_deliveries(
    sent: Iterable[SentMessage], records: Iterable[ReadRecord], recovered_at: float, max_delay: float
) -> list[Violation]:
    """Return the messages that a reader received too late.

    Args:
        sent: All sent messages.
        records: Records of all readers.
        recovered_at: Time of the end of the last fault in seconds.
        max_delay: Maximum time from the acknowledgement to the delivery in seconds; before the end of the last fault,
            the time counts from this end.
    """
    acked_at = {message.marker: message.acked_at for message in sent if message.acked_at is not None}
    return [
        Violation(ViolationKind.LATE, f"{record.room}: {record.reader} received {entry.seq} after {delay:.1f} seconds")
        for record in records
        for entry, received_at in zip(record.entries, record.received_at, strict=False)
        if isinstance(entry, Message)
        and (start := acked_at.get(extract_marker(entry.message))) is not None
        and (delay := received_at - max(start, recovered_at)) > max_delay
    ]


def find_display_violations(room: str, name: str, log: Sequence[Entry], displayed: Sequence[str]) -> list[Violation]:
    """Return the first difference between the displayed messages and the last messages of a log.

    Args:
        room: Name of the room.
        name: Name of the terminal or page.
        log: Final log of the room.
        displayed: Displayed texts, oldest first; at least `MIN_DISPLAYED`, or all texts of a shorter log.
    """
    texts = [entry.message.rstrip() for entry in log if isinstance(entry, Message)]
    if len(displayed) < min(len(texts), MIN_DISPLAYED):
        return [Violation(ViolationKind.DISPLAY, f"{room}: {name} displays only {len(displayed)} messages")]
    expected = texts[len(texts) - len(displayed) :] if len(displayed) <= len(texts) else texts
    for position, (text, stored) in enumerate(zip_longest(displayed, expected)):
        if text != stored:
            location = f"{room}: {name} displays {text!r} instead of {stored!r}, message {position + 1} of the display"
            return [Violation(ViolationKind.DISPLAY, location)]
    return []


def _check_log(room: str, log: Sequence[Entry]) -> Iterable[Violation]:
    """Yield the violations of Log and Bans."""
    previous: Entry | None = None
    banned_ids = set[str]()
    for entry in log:
        if isinstance(entry, MemberChange) and entry.action == "banned":
            banned_ids.add(entry.target.member_id)
        elif isinstance(entry, Message) and entry.member_id in banned_ids:
            yield Violation(ViolationKind.BANNED, f"{room}: message {entry.seq} of {entry.member_id}")
        location = f"{room}: entry {entry.seq} of the log"
        expected = 1 if previous is None else previous.seq + 1
        if entry.seq != expected:
            yield Violation(ViolationKind.GAP if entry.seq > expected else ViolationKind.REORDERED, location)
        if previous is not None and (entry.id <= previous.id or entry.ts < previous.ts):
            yield Violation(ViolationKind.REORDERED, f"{location}: id or ts decreases")
        previous = entry


def _check_sent(room: str, log: Sequence[Entry], messages: Sequence[SentMessage]) -> Iterable[Violation]:
    """Yield the violations of Durability, No invention and Order."""
    entries = [entry for entry in log if isinstance(entry, Message)]
    # Of several entries with one marker, the first counts.
    positions = {extract_marker(entry.message): entry.seq for entry in reversed(entries)}
    sent_markers = {message.marker for message in messages}
    for marker, count in Counter(extract_marker(entry.message) for entry in entries).items():
        if marker not in sent_markers:
            yield Violation(ViolationKind.UNEXPECTED, f"{room}: {marker} at {positions[marker]} was never sent")
        if count > 1:
            yield Violation(ViolationKind.DUPLICATED, f"{room}: {marker} occurs {count} times in the log")
    by_seq = {entry.seq: entry for entry in entries}
    last_positions: dict[str, int] = {}
    for message in messages:
        position = positions.get(message.marker)
        if position is not None:
            yield from _check_acks(room, message, position, by_seq)
            if position < last_positions.get(message.writer, 0):
                yield Violation(
                    ViolationKind.REORDERED, f"{room}: {message.marker} precedes an earlier message of its writer"
                )
            last_positions[message.writer] = position
        elif message.acks:
            yield Violation(ViolationKind.LOST, f"{room}: {message.marker}, acknowledged as {message.acks[0].seq}")
        elif message.is_persisted:
            yield Violation(ViolationKind.LOST, f"{room}: {message.marker} from a client's outbox")


def _check_acks(room: str, message: SentMessage, position: int, by_seq: Mapping[int, Message]) -> Iterable[Violation]:
    """Yield the acknowledgements that differ from the logged message at `position`."""
    for ack in message.acks:
        location = f"{room}: {message.marker}, acknowledged as {ack.seq}"
        entry = by_seq.get(ack.seq)
        if entry is None or extract_marker(entry.message) != message.marker:
            yield Violation(ViolationKind.REORDERED, f"{location}, is at {position}")
        elif (entry.id, entry.ts) != (ack.id, ack.ts):
            yield Violation(ViolationKind.ALTERED, f"{location}: id or ts differs")


def _check_record(record: ReadRecord, log: Sequence[Entry]) -> Iterable[Violation]:
    """Yield the violations of Reading."""
    reader_name = f"{record.room}: {record.reader}"
    by_seq = {entry.seq: entry for entry in log}
    yield from _check_received(reader_name, record, by_seq)
    yield from _check_visible(reader_name, record, by_seq)


def _check_received(reader_name: str, record: ReadRecord, by_seq: Mapping[int, Entry]) -> Iterable[Violation]:
    """Yield the received entries that are repeated, reordered, altered or missing."""
    last, received_seqs = record.start_seq, set[int]()
    for received in record.entries:
        if received.seq in received_seqs or received.seq <= record.start_seq:
            yield Violation(ViolationKind.DUPLICATED, f"{reader_name} received {received.seq} again")
            continue
        if received.seq < last:
            yield Violation(ViolationKind.REORDERED, f"{reader_name} received {received.seq} after {last}")
        elif received.seq > last + 1:
            yield Violation(ViolationKind.GAP, f"{reader_name} received {received.seq} after {last}")
        received_seqs.add(received.seq)
        last = max(last, received.seq)
        stored = by_seq.get(received.seq)
        if stored is None or not _is_same_entry(received, stored):
            yield Violation(ViolationKind.ALTERED, f"{reader_name} received another entry as {received.seq}")
    if by_seq and last < max(by_seq):
        yield Violation(ViolationKind.LOST, f"{reader_name} received no entry after {last}")


def _check_visible(reader_name: str, record: ReadRecord, by_seq: Mapping[int, Entry]) -> Iterable[Violation]:
    """Yield the differences between the final state of a reader and the log."""
    visible_by_seq = {message.seq: message for message in record.visible}
    if len(visible_by_seq) < len(record.visible):
        yield Violation(ViolationKind.DUPLICATED, f"{reader_name} shows a message twice")
    if [message.seq for message in record.visible] != sorted(visible_by_seq):
        yield Violation(ViolationKind.REORDERED, f"{reader_name} shows messages out of order")
    for entry in by_seq.values():
        if not isinstance(entry, Message) or entry.seq < max(record.visible_from, record.start_seq + 1):
            continue
        if entry.seq not in visible_by_seq:
            yield Violation(ViolationKind.LOST, f"{reader_name} does not show {entry.seq}")
        elif visible_by_seq[entry.seq] != entry:
            yield Violation(ViolationKind.ALTERED, f"{reader_name} shows another state of {entry.seq} than the log")
    for seq in visible_by_seq.keys() - by_seq.keys():
        yield Violation(ViolationKind.UNEXPECTED, f"{reader_name} shows {seq}, which is not in the log")


def _is_same_entry(received: Entry, stored: Entry) -> bool:
    """Return whether both are the same entry, apart from edits of a message text."""
    if isinstance(received, Message) and isinstance(stored, Message):
        return (received.id, extract_marker(received.message), received.member_id) == (
            stored.id,
            extract_marker(stored.message),
            stored.member_id,
        )
    return received == stored
