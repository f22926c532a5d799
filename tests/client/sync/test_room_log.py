from time import thread_time

import pytest
from msgspec.structs import replace

from tests.support.model_room import ROOM, ModelRoom
from tests.support.reactions import reacting_members
from tui_chat.client.sync import room_log
from tui_chat.client.sync.room_log import MAX_BUFFERED_PUSHES, RoomLog
from tui_chat.client.sync.seq_ranges import Gap
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import History
from tui_chat.protocol.responses import ObserveResponse


def texts(log: RoomLog) -> list[str]:
    return [message.message for message in log.messages()]


def make_room(messages: int) -> ModelRoom:
    room = ModelRoom()
    for number in range(1, messages + 1):
        room.add_message(f"m{number}")
    return room


def make_joined_log(room: ModelRoom, limit: int = 50) -> RoomLog:
    log = RoomLog()
    log.apply_join(room.join(None, limit), None)
    return log


def test_entries_that_the_server_removed_are_no_gap() -> None:
    room = make_room(40)
    log = make_joined_log(room, limit=10)
    request = History(room=ROOM, before=6, limit=4)
    log.apply_page(room.fetch_page(request), request)
    assert log.has_older
    (gap,) = log.gaps()
    request = History(room=ROOM, before=31, limit=1)
    log.apply_page(replace(room.fetch_page(request), first_seq=gap.after + 3), request)
    assert not log.has_older
    assert log.gaps() == (Gap(gap.after + 2, 30),)
    request = History(room=ROOM, before=30, limit=1)
    log.apply_page(replace(room.fetch_page(request), first_seq=29), request)
    assert log.gaps() == ()


def test_pushes_apply_in_order_and_duplicates_are_dropped() -> None:
    room = make_room(2)
    log = make_joined_log(room)
    third = room.add_message("m3")
    assert log.apply_push(third) == (3,)
    assert log.apply_push(third) == ()
    assert texts(log) == ["m1", "m2", "m3"]


def test_a_push_ahead_of_the_log_is_buffered_until_the_gap_closes() -> None:
    room = make_room(2)
    log = make_joined_log(room)
    room.add_message("m3")
    assert log.apply_push(room.add_message("m4")) == ()
    assert log.missing_after() == 2
    request = History(room=ROOM, after=2)
    assert log.apply_page(room.fetch_page(request), request) == (3, 4)
    assert log.missing_after() is None
    assert texts(log) == ["m1", "m2", "m3", "m4"]


def test_pushes_before_the_join_response_are_applied_after_it() -> None:
    room = make_room(1)
    log = RoomLog()
    response = room.join(None, 50)
    log.apply_push(room.add_message("m2"))
    assert texts(log) == []
    assert log.apply_join(response, None) == (1, 2)


def test_fetched_pages_complete_pushes_beyond_the_buffer() -> None:
    room = make_room(1)
    log = make_joined_log(room)
    room.add_message("lost")
    for number in range(MAX_BUFFERED_PUSHES + 5):
        log.apply_push(room.add_message(f"p{number}"))
    while (after := log.missing_after()) is not None:
        request = History(room=ROOM, after=after, limit=200)
        log.apply_page(room.fetch_page(request), request)
    assert list(log.messages()) == room.current_messages()


def test_pages_close_a_rejoin_gap_from_either_end() -> None:
    room = make_room(3)
    log = make_joined_log(room)
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


def test_messages_missed_in_an_empty_room_are_a_gap() -> None:
    room = ModelRoom()
    log = make_joined_log(room)
    log.on_disconnected()
    for number in range(5):
        room.add_message(f"m{number}")
    log.apply_join(room.join(0, 2), 0)
    assert log.gaps() == (Gap(after=0, before=4),)
    assert not log.has_older


def test_has_older_is_true_until_the_first_entry_is_loaded() -> None:
    room = make_room(10)
    log = make_joined_log(room, limit=4)
    assert log.has_older
    request = History(room=ROOM, before=log.first, limit=6)
    assert log.apply_page(room.fetch_page(request), request) == (1, 2, 3, 4, 5, 6)
    assert not log.has_older
    assert [message.seq for message in log.messages(3, 5)] == [3, 4, 5]


def test_changes_from_a_gap_apply_before_later_changes() -> None:
    room = make_room(1)
    log = make_joined_log(room)
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
    assert reacting_members(log[1]) == {"👍": ["b", "c"]}


def test_a_change_pushed_during_a_page_request_is_not_lost() -> None:
    room = make_room(10)
    log = make_joined_log(room, limit=2)
    request = History(room=ROOM, before=log.first)
    response = room.fetch_page(request)
    log.apply_push(room.add_edit(3, "changed meanwhile"))
    log.apply_page(response, request)
    assert log[3].message == "changed meanwhile"


def test_a_reset_discards_the_old_log_and_keeps_buffered_pushes() -> None:
    log = make_joined_log(make_room(9))
    log.on_disconnected()
    other = ModelRoom()
    response = other.join(None, 50)
    log.apply_push(other.add_message("new here"))
    log.reset()
    log.apply_join(response, None)
    assert texts(log) == ["new here"]
    assert log.last == 1


def test_applying_a_push_has_constant_cost_over_100000_messages() -> None:
    log = make_joined_log(ModelRoom())
    entries = [
        Message(room=ROOM, seq=seq, id=seq, ts=seq, member_id="a", nick_name="ann", message="hi")
        for seq in range(1, 100_001)
    ]
    halves: list[float] = []
    for half in (entries[:50_000], entries[50_000:]):
        start = thread_time()
        for entry in half:
            log.apply_push(entry)
        halves.append(thread_time() - start)
    assert len(log) == 100_000
    assert halves[1] < 4 * halves[0]


def test_dirty_entries_are_not_trimmed() -> None:
    room, log = ModelRoom(), RoomLog()
    log.track_changes()
    for _ in range(5):
        room.add_message()
    log.apply_join(room.join(None, 50), None)
    log.pop_dirty()
    log.apply_push(room.add_edit(1, "otherwise"))
    assert not log.trim(2)
    dirty = log.pop_dirty()
    assert [(message.message, as_of) for message, as_of in dirty.messages] == [("otherwise", 6)]
    assert log.trim(2)
    assert [message.seq for message in log.messages()] == [4, 5]
    assert log.has_older


def test_unsaved_changes_are_returned_in_segments_and_restore_an_equal_log() -> None:
    room, log = make_room(5), RoomLog()
    log.track_changes()
    assert not log.is_dirty
    log.apply_join(room.join(None, 50), None)
    segments = [log.pop_dirty(2), log.pop_dirty(2), log.pop_dirty(2)]
    assert not log.is_dirty
    assert [[message.seq for message, _ in segment.messages] for segment in segments] == [[1, 2], [3, 4], [5]]
    assert [segment.ranges for segment in segments] == [(), (), ((0, 5),)]
    assert {as_of for segment in segments for _, as_of in segment.messages} == {5}
    log.apply_push(room.add_edit(2, "edited"))
    assert log.is_dirty
    segments.append(log.pop_dirty())
    restored = RoomLog()
    restored.track_changes()
    assert [restored.restore(segment) for segment in segments] == [(1, 2), (3, 4), (5,), (2,)]
    assert [restored.restore(segment) for segment in segments] == [(), (), (), ()]
    assert not restored.is_dirty
    assert list(restored.messages()) == list(log.messages()) == room.current_messages()
    assert (len(restored), restored.last, 5 in restored, 6 in restored) == (5, 6, True, False)
    restored.apply_join(room.join(6, 50), 6)
    assert restored.apply_push(room.add_message("new")) == (7,)
    assert restored.is_dirty


def test_a_join_sets_the_identity_of_the_log_and_of_the_user() -> None:
    room, log = make_room(1), RoomLog()
    assert (log.log_id, log.member_id, log.first, log.last, log.has_older) == ("", "", 1, 0, False)
    response = room.join(None, 50)
    log.apply_join(response, None)
    assert (log.log_id, log.member_id, log.first_stored) == ("log", "a", 1)
    with pytest.raises(KeyError):
        log[2]
    observed = ObserveResponse(room=response.room, members=[], messages=response.messages, has_more=False)
    log.apply_join(observed, None)
    assert log.member_id == ""


def test_a_disconnect_discards_buffered_pushes() -> None:
    room = make_room(1)
    log = make_joined_log(room)
    room.add_message("missed")
    log.apply_push(room.add_message("buffered"))
    assert log.missing_after() == 1
    log.on_disconnected()
    assert log.missing_after() is None
    log.apply_push(room.add_message("later"))
    assert log.missing_after() is None
    request = History(room=ROOM, after=1, limit=1)
    assert log.apply_page(room.fetch_page(request), request) == (2,)
    assert texts(log) == ["m1", "missed"]


def test_the_first_message_at_or_after_a_time_is_found() -> None:
    room = make_room(2)
    room.add_edit(1, "edited")
    room.add_message("last")
    log = make_joined_log(room)
    assert [log.find_seq_at(ts) for ts in (0, 1, 2, 3, 4, 5)] == [1, 1, 2, 4, 4, 4]
    assert RoomLog().find_seq_at(1) is None


def test_changes_above_the_limit_of_the_least_recently_changed_target_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room_log, "MAX_PENDING_CHANGES", 2)
    room = make_room(3)
    log = make_joined_log(room, limit=1)
    request = History(room=ROOM, before=3)
    outdated_page = room.fetch_page(request)
    for target, text in ((1, "first"), (2, "dropped"), (1, "second")):
        assert log.apply_push(room.add_edit(target, text)) == ()
    log.apply_page(outdated_page, request)
    assert texts(log) == ["second", "m2", "m3"]
    log.apply_page(room.fetch_page(request), request)
    assert list(log.messages()) == room.current_messages()


def test_changes_above_the_limit_of_a_loaded_message_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_log, "MAX_PENDING_CHANGES", 2)
    room = make_room(2)
    log = make_joined_log(room)
    log.on_disconnected()
    room.add_message("missed")
    room.add_message("m4")
    outdated_page = room.fetch_page(request := History(room=ROOM, after=0))
    log.apply_join(room.join(2, 1), 2)
    for target, text in ((1, "first"), (2, "merged"), (1, "second")):
        assert log.apply_push(room.add_edit(target, text)) == (target,)
    assert texts(log) == ["second", "merged", "m4"]
    log.apply_page(outdated_page, request)
    assert list(log.messages()) == room.current_messages()
