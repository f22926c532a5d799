from time import perf_counter

from tests.support.model_room import ROOM, ModelRoom
from tui_chat.client.sync.room_log import MAX_BUFFERED_PUSHES, RoomLog
from tui_chat.client.sync.seq_ranges import Gap
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import History


def texts(log: RoomLog) -> list[str]:
    return [message.message for message in log.messages()]


def a_room(messages: int) -> ModelRoom:
    room = ModelRoom()
    for number in range(1, messages + 1):
        room.add_message(f"m{number}")
    return room


def a_joined_log(room: ModelRoom, limit: int = 50) -> RoomLog:
    log = RoomLog()
    log.apply_join(room.join(None, limit), None)
    return log


def test_pushes_are_applied_in_order_and_repeats_dropped() -> None:
    room = a_room(2)
    log = a_joined_log(room)
    third = room.add_message("m3")
    assert log.apply_push(third) == (3,)
    assert log.apply_push(third) == ()
    assert texts(log) == ["m1", "m2", "m3"]


def test_a_push_that_runs_ahead_waits_for_what_is_between() -> None:
    room = a_room(2)
    log = a_joined_log(room)
    room.add_message("m3")
    assert log.apply_push(room.add_message("m4")) == ()
    assert log.missing_after() == 2
    request = History(room=ROOM, after=2)
    assert log.apply_page(room.fetch_page(request), request) == (3, 4)
    assert log.missing_after() is None
    assert texts(log) == ["m1", "m2", "m3", "m4"]


def test_pushes_before_the_answer_to_the_join_come_after_it() -> None:
    room = a_room(1)
    log = RoomLog()
    answer = room.join(None, 50)
    log.apply_push(room.add_message("m2"))
    assert texts(log) == []
    assert log.apply_join(answer, None) == (1, 2)


def test_what_cannot_be_held_is_fetched() -> None:
    room = a_room(1)
    log = a_joined_log(room)
    room.add_message("lost")
    for number in range(MAX_BUFFERED_PUSHES + 5):
        log.apply_push(room.add_message(f"p{number}"))
    while (after := log.missing_after()) is not None:
        request = History(room=ROOM, after=after, limit=200)
        log.apply_page(room.fetch_page(request), request)
    assert list(log.messages()) == room.current_messages()


def test_a_return_that_does_not_reach_back_leaves_a_gap_which_pages_close_from_either_end() -> None:
    room = a_room(3)
    log = a_joined_log(room)
    log.on_disconnected()
    for number in range(4, 21):
        room.add_message(f"m{number}")
    log.apply_join(room.join(3, 5), 3)
    assert log.gaps() == (Gap(after=3, before=16),)
    assert log.gaps()[0].missing_count == 12
    for request in (History(room=ROOM, before=16, limit=4), History(room=ROOM, after=3, limit=4)):
        log.apply_page(room.fetch_page(request), request)
    assert log.gaps() == (Gap(after=7, before=12),)
    request = History(room=ROOM, before=12, limit=4)
    log.apply_page(room.fetch_page(request), request)
    assert log.gaps() == ()
    assert list(log.messages()) == room.current_messages()


def test_what_was_missed_in_a_room_that_was_empty_is_a_gap() -> None:
    room = ModelRoom()
    log = a_joined_log(room)
    log.on_disconnected()
    for number in range(5):
        room.add_message(f"m{number}")
    log.apply_join(room.join(0, 2), 0)
    assert log.gaps() == (Gap(after=0, before=4),)
    assert not log.has_older


def test_older_history_is_there_until_the_first_entry_is_held() -> None:
    room = a_room(10)
    log = a_joined_log(room, limit=4)
    assert log.has_older
    request = History(room=ROOM, before=log.first, limit=6)
    assert log.apply_page(room.fetch_page(request), request) == (1, 2, 3, 4, 5, 6)
    assert not log.has_older
    assert [message.seq for message in log.messages(3, 5)] == [3, 4, 5]


def test_a_change_found_in_a_gap_takes_its_place_before_a_later_one() -> None:
    room = a_room(1)
    log = a_joined_log(room)
    log.on_disconnected()
    room.add_edit(1, "first edit")
    room.add_reaction(1, "👍", "b", True)
    room.add_message("m4")
    log.apply_join(room.join(1, 1), 1)
    assert log.gaps() == (Gap(after=1, before=4),)
    assert log.apply_push(room.add_reaction(1, "👍", "c", True)) == (1,)
    request = History(room=ROOM, before=4)
    log.apply_page(room.fetch_page(request), request)
    assert log[1].message == "first edit"
    assert log[1].reactions == {"👍": ["b", "c"]}


def test_a_change_made_while_a_page_travels_is_not_lost() -> None:
    room = a_room(10)
    log = a_joined_log(room, limit=2)
    request = History(room=ROOM, before=log.first)
    answer = room.fetch_page(request)
    log.apply_push(room.add_edit(3, "changed meanwhile"))
    log.apply_page(answer, request)
    assert log[3].message == "changed meanwhile"


def test_another_log_replaces_what_was_held_but_not_what_is_pushed_of_it() -> None:
    log = a_joined_log(a_room(9))
    log.on_disconnected()
    other = ModelRoom()
    answer = other.join(None, 50)
    log.apply_push(other.add_message("new here"))
    log.reset()
    log.apply_join(answer, None)
    assert texts(log) == ["new here"]
    assert log.last == 1


def test_a_hundred_thousand_messages_are_taken_in_at_a_constant_cost_each() -> None:
    log = a_joined_log(ModelRoom())
    entries = [
        Message(room=ROOM, seq=seq, id=seq, ts=seq, member_id="a", nick_name="ann", message="hi")
        for seq in range(1, 100_001)
    ]
    halves: list[float] = []
    for half in (entries[:50_000], entries[50_000:]):
        start = perf_counter()
        for entry in half:
            log.apply_push(entry)
        halves.append(perf_counter() - start)
    assert len(log) == 100_000
    assert halves[1] < 4 * halves[0]


def test_what_is_not_put_aside_is_not_let_go() -> None:
    room, log = ModelRoom(), RoomLog()
    log.track_changes()
    for _ in range(5):
        room.add_message()
    log.apply_join(room.join(None, 50), None)
    log.pop_dirty()
    log.apply_push(room.add_edit(1, "otherwise"))
    assert not log.trim(2)
    put_aside = log.pop_dirty()
    assert [(message.message, as_of) for message, as_of in put_aside.messages] == [("otherwise", 6)]
    assert log.trim(2)
    assert [message.seq for message in log.messages()] == [4, 5]
    assert log.has_older
