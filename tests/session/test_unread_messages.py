"""Unread counts, the unread divider and the next unread room of a chat session."""

from msgspec.structs import replace

from tests.support.chat_session import displayed_texts, queue_message
from tests.support.fake_room import ANN, BOB, FakeRoom
from tui_chat.client import events
from tui_chat.client.sync.log_segment import LogSegment
from tui_chat.protocol.events import Attachment, Edit, MemberRef
from tui_chat.protocol.responses import OwnRoom, ReadState
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.settings.schema import ClientSettings
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


def test_each_message_in_a_direct_room_causes_a_notification_unless_the_room_is_muted() -> None:
    settings = ClientSettings(notify="none", room_notifications={"~muted": "none", "~chosen": "mentions"})
    session = ChatSession(lambda: 1_000, lambda: settings)
    session.add_room(FakeRoom("tea").join())
    for name, is_direct in (("dev", False), ("~direct", True), ("~chosen", True), ("~muted", True)):
        room = FakeRoom(name, is_direct=is_direct).join()
        session.add_room(room, show=False)
        room.push_message(session, f"psst in {name}")
        room.push_message(session, f"mine in {name}", ANN)
    assert [message.content for message in session.pop_notifications()] == ["psst in ~direct", "psst in ~chosen"]


def test_a_notification_has_the_text_and_the_files_of_its_message(session: ChatSession) -> None:
    room = FakeRoom("~direct", is_direct=True).join()
    session.add_room(FakeRoom("tea").join())
    session.add_room(room, show=False)
    file = Attachment(id="u1", name="a.txt", type="text/plain", size=5, path="")
    room.log.apply_push(replace(room.message(1, "look", BOB), attachments=[file]))
    session.apply(events.LogChanged("~direct", (1,), True))
    (notification,) = session.pop_notifications()
    assert notification.content == "look\nthe file a.txt, text/plain, 5 B"


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
    assert session.find_next_unread() == "dev"
    session.show_room("dev")
    session.set_viewed(True)
    assert session.find_next_unread() == "art"


def own_room(name: str, title: str | None = None, direct: list[MemberRef] | None = None) -> OwnRoom:
    read = ReadState(seq=1, unread=3, mentions=1)
    return OwnRoom(name=name, role="member", last_seq=9, read=read, title=title, direct=direct)


def set_read_marker(session: ChatSession, room: FakeRoom, marker: events.ReadMarker) -> None:
    previous, room.read_marker.state = room.read_marker.state, marker
    session.apply(events.ReadMarkerChanged(room.name, marker, previous))


def test_the_marker_of_the_account_replaces_the_saved_one_and_counts_messages_that_are_not_loaded(
    session: ChatSession,
) -> None:
    dev = FakeRoom("dev").join()
    session.add_room(dev)
    tea = FakeRoom("tea").join("one", "hey @ann", "three")
    tea.read_marker.state = events.ReadMarker(1, 2, 1, last_seq=3)
    view = session.add_room(tea, SavedRoomState(read_seq=3), show=False)
    assert (view.read_seq, view.unread_count, view.mention_count) == (1, 2, 1)
    tea.push_message(session, "four")
    assert (view.unread_count, view.mention_count) == (3, 1)

    set_read_marker(session, tea, events.ReadMarker(3, 1, 0, last_seq=4))
    assert (view.read_seq, view.unread_count, view.mention_count) == (3, 1, 0)

    ops = FakeRoom("ops").join("one", "two")
    ops.log.trim(1)
    ops.read_marker.state = events.ReadMarker(0, 80, 5, last_seq=2)
    ops_view = session.add_room(ops, show=False)
    assert (ops_view.unread_count, ops_view.mention_count) == (80, 5)
    ops.push_message(session, "@ann")
    assert (ops_view.unread_count, ops_view.mention_count) == (81, 6)
    ops.log.restore(LogSegment(((ops.message(1, "one"), 1),), (), ((1, 1),)))
    session.apply(events.LogChanged("ops", (1,), is_live=False))
    assert (ops_view.unread_count, ops_view.mention_count) == (81, 6)


def test_a_viewed_room_ignores_outdated_markers_but_stays_unread_after_a_marker_was_moved_back(
    session: ChatSession,
) -> None:
    session.add_room(FakeRoom("dev").join())
    tea = FakeRoom("tea").join("one", "two", "three")
    tea.read_marker.state = events.ReadMarker(2, 1, 0, last_seq=3)
    view = session.add_room(tea)
    session.set_viewed(True)
    set_read_marker(session, tea, events.ReadMarker(2, 1, 0, last_seq=3))
    assert (view.read_seq, view.unread_count) == (3, 0)

    set_read_marker(session, tea, events.ReadMarker(1, 2, 0, last_seq=3))
    session.set_viewed(True)
    assert (view.read_seq, view.unread_count) == (1, 2)
    assert displayed_texts(session) == ["one", "--", "two", "three"]
    tea.push_message(session, "four")
    assert view.unread_count == 3
    session.show_room("dev")
    session.show_room("tea")
    session.set_viewed(True)
    assert (view.read_seq, view.unread_count) == (4, 0)

    session.mark_unread(view, 3)
    session.set_viewed(True)
    assert view.unread_count == 1
    queue_message(session, "mine")
    session.set_viewed(True)
    assert (view.read_seq, view.unread_count) == (4, 0)


def test_rooms_of_the_account_that_are_not_open_are_listed_with_counts(session: ChatSession) -> None:
    tea = FakeRoom("tea").join()
    session.add_room(tea)
    ben = MemberRef(member_id="ben", nick_name="Ben", account="benjamin")
    rooms = [own_room("~direct", direct=[ben]), own_room("Tea"), own_room("~team", title="Team"), own_room("dev")]
    session.set_durable_rooms(rooms)
    assert [(room.title, room.is_direct) for room in session.closed_rooms] == [
        ("Team", False),
        ("dev", False),
        ("Ben", True),
    ]
    assert session.durable_rooms.direct_contacts == [ben]
    session.apply(events.ReadMarkerChanged("Dev", events.ReadMarker(9, 0, 0), None))
    assert [room.unread_count for room in session.closed_rooms] == [3, 0, 3]
    assert session.find_next_unread() == "~team"
    tea.push_message(session, "one")
    session.add_room(FakeRoom("dev").join())
    session.set_viewed(True)
    assert session.find_next_unread() == "~team"
    session.set_durable_rooms([])
    assert (session.closed_rooms, session.find_next_unread()) == ([], "tea")
