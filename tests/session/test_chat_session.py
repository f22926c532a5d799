from dataclasses import replace
from uuid import uuid4

import pytest
from msgspec import convert

from tests.support.fake_room import ANN, BOB, FakeRoom
from tui_chat.client import events
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.errors import ChatError, Forbidden, NotFound, Unavailable
from tui_chat.protocol.events import Edit, JoinNotice, LeaveNotice, Member, NickNotice
from tui_chat.protocol.requests import EditMessage, SendMessage
from tui_chat.session import room_index
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.lines import DeliveryState, MessageLine, NoticeLine, UnreadLine
from tui_chat.session.room_index import SPEAKER_PERIOD
from tui_chat.session.screen_delta import DirtyPart
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.store.composer_store import SavedRoomState


@pytest.fixture
def session() -> ChatSession:
    return ChatSession(lambda: 1_000)


def queue_message(session: ChatSession, text: str, room: str = "tea") -> OutboxItem:
    """Apply the event of a queued message and return its outbox item."""
    client_id = uuid4()
    item = OutboxItem(room, client_id, SendMessage(room=room, message=text, client_id=client_id), 1_000)
    session.apply(events.OutboxItemChanged(item))
    return item


def acknowledge(session: ChatSession, item: OutboxItem, seq: int) -> None:
    session.apply(events.OutboxItemChanged(replace(item, state=OutboxItemState.SENT, seq=seq, server_ts=5)))


def mark_failed(session: ChatSession, item: OutboxItem, error: ChatError) -> OutboxItem:
    item = replace(item, state=OutboxItemState.FAILED, error=error)
    session.apply(events.OutboxItemChanged(item))
    return item


def displayed_texts(session: ChatSession) -> list[str]:
    assert session.current_room is not None
    displayed: list[str] = []
    for line in session.current_room.transcript.lines:
        match line:
            case MessageLine():
                displayed.append(
                    line.text if line.delivery is DeliveryState.SENT else f"{line.text} ({line.delivery.value})"
                )
            case NoticeLine():
                displayed.append(f"* {line.text}")
            case UnreadLine():
                displayed.append("--")
            case _:
                displayed.append("gap")
    return displayed


def test_a_joined_room_shows_its_history_as_read(session: ChatSession) -> None:
    view = session.add_room(FakeRoom("tea").join("one", "two"))
    assert displayed_texts(session) == ["one", "two"]
    assert view.unread_count == 0
    assert DirtyPart.ROOM in session.pop_delta().parts


def test_a_sent_message_is_pending_and_then_appears_once(session: ChatSession) -> None:
    room = FakeRoom("tea").join("one")
    session.add_room(room)
    session.set_viewed(True)
    item = queue_message(session, "mine")
    assert displayed_texts(session) == ["one", "mine (pending)"]
    room.push_message(session, "two")
    assert displayed_texts(session) == ["one", "two", "mine (pending)"]
    acknowledge(session, item, 3)
    assert displayed_texts(session) == ["one", "two", "mine"]
    room.push_message(session, "mine", ANN)
    assert displayed_texts(session) == ["one", "two", "mine"]
    assert session.pending_count == 0


def test_an_echo_before_its_ack_is_not_duplicated(session: ChatSession) -> None:
    room = FakeRoom("tea").join()
    session.add_room(room)
    item = queue_message(session, "mine")
    seq = room.push_message(session, "mine", ANN)
    assert displayed_texts(session) == ["mine"]
    acknowledge(session, item, seq)
    assert displayed_texts(session) == ["mine"]


def test_an_equal_text_from_another_terminal_does_not_hide_a_failed_message(session: ChatSession) -> None:
    room = FakeRoom("tea").join()
    session.add_room(room)
    item = queue_message(session, "mine")
    room.push_message(session, "mine", ANN)
    mark_failed(session, item, NotFound("message_not_found"))
    assert displayed_texts(session) == ["mine", "mine (failed)"]


def test_a_failed_message_shows_its_error_and_is_found_by_its_line_key(session: ChatSession) -> None:
    view = session.add_room(FakeRoom("tea").join())
    item = mark_failed(session, queue_message(session, "mine"), NotFound("message_not_found"))
    line = view.transcript.lines[-1]
    assert isinstance(line, MessageLine)
    assert (line.delivery, line.problem) == (DeliveryState.FAILED, "No such message.")
    assert session.unsent_client_id(line.key) == item.client_id
    assert session.unsent_client_id("message-1") is None
    assert session.pending_count == 0
    resent = queue_message(session, "mine")
    session.apply(events.OutboxItemChanged(replace(item, state=OutboxItemState.DROPPED)))
    assert displayed_texts(session) == ["mine (pending)"]
    assert session.pending_count == 1
    acknowledge(session, resent, 1)
    assert session.pending_count == 0


def test_unsent_messages_of_an_earlier_run_appear_below_the_history(session: ChatSession) -> None:
    items = [queue_message(session, "nobody is there yet"), queue_message(session, "second")]
    assert session.pending_count == 0
    failed_item = replace(items[1], state=OutboxItemState.FAILED, error=NotFound("message_not_found"))
    room = FakeRoom("tea", unsent_items=(items[0], failed_item)).join("one")
    session.add_room(room)
    assert displayed_texts(session) == ["one", "nobody is there yet (pending)", "second (failed)"]
    assert session.pending_count == 1
    session.remove_room("tea")
    assert session.pending_count == 0


def test_a_rejected_edit_is_reported_with_its_text(session: ChatSession) -> None:
    session.add_room(FakeRoom("tea").join("one"))
    item = OutboxItem("tea", uuid4(), EditMessage(room="tea", seq=1, message="otherwise"), 1)
    session.apply(events.OutboxItemChanged(item))
    assert session.pending_count == 1
    mark_failed(session, item, Forbidden("unknown", message="it is not yours"))
    assert session.pending_count == 0
    assert displayed_texts(session) == ["one", "* Change rejected: it is not yours · otherwise"]


def test_a_persistence_failure_is_shown_in_the_next_joined_room(session: ChatSession) -> None:
    session.apply(events.ProblemReported(Unavailable("outbox_unsaved", problem="disk full")))
    session.add_room(FakeRoom("tea").join("one"))
    assert displayed_texts(session) == ["one", "* Unsent messages cannot be saved and are lost on exit: disk full."]


def test_a_repeated_persistence_failure_is_shown_once() -> None:
    session = ChatSession(lambda: 0)
    session.add_room(FakeRoom("tea").join())
    for reason in ("outbox_unsaved", "outbox_unsaved", "history_unsaved"):
        session.apply(events.ProblemReported(Unavailable(reason, problem="disk full")))
    view = session.current_room
    assert view is not None
    assert [line.text for line in view.transcript.lines if isinstance(line, NoticeLine)] == [
        "Unsent messages cannot be saved and are lost on exit: disk full.",
        "The message history cannot be saved on this computer: disk full.",
    ]


def test_trimmed_log_entries_are_removed_from_the_transcript(session: ChatSession) -> None:
    room = FakeRoom("tea").join(*(str(number) for number in range(10)))
    session.add_room(room)
    room.log.trim(3)
    session.trim_room("tea")
    assert displayed_texts(session) == ["7", "8", "9"]


def test_an_ack_is_applied_to_the_room_of_its_message(session: ChatSession) -> None:
    session.add_room(FakeRoom("tea").join())
    item = queue_message(session, "for tea")
    session.add_room(FakeRoom("dev").join())
    acknowledge(session, item, 1)
    assert displayed_texts(session) == []
    session.show_room("tea")
    assert displayed_texts(session) == ["for tea"]


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


def test_leaving_the_current_room_shows_the_previous_room(session: ChatSession) -> None:
    for name in ("tea", "dev", "ops"):
        session.add_room(FakeRoom(name).join())
    session.remove_room("OPS")
    assert session.current_room is session.find_room("dev")
    session.apply(events.RoomLost("dev", Forbidden("unknown", message="you were removed")))
    assert displayed_texts(session) == ["* You are no longer in dev: you were removed"]
    session.remove_room("tea")
    assert session.current_room is None


def test_the_delta_contains_only_splices_of_the_current_room(session: ChatSession) -> None:
    tea, dev = FakeRoom("tea").join(), FakeRoom("dev").join()
    session.add_room(tea)
    session.add_room(dev)
    session.pop_delta()
    tea.push_message(session, "for later")
    assert session.pop_delta().splices == []
    dev.push_message(session, "now")
    assert len(session.pop_delta().splices) == 1
    tea.push_message(session, "more")
    session.show_room("tea")
    changes = session.pop_delta()
    assert changes.splices == []
    assert DirtyPart.ROOM in changes.parts


def test_joins_of_other_members_are_shown_and_own_joins_are_not(session: ChatSession) -> None:
    session.add_room(FakeRoom("tea").join()).transcript.set_join_visibility("all")
    for member_id, nick in (("b", "bob"), ("a", "ann"), ("c", "cai")):
        notice = JoinNotice(room="tea", nick_name=nick, member_id=member_id, message="", ts=1)
        session.apply(events.NoticeReceived(notice))
    assert displayed_texts(session) == ["* bob and cai joined"]


def test_joins_follow_the_time_of_the_last_message_and_the_setting() -> None:
    settings = ClientSettings()
    session = ChatSession(lambda: 0, lambda: settings)
    tea = FakeRoom("tea").join()
    view = session.add_room(tea)
    tea.push_message(session, "hello", BOB)
    spoke_at = view.last_message_ts
    late = spoke_at + SPEAKER_PERIOD + 1

    def notify(notice_type: type[JoinNotice | LeaveNotice], member_id: str, nick: str, ts: int) -> None:
        notice = notice_type(room="tea", nick_name=nick, member_id=member_id, message="", ts=ts)
        session.apply(events.NoticeReceived(notice))

    def notices() -> list[str]:
        return [text for text in displayed_texts(session) if text.startswith("* ")]

    notify(JoinNotice, "c", "cai", spoke_at)
    notify(LeaveNotice, BOB.member_id, "bob", spoke_at + SPEAKER_PERIOD)
    assert notices() == ["* bob left"]
    notify(JoinNotice, BOB.member_id, "bob", late)
    renamed = NickNotice(
        room="tea", nick_name="bobby", member_id=BOB.member_id, message="", ts=late, old_nick_name="bob"
    )
    session.apply(events.NoticeReceived(renamed))
    assert notices() == ["* bob left · bob is now bobby"]
    tea.push_message(session, "later", BOB)
    notify(LeaveNotice, "c", "cai", late)
    assert notices() == ["* bob left · bob is now bobby"]
    for joins, expected in (
        ("all", ["* cai joined · bob joined and left · bob is now bobby", "* cai left"]),
        ("none", []),
        ("smart", ["* bob left · bob is now bobby"]),
    ):
        settings = convert({"joins": joins}, ClientSettings)
        session.apply_settings()
        assert notices() == expected


def test_mentions_match_the_new_nickname_after_a_rename(session: ChatSession) -> None:
    tea = FakeRoom("tea").join()
    view = session.add_room(tea)
    renamed = NickNotice(room="tea", nick_name="anna", member_id="a", message="", ts=1, old_nick_name="ann")
    session.apply(events.NoticeReceived(renamed))
    tea.push_message(session, "@ann?")
    assert view.mention_count == 0
    tea.push_message(session, "@anna?")
    assert view.mention_count == 1


def test_typing_members_are_listed_until_they_send_or_leave(session: ChatSession) -> None:
    tea = FakeRoom("tea").join()
    view = session.add_room(tea)
    session.apply(events.TypingChanged("tea", "b", True))
    assert view.typing_nicks == ["bob"]
    tea.push_message(session, "done")
    assert view.typing_nicks == []
    session.apply(events.TypingChanged("tea", "b", True))
    session.apply(events.MembersChanged("tea", (ANN,), 1))
    assert view.typing_nicks == []


def test_floods_of_typing_members_and_speakers_are_bounded(session: ChatSession) -> None:
    guests = {
        f"m{number}": Member(member_id=f"m{number}", nick_name=f"g{number}", role="member") for number in range(200)
    }
    tea = FakeRoom("tea", members=guests).join()
    view = session.add_room(tea)
    for member_id in guests:
        session.apply(events.TypingChanged("tea", member_id, True))
    assert len(view.typing_nicks) == room_index.MAX_TYPING_MEMBERS
    tea.is_basic_server = True
    view.update_members_and_gaps()
    for number in range(room_index.MAX_RECENT_SPEAKERS + 1):
        tea.push_message(session, "hi", Member(member_id=f"s{number}", nick_name=f"s{number}", role="member"))
    assert len(view.other_nicks) == room_index.MAX_RECENT_SPEAKERS
    assert view.other_nicks[-1] == "s1"


def test_completion_lists_the_latest_senders_first(session: ChatSession) -> None:
    cai = Member(member_id="c", nick_name="cai", role="member")
    tea = FakeRoom("tea", members={"a": ANN, "b": BOB, "c": cai}).join("from bob")
    view = session.add_room(tea)
    assert view.other_nicks == ["bob", "cai"]
    tea.push_message(session, "hi", cai)
    assert view.other_nicks == ["cai", "bob"]


def test_messages_of_a_confusable_author_keep_their_mark(session: ChatSession) -> None:
    impostor = Member(member_id="c", nick_name="b\u043eb", role="member", confusable=True)
    tea = FakeRoom("tea").join("from bob")
    view = session.add_room(tea)
    seq = tea.push_message(session, "before the member list", impostor)
    session.apply(events.MembersChanged("tea", (ANN, BOB, impostor), 3))
    session.apply(events.MembersChanged("tea", (ANN, BOB), 2))
    tea.push_message(session, "after the leave", impostor)
    notice = JoinNotice(
        room="tea", nick_name=impostor.nick_name, member_id="c", message="", ts=1, confusable=impostor.confusable
    )
    session.apply(events.NoticeReceived(notice))
    session.apply(events.LogChanged("tea", (seq,), True))
    tea.push_message(session, "after the notice", impostor)
    assert [line.marked_nick for line in view.transcript.lines if isinstance(line, MessageLine)] == [
        "bob", "!b\u043eb", "!b\u043eb", "!b\u043eb",
    ]  # fmt: skip
    assert displayed_texts(session)[-2] == "* b\u043eb (look-alike) joined"


def test_a_reset_log_replaces_the_displayed_messages(session: ChatSession) -> None:
    tea = FakeRoom("tea").join("one", "two", "three")
    session.add_room(tea)
    item = queue_message(session, "mine")
    tea.log = RoomLog()
    tea.join("new one")
    session.apply(events.RoomJoined("tea", rejoined=True, log_reset=True))
    assert displayed_texts(session) == ["new one", "mine (pending)"]
    acknowledge(session, item, 2)
    assert displayed_texts(session) == ["new one", "mine"]


def test_events_of_rooms_that_are_not_open_are_ignored(session: ChatSession) -> None:
    session.apply(events.LogChanged("tea", (1,), True))
    session.apply(events.TypingChanged("tea", "b", True))
    session.apply(events.TopicChanged("tea", "x"))
    acknowledge(session, queue_message(session, "x"), 1)
    assert not session.rooms
