"""The judge is judged: whatever is broken in a faultless record is found, and called by its name."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from benchmarks.faults.checker import ReadRecord, SentMessage, ViolationKind, extract_marker, find_violations
from tui_chat.protocol.events import Edit, Entry, Message
from tui_chat.protocol.responses import SendResponse

ROOM = "tea"
EDITED = 6


def message(seq: int) -> Message:
    writer = "ann" if seq % 2 else "ben"
    return Message(
        room=ROOM, seq=seq, id=seq * 3, nick_name=writer, member_id=writer, message=f"{writer}-{seq} words", ts=seq // 2
    )


def answer(entry: Entry, *, duplicate: bool = False) -> SendResponse:
    return SendResponse(seq=entry.seq, id=entry.id, ts=entry.ts, duplicate=duplicate)


@dataclass
class Record:
    """Twelve entries, the last an edit of the sixth; two readers; one message repeated, one never answered."""

    log: list[Entry]
    said: list[SentMessage]
    reads: list[ReadRecord]

    def faults(self) -> set[ViolationKind]:
        return {finding.kind for finding in find_violations({ROOM: self.log}, self.said, self.reads)}


@pytest.fixture
def record() -> Record:
    messages = [message(seq) for seq in range(1, 12)]
    edit = Edit(
        room=ROOM, seq=12, id=36, ts=6, member_id="ben", nick_name="ben", target=EDITED, message=f"ben-{EDITED} better"
    )
    said = [SentMessage(ROOM, entry.member_id, extract_marker(entry.message), [answer(entry)]) for entry in messages]
    said[3].acks.append(answer(messages[3], duplicate=True))
    said[4].acks.clear()
    said.append(SentMessage(ROOM, "ann", "ann-never-arrived"))
    now: list[Entry] = [*messages, edit]
    now[EDITED - 1] = replace(messages[EDITED - 1], message=edit.message, edited=12)
    shown = [entry for entry in now if isinstance(entry, Message)]
    live = ReadRecord(ROOM, "live", [*messages, edit], 0, list(shown))
    late = ReadRecord(ROOM, "late", now[4:], 4, shown[4:])
    return Record(now, said, [live, late])


def test_a_faultless_record_has_no_findings(record: Record) -> None:
    assert find_violations({ROOM: record.log}, record.said, record.reads) == []


def drop_from_the_log(record: Record) -> None:
    del record.log[7]


def cut_the_end_of_the_log(record: Record) -> None:
    del record.log[8:]
    record.reads.clear()


def write_twice(record: Record) -> None:
    again = replace(message(3), seq=13, id=39, ts=9)
    record.log.append(again)
    for read in record.reads:
        read.entries.append(again)
        read.visible.append(again)


def swap_in_the_log(record: Record) -> None:
    first, second = record.log[8], record.log[9]
    record.log[8] = replace(second, seq=first.seq, id=first.id, ts=first.ts)
    record.log[9] = replace(first, seq=second.seq, id=second.id, ts=second.ts)


def turn_the_clock_back(record: Record) -> None:
    record.log[9] = replace(record.log[9], ts=1)


def say_later_what_came_first(record: Record) -> None:
    record.said[0], record.said[2] = record.said[2], record.said[0]


def answer_with_another_id(record: Record) -> None:
    record.said[1].acks[0] = replace(record.said[1].acks[0], id=1000)


def answer_a_repeat_with_another_seq(record: Record) -> None:
    record.said[3].acks[1] = replace(record.said[3].acks[1], seq=5)


def lose_what_a_client_kept(record: Record) -> None:
    record.said[-1].is_persisted = True


def write_what_nobody_said(record: Record) -> None:
    del record.said[10]


def skip_for_a_reader(record: Record) -> None:
    del record.reads[0].entries[5]


def give_a_reader_something_twice(record: Record) -> None:
    record.reads[0].entries.insert(6, record.reads[0].entries[5])


def give_a_reader_two_in_the_wrong_order(record: Record) -> None:
    entries = record.reads[1].entries
    entries[2], entries[3] = entries[3], entries[2]


def give_a_reader_other_words(record: Record) -> None:
    record.reads[1].entries[3] = replace(message(8), message="ben-88 words")


def stop_giving_to_a_reader(record: Record) -> None:
    del record.reads[0].entries[-1]


def show_an_edited_message_as_it_was(record: Record) -> None:
    record.reads[0].visible[EDITED - 1] = message(EDITED)


def hide_a_message(record: Record) -> None:
    del record.reads[0].visible[2]


def show_a_message_twice(record: Record) -> None:
    record.reads[0].visible.insert(3, record.reads[0].visible[2])


def show_a_message_that_is_not_there(record: Record) -> None:
    record.reads[0].visible.append(message(99))


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (drop_from_the_log, ViolationKind.LOST),
        (drop_from_the_log, ViolationKind.GAP),
        (cut_the_end_of_the_log, ViolationKind.LOST),
        (write_twice, ViolationKind.DUPLICATED),
        (swap_in_the_log, ViolationKind.REORDERED),
        (turn_the_clock_back, ViolationKind.REORDERED),
        (say_later_what_came_first, ViolationKind.REORDERED),
        (answer_with_another_id, ViolationKind.ALTERED),
        (answer_a_repeat_with_another_seq, ViolationKind.REORDERED),
        (lose_what_a_client_kept, ViolationKind.LOST),
        (write_what_nobody_said, ViolationKind.UNEXPECTED),
        (skip_for_a_reader, ViolationKind.GAP),
        (give_a_reader_something_twice, ViolationKind.DUPLICATED),
        (give_a_reader_two_in_the_wrong_order, ViolationKind.REORDERED),
        (give_a_reader_other_words, ViolationKind.ALTERED),
        (stop_giving_to_a_reader, ViolationKind.LOST),
        (show_an_edited_message_as_it_was, ViolationKind.ALTERED),
        (hide_a_message, ViolationKind.LOST),
        (show_a_message_twice, ViolationKind.DUPLICATED),
        (show_a_message_that_is_not_there, ViolationKind.UNEXPECTED),
    ],
)
def test_damage_is_found(record: Record, damage: Callable[[Record], None], fault: ViolationKind) -> None:
    damage(record)
    assert fault in record.faults()


def test_a_room_whose_log_is_gone_is_lost_and_not_overlooked(record: Record) -> None:
    faults = [finding.kind for finding in find_violations({}, record.said, [])]
    assert faults.count(ViolationKind.LOST) == sum(bool(said.acks) for said in record.said)


@given(st.permutations(range(1, 9)))
def test_any_order_but_the_right_one_is_found(order: list[int]) -> None:
    log = [message(seq) for seq in range(1, 9)]
    read = ReadRecord(ROOM, "reader", [message(seq) for seq in order], 0, [message(seq) for seq in range(1, 9)])
    said = [SentMessage(ROOM, entry.member_id, extract_marker(entry.message), [answer(entry)]) for entry in log]
    assert bool(find_violations({ROOM: log}, said, [read])) == (order != sorted(order))


@given(st.lists(st.integers(1, 8), max_size=12))
def test_a_reader_that_got_anything_but_the_log_is_found(got: list[int]) -> None:
    log = [message(seq) for seq in range(1, 9)]
    read = ReadRecord(ROOM, "reader", [message(seq) for seq in got], 0, [message(seq) for seq in range(1, 9)])
    said = [SentMessage(ROOM, entry.member_id, extract_marker(entry.message), [answer(entry)]) for entry in log]
    assert bool(find_violations({ROOM: log}, said, [read])) == (got != list(range(1, 9)))
