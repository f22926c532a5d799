"""Model test of the cursor: messages are lost, duplicated, delayed and reordered."""

from hypothesis import given, strategies as st

from server.cluster import log_cursor
from server.cluster.log_cursor import LogCursor
from tui_chat.protocol.events import Message


def build_entries(count: int, first_id: int = 1) -> list[Message]:
    return [
        Message(room="tea", seq=seq, id=first_id + seq, nick_name="a", member_id="a", message="", ts=0)
        for seq in range(1, count + 1)
    ]


@given(data=st.data(), count=st.integers(1, 30), max_waiting=st.integers(0, 6))
def test_each_entry_is_delivered_once_in_order(data: st.DataObject, count: int, max_waiting: int) -> None:
    log = build_entries(count)
    start = data.draw(st.integers(0, count), "start")
    ranges = st.tuples(st.integers(0, count - 1), st.integers(1, 5))
    messages = data.draw(st.lists(ranges, max_size=40), "messages")
    start_index = data.draw(st.integers(0, len(messages)), "messages before the start")
    cursor = LogCursor()
    delivered: list[int] = []
    original, log_cursor.MAX_WAITING_ENTRIES = log_cursor.MAX_WAITING_ENTRIES, max_waiting
    try:
        for index, (first, length) in enumerate([*messages, (0, 0)]):
            if index == start_index:
                delivered += [entry.seq for entry in cursor.start(start, log[start - 1].id if start else 0)]
            delivered += [entry.seq for entry in cursor.offer(log[first : first + length])]
        assert delivered == list(range(start + 1, start + 1 + len(delivered)))
        cursor.announce(count)
        while cursor.has_gap:
            seq = cursor.delivered_seq or 0
            delivered += [entry.seq for entry in cursor.offer(log[seq : seq + 3])]
    finally:
        log_cursor.MAX_WAITING_ENTRIES = original
    assert delivered == list(range(start + 1, count + 1))
    assert not cursor.is_replaced


def test_removed_entries_are_skipped_and_waiting_ones_follow() -> None:
    log = build_entries(6)
    cursor = LogCursor()
    cursor.start(2, log[1].id)
    assert cursor.offer(log[5:]) == []
    assert cursor.skip_to(5) == log[5:]
    assert cursor.offer(log[:5]) == []
    assert not cursor.has_gap
    assert not cursor.is_replaced


def test_an_old_seq_with_a_new_id_belongs_to_another_log() -> None:
    cursor = LogCursor()
    cursor.start(3, build_entries(3)[-1].id)
    assert cursor.offer(build_entries(1, first_id=10)) == []
    assert cursor.is_replaced
