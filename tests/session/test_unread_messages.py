"""Unread counts, the unread divider and the next unread room of a chat session."""

from tests.support.chat_session import displayed_texts
from tests.support.fake_room import ANN, BOB, FakeRoom
from tui_chat.client import events
from tui_chat.protocol.events import Edit
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.store.composer_store import SavedRoomState


def test_messages_in_an_unviewed_room_are_unread_below_a_divider(session: ChatSession) -> None:
    tea = FakeRoom("tea").join("one")
    view = session.add_room(tea)
    session.set_viewed(True)
    tea.push_message(session, "two")
    assert view.unread_count == 0
    session.set_viewed(False)
    tea.push_message(session, "three")
    tea.push_message(session, "hey @Ann")
    tea.push_message(session, "mine from elsewhere", ANN)
    assert (view.unread_count, view.mention_count) == (2, 1)
    assert displayed_texts(session) == ["one", "two", "--", "three", "hey @Ann", "mine from elsewhere"]
    session.set_viewed(True)
    assert (view.unread_count, view.mention_count) == (0, 0)
    assert "--" in displayed_texts(session)
    session.set_viewed(False)
    assert "--" not in displayed_texts(session)


def test_messages_after_the_saved_read_marker_are_unread(session: ChatSession) -> None:
    tea = FakeRoom("tea").join("one", "two", "ann: three")
    session.add_room(FakeRoom("dev").join())
    view = session.add_room(tea, SavedRoomState(read_seq=1), show=False)
    assert (view.unread_count, view.mention_count) == (2, 1)
    session.show_room("tea")
    session.set_viewed(True)
    assert displayed_texts(session) == ["one", "--", "two", "ann: three"]
    assert (view.unread_count, view.read_seq) == (0, 3)
    ops_view = session.add_room(FakeRoom("ops").join("one"), SavedRoomState(read_seq=40), show=False)
    assert ops_view.unread_count == 0


def test_messages_missed_while_disconnected_are_below_a_divider_in_a_viewed_room(session: ChatSession) -> None:
    tea = FakeRoom("tea").join("one")
    view = session.add_room(tea)
    session.set_viewed(True)
    tea.push_message(session, "two")
    assert "--" not in displayed_texts(session)
    for text in ("three", "four"):
        message = tea.message(tea.log.last + 1, text)
        tea.log.apply_push(message)
    session.apply(events.LogChanged("tea", (3, 4), is_live=False))
    assert displayed_texts(session) == ["one", "two", "--", "three", "four"]
    assert view.unread_count == 0


def test_an_edit_does_not_increase_the_unread_count(session: ChatSession) -> None:
    tea = FakeRoom("tea").join()
    view = session.add_room(tea)
    seq = tea.push_message(session, "two")
    edit = Edit(
        room="tea",
        seq=seq + 1,
        id=seq + 1,
        ts=2,
        member_id=BOB.member_id,
        nick_name=BOB.nick_name,
        target=seq,
        message="three",
    )
    session.apply(events.LogChanged("tea", tea.log.apply_push(edit), True))
    assert displayed_texts(session) == ["--", "three"]
    assert view.unread_count == 1


def test_rooms_cycle_in_order_and_the_next_unread_room_prefers_mentions(session: ChatSession) -> None:
    rooms = {name: FakeRoom(name).join() for name in ("tea", "dev", "ops", "art")}
    for room in rooms.values():
        session.add_room(room)
    session.show_room("tea")
    session.cycle_room(-1)
    assert session.current_room is session.find_room("art")
    session.cycle_room(1)
    assert session.current_room is session.find_room("tea")
    session.show_room_number(3)
    assert session.current_room is session.find_room("ops")
    session.show_room_number(9)
    assert session.current_room is session.find_room("ops")
    rooms["art"].push_message(session, "hello")
    rooms["dev"].push_message(session, "@ann?")
    session.show_next_unread()
    assert session.current_room is session.find_room("dev")
    session.set_viewed(True)
    session.show_next_unread()
    assert session.current_room is session.find_room("art")
