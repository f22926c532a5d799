"""Fault checker: each damaged record is reported with the expected kind of violation."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from benchmarks.faults.checker import (
    MIN_DISPLAYED,
    ReadRecord,
    SentMessage,
    ViolationKind,
    extract_marker,
    find_display_violations,
    find_late_deliveries,
    find_violations,
)
from tui_chat.protocol.events import Edit, Entry, MemberChange, MemberRef, Message
from tui_chat.protocol.responses import SendResponse

ROOM = "tea"
EDITED_SEQ = 6


def message(seq: int) -> Message:
    writer = "ann" if seq % 2 else "ben"
    return Message(
        room=ROOM, seq=seq, id=seq * 3, nick_name=writer, member_id=writer, message=f"{writer}-{seq} words", ts=seq // 2
    )


def make_ack(entry: Entry, *, duplicate: bool = False) -> SendResponse:
    return SendResponse(seq=entry.seq, id=entry.id, ts=entry.ts, duplicate=duplicate)


@dataclass
class Record:
    """Input of the checker: the room log, the sent messages and the entries of the readers."""

    log: list[Entry]
    sent: list[SentMessage]
    reads: list[ReadRecord]

    def violations(self) -> set[ViolationKind]:
        return {violation.kind for violation in find_violations({ROOM: self.log}, self.sent, self.reads)}


@pytest.fixture
def record() -> Record:
    """Valid record: eleven messages and one edit, two readers, one repeat, two unacknowledged messages."""
    messages = [message(seq) for seq in range(1, 12)]
    edit = Edit(
        room=ROOM,
        seq=12,
        id=36,
        ts=6,
        member_id="ben",
        nick_name="ben",
        target=EDITED_SEQ,
        message=f"ben-{EDITED_SEQ} better",
    )
    sent = [SentMessage(ROOM, entry.member_id, extract_marker(entry.message), [make_ack(entry)]) for entry in messages]
    sent[3].acks.append(make_ack(messages[3], duplicate=True))
    sent[4].acks.clear()
    sent.append(SentMessage(ROOM, "ann", "ann-never-arrived"))
    log: list[Entry] = [*messages, edit]
    log[EDITED_SEQ - 1] = replace(messages[EDITED_SEQ - 1], message=edit.message, edited=12)
    visible = [entry for entry in log if isinstance(entry, Message)]
    live = ReadRecord(ROOM, "live", [*messages, edit], 0, list(visible))
    late = ReadRecord(ROOM, "late", log[4:], 4, visible[4:])
    return Record(log, sent, [live, late])


def test_a_valid_record_has_no_violations(record: Record) -> None:
    assert find_violations({ROOM: record.log}, record.sent, record.reads) == []


def remove_log_entry(record: Record) -> None:
    del record.log[7]


def truncate_log(record: Record) -> None:
    del record.log[8:]
    record.reads.clear()


def write_message_twice(record: Record) -> None:
    duplicate_entry = replace(message(3), seq=13, id=39, ts=9)
    record.log.append(duplicate_entry)
    for read in record.reads:
        read.entries.append(duplicate_entry)
        read.visible.append(duplicate_entry)


def swap_log_entries(record: Record) -> None:
    first, second = record.log[8], record.log[9]
    record.log[8] = replace(second, seq=first.seq, id=first.id, ts=first.ts)
    record.log[9] = replace(first, seq=second.seq, id=second.id, ts=second.ts)


def ban_a_later_author(record: Record) -> None:
    ben, moderator = MemberRef("ben", "ben"), MemberRef("mod", "mod")
    record.log[8] = MemberChange(
        room=ROOM, seq=9, id=27, ts=4, member_id="mod", nick_name="mod", action="banned", target=ben, by=moderator
    )


def decrease_timestamp(record: Record) -> None:
    record.log[9] = replace(record.log[9], ts=1)


def swap_sent_messages(record: Record) -> None:
    record.sent[0], record.sent[2] = record.sent[2], record.sent[0]


def acknowledge_another_id(record: Record) -> None:
    record.sent[1].acks[0] = replace(record.sent[1].acks[0], id=1000)


def acknowledge_repeat_with_another_seq(record: Record) -> None:
    record.sent[3].acks[1] = replace(record.sent[3].acks[1], seq=5)


def lose_persisted_message(record: Record) -> None:
    record.sent[-1].is_persisted = True


def write_unsent_message(record: Record) -> None:
    del record.sent[10]


def skip_reader_entry(record: Record) -> None:
    del record.reads[0].entries[5]


def duplicate_reader_entry(record: Record) -> None:
    record.reads[0].entries.insert(6, record.reads[0].entries[5])


def swap_reader_entries(record: Record) -> None:
    entries = record.reads[1].entries
    entries[2], entries[3] = entries[3], entries[2]


def alter_reader_text(record: Record) -> None:
    record.reads[1].entries[3] = replace(message(8), message="ben-88 words")


def truncate_reader_entries(record: Record) -> None:
    del record.reads[0].entries[-1]


def show_message_before_edit(record: Record) -> None:
    record.reads[0].visible[EDITED_SEQ - 1] = message(EDITED_SEQ)


def hide_message(record: Record) -> None:
    del record.reads[0].visible[2]


def show_message_twice(record: Record) -> None:
    record.reads[0].visible.insert(3, record.reads[0].visible[2])


def show_unknown_message(record: Record) -> None:
    record.reads[0].visible.append(message(99))


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (remove_log_entry, ViolationKind.LOST),
        (remove_log_entry, ViolationKind.GAP),
        (truncate_log, ViolationKind.LOST),
        (write_message_twice, ViolationKind.DUPLICATED),
        (swap_log_entries, ViolationKind.REORDERED),
        (ban_a_later_author, ViolationKind.BANNED),
        (decrease_timestamp, ViolationKind.REORDERED),
        (swap_sent_messages, ViolationKind.REORDERED),
        (acknowledge_another_id, ViolationKind.ALTERED),
        (acknowledge_repeat_with_another_seq, ViolationKind.REORDERED),
        (lose_persisted_message, ViolationKind.LOST),
        (write_unsent_message, ViolationKind.UNEXPECTED),
        (skip_reader_entry, ViolationKind.GAP),
        (duplicate_reader_entry, ViolationKind.DUPLICATED),
        (swap_reader_entries, ViolationKind.REORDERED),
        (alter_reader_text, ViolationKind.ALTERED),
        (truncate_reader_entries, ViolationKind.LOST),
        (show_message_before_edit, ViolationKind.ALTERED),
        (hide_message, ViolationKind.LOST),
        (show_message_twice, ViolationKind.DUPLICATED),
        (show_unknown_message, ViolationKind.UNEXPECTED),
    ],
)
def test_each_kind_of_damage_is_reported(record: Record, damage: Callable[[Record], None], kind: ViolationKind) -> None:
    damage(record)
    assert kind in record.violations()


def test_a_missing_room_log_reports_every_acknowledged_message_as_lost(record: Record) -> None:
    violations = [violation.kind for violation in find_violations({}, record.sent, [])]
    assert violations.count(ViolationKind.LOST) == sum(bool(sent.acks) for sent in record.sent)


@given(st.permutations(range(1, 9)) | st.lists(st.integers(1, 8), max_size=12))
def test_any_difference_between_a_reader_and_the_log_is_reported(received_seqs: list[int]) -> None:
    log = [message(seq) for seq in range(1, 9)]
    read = ReadRecord(ROOM, "reader", [message(seq) for seq in received_seqs], 0, log)
    sent = [SentMessage(ROOM, entry.member_id, extract_marker(entry.message), [make_ack(entry)]) for entry in log]
    assert bool(find_violations({ROOM: log}, sent, [read])) == (received_seqs != list(range(1, 9)))


def test_late_deliveries_count_from_the_acknowledgement_or_the_end_of_the_last_fault(record: Record) -> None:
    first, second = record.sent[:2]
    first.acked_at, second.acked_at = 10.0, 30.0
    read = ReadRecord(ROOM, "late", [message(1), message(2), message(3)], received_at=[35.1, 45.0, 99.0])
    (violation,) = find_late_deliveries(record.sent, [read], recovered_at=20.0, max_delay=15.0)
    assert (violation.kind, violation.location) == (ViolationKind.LATE, "tea: late received 1 after 15.1 seconds")


def test_a_display_of_the_last_messages_of_a_log_is_correct(record: Record) -> None:
    texts = [entry.message for entry in record.log if isinstance(entry, Message)]
    assert len(texts) > MIN_DISPLAYED
    assert find_display_violations(ROOM, "page", record.log, texts) == []
    assert find_display_violations(ROOM, "page", record.log, texts[-MIN_DISPLAYED:]) == []
    assert find_display_violations(ROOM, "page", record.log[:3], texts[:3]) == []


def test_each_difference_between_a_display_and_the_log_is_reported(record: Record) -> None:
    texts = [entry.message for entry in record.log if isinstance(entry, Message)]
    for displayed, position in (
        ([*texts[:EDITED_SEQ], "ben-7 other", *texts[EDITED_SEQ + 1 :]], EDITED_SEQ + 1),
        ([*texts[:2], texts[3], texts[2], *texts[4:]], 3),
        ([*texts, texts[-1]], len(texts) + 1),
        (texts[:-1], 1),
    ):
        (violation,) = find_display_violations(ROOM, "page", record.log, displayed)
        assert violation.kind is ViolationKind.DISPLAY
        assert violation.location.endswith(f"message {position} of the display")
    (violation,) = find_display_violations(ROOM, "page", record.log, texts[-MIN_DISPLAYED + 1 :])
    assert violation.location == f"{ROOM}: page displays only {MIN_DISPLAYED - 1} messages"
