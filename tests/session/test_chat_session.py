from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest

from tui_chat.client import events
from tui_chat.client.outbox.item import OutboxItem, OutboxItemState
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.events import JoinNotice, Member, Message, NickNotice
from tui_chat.protocol.requests import EditMessage, SendMessage
from tui_chat.protocol.responses import JoinResponse, RoomState
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.lines import DeliveryState, MessageLine, NoticeLine, UnreadLine
from tui_chat.session.screen_delta import DirtyPart
from tui_chat.session.store.composer_store import SavedRoomState

ANN = Member(member_id="a", nick_name="ann", role="member")
BOB = Member(member_id="b", nick_name="bob", role="member")


@dataclass
class Room:
    """A room as the SDK gives it, with its real log."""

    name: str
    topic: str = ""
    nick: str = "ann"
    member_id: str = "a"
    members: dict[str, Member] = field(default_factory=lambda: {"a": ANN, "b": BOB})
    log: RoomLog = field(default_factory=RoomLog)
    waiting: tuple[OutboxItem, ...] = ()
    is_basic_server: bool = False

    def unsent(self) -> tuple[OutboxItem, ...]:
        return self.waiting

    def join(self, *texts: str) -> "Room":
        state = RoomState(name=self.name, topic=self.topic, last_seq=len(texts), visibility="public")
        messages = [self.message(seq, text) for seq, text in enumerate(texts, 1)]
        self.log.apply_join(
            JoinResponse(
                room=state,
                nick_name=self.nick,
                member_id=self.member_id,
                guest_key="k",
                members=list(self.members.values()),
                messages=list(messages),
                has_more=False,
            ),
            None,
        )
        return self

    def message(self, seq: int, text: str, who: Member = BOB) -> Message:
        return Message(
            room=self.name,
            seq=seq,
            id=seq,
            nick_name=who.nick_name,
            member_id=who.member_id,
            message=text,
            ts=seq,
        )

    def says(self, session: ChatSession, text: str, who: Member = BOB) -> int:
        seq = self.log.last + 1
        changed = self.log.apply_push(self.message(seq, text, who))
        session.apply(events.LogChanged(self.name, changed, True))
        return seq


@pytest.fixture
def session() -> ChatSession:
    return ChatSession(lambda: 1_000)


def posted(session: ChatSession, text: str, room: str = "tea") -> OutboxItem:
    """Something was written, and is on its way."""
    client_id = uuid4()
    posting = OutboxItem(room, client_id, SendMessage(room=room, message=text, client_id=client_id), 1_000)
    session.apply(events.OutboxItemChanged(posting))
    return posting


def sent(session: ChatSession, posting: OutboxItem, seq: int) -> None:
    session.apply(events.OutboxItemChanged(replace(posting, state=OutboxItemState.SENT, seq=seq, server_ts=5)))


def failed(session: ChatSession, posting: OutboxItem, problem: str) -> OutboxItem:
    posting = replace(posting, state=OutboxItemState.FAILED, problem=problem)
    session.apply(events.OutboxItemChanged(posting))
    return posting


def texts(session: ChatSession) -> list[str]:
    assert session.current_room is not None
    shown: list[str] = []
    for line in session.current_room.transcript.lines:
        match line:
            case MessageLine():
                shown.append(
                    line.text if line.delivery is DeliveryState.SENT else f"{line.text} ({line.delivery.value})"
                )
            case NoticeLine():
                shown.append(f"* {line.text}")
            case UnreadLine():
                shown.append("--")
            case _:
                shown.append("gap")
    return shown


def test_entering_a_room_shows_its_history_as_read(session: ChatSession) -> None:
    view = session.add_room(Room("tea").join("one", "two"))
    assert texts(session) == ["one", "two"]
    assert view.unread_count == 0
    assert DirtyPart.ROOM in session.pop_delta().parts


def test_what_is_sent_is_pending_and_then_stands_once(session: ChatSession) -> None:
    room = Room("tea").join("one")
    session.add_room(room)
    session.set_viewed(True)
    outgoing = posted(session, "mine")
    assert texts(session) == ["one", "mine (pending)"]
    room.says(session, "two")
    assert texts(session) == ["one", "two", "mine (pending)"]
    sent(session, outgoing, 3)
    assert texts(session) == ["one", "two", "mine"]
    room.says(session, "mine", ANN)
    assert texts(session) == ["one", "two", "mine"]
    assert session.unsent_count == 0


def test_an_echo_that_overtakes_its_acknowledgement_is_not_shown_twice(session: ChatSession) -> None:
    room = Room("tea").join()
    session.add_room(room)
    outgoing = posted(session, "mine")
    seq = room.says(session, "mine", ANN)
    assert texts(session) == ["mine"]
    sent(session, outgoing, seq)
    assert texts(session) == ["mine"]


def test_the_same_text_from_your_other_terminal_does_not_swallow_a_failed_send(session: ChatSession) -> None:
    room = Room("tea").join()
    session.add_room(room)
    outgoing = posted(session, "mine")
    room.says(session, "mine", ANN)
    failed(session, outgoing, "no")
    assert texts(session) == ["mine", "mine (failed)"]


def test_a_failed_send_says_why_and_is_known_by_its_line(session: ChatSession) -> None:
    view = session.add_room(Room("tea").join())
    outgoing = failed(session, posted(session, "mine"), "the server said no")
    line = view.transcript.lines[-1]
    assert isinstance(line, MessageLine)
    assert (line.delivery, line.problem) == (DeliveryState.FAILED, "The server said no.")
    assert session.find_unsent_line(line.key) == (view, outgoing.client_id)
    assert session.find_unsent_line("message-1") is None
    assert session.unsent_count == 0
    again = posted(session, "mine")
    session.apply(events.OutboxItemChanged(replace(outgoing, state=OutboxItemState.DROPPED)))
    assert texts(session) == ["mine (pending)"]
    assert session.unsent_count == 1
    sent(session, again, 1)
    assert session.unsent_count == 0


def test_what_an_earlier_program_left_stands_below_when_the_room_is_entered(session: ChatSession) -> None:
    left = [posted(session, "nobody is there yet"), posted(session, "second")]
    assert session.unsent_count == 0
    room = Room("tea", waiting=(left[0], replace(left[1], state=OutboxItemState.FAILED, problem="no"))).join("one")
    session.add_room(room)
    assert texts(session) == ["one", "nobody is there yet (pending)", "second (failed)"]
    assert session.unsent_count == 1
    session.remove_room("tea")
    assert session.unsent_count == 0


def test_a_change_that_is_refused_is_told_with_what_it_said(session: ChatSession) -> None:
    session.add_room(Room("tea").join("one"))
    posting = OutboxItem("tea", uuid4(), EditMessage(room="tea", seq=1, message="otherwise"), 1)
    session.apply(events.OutboxItemChanged(posting))
    assert session.unsent_count == 1
    failed(session, posting, "it is not yours")
    assert session.unsent_count == 0
    assert texts(session) == ["one", "* The change was refused: it is not yours · otherwise"]


def test_what_cannot_be_kept_is_told_where_it_can_be_read(session: ChatSession) -> None:
    session.apply(events.PersistenceFailed("The disk is full."))
    session.add_room(Room("tea").join("one"))
    assert texts(session) == ["one", "* The disk is full."]


def test_one_fault_of_the_disk_is_told_once() -> None:
    session = ChatSession(lambda: 0)
    session.add_room(Room("tea").join())
    for problem in ("The disk is full.", "The disk is full.", "Another."):
        session.apply(events.PersistenceFailed(problem))
    view = session.current_room
    assert view is not None
    assert [line.text for line in view.transcript.lines if isinstance(line, NoticeLine)] == [
        "The disk is full.",
        "Another.",
    ]


def test_lines_that_the_log_let_go_go_too(session: ChatSession) -> None:
    room = Room("tea").join(*(str(number) for number in range(10)))
    session.add_room(room)
    room.log.trim(3)
    session.trim_room("tea")
    assert texts(session) == ["7", "8", "9"]


def test_a_send_is_answered_in_the_room_it_was_written_in(session: ChatSession) -> None:
    session.add_room(Room("tea").join())
    outgoing = posted(session, "for tea")
    session.add_room(Room("dev").join())
    sent(session, outgoing, 1)
    assert texts(session) == []
    session.show_room("tea")
    assert texts(session) == ["for tea"]


def test_what_comes_while_nobody_looks_is_unread_below_a_line(session: ChatSession) -> None:
    tea = Room("tea").join("one")
    view = session.add_room(tea)
    session.set_viewed(True)
    tea.says(session, "two")
    assert view.unread_count == 0
    session.set_viewed(False)
    tea.says(session, "three")
    tea.says(session, "hey @Ann")
    tea.says(session, "mine from elsewhere", ANN)
    assert (view.unread_count, view.mention_count) == (2, 1)
    assert texts(session) == ["one", "two", "--", "three", "hey @Ann", "mine from elsewhere"]
    session.set_viewed(True)
    assert (view.unread_count, view.mention_count) == (0, 0)
    assert "--" in texts(session)
    session.set_viewed(False)
    assert "--" not in texts(session)


def test_what_came_since_you_were_here_before_is_unread(session: ChatSession) -> None:
    tea = Room("tea").join("one", "two", "ann: three")
    session.add_room(Room("dev").join())
    view = session.add_room(tea, SavedRoomState(read_seq=1), show=False)
    assert (view.unread_count, view.mention_count) == (2, 1)
    session.show_room("tea")
    session.set_viewed(True)
    assert texts(session) == ["one", "--", "two", "ann: three"]
    assert (view.unread_count, view.read_seq) == (0, 3)
    other = session.add_room(Room("ops").join("one"), SavedRoomState(read_seq=40), show=False)
    assert other.unread_count == 0


def test_what_was_missed_in_a_break_has_the_line_above_it_even_where_one_looks(session: ChatSession) -> None:
    tea = Room("tea").join("one")
    view = session.add_room(tea)
    session.set_viewed(True)
    tea.says(session, "two")
    assert "--" not in texts(session)
    for text in ("three", "four"):
        message = tea.message(tea.log.last + 1, text)
        tea.log.apply_push(message)
    session.apply(events.LogChanged("tea", (3, 4), live=False))
    assert texts(session) == ["one", "two", "--", "three", "four"]
    assert view.unread_count == 0


def test_an_edit_of_something_unread_counts_once(session: ChatSession) -> None:
    tea = Room("tea").join()
    view = session.add_room(tea)
    seq = tea.says(session, "two")
    session.apply(events.LogChanged("tea", (seq,), True))
    assert view.unread_count == 1


def test_rooms_are_walked_in_order_and_activity_finds_mentions_first(session: ChatSession) -> None:
    rooms = {name: Room(name).join() for name in ("tea", "dev", "ops", "art")}
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
    rooms["art"].says(session, "hello")
    rooms["dev"].says(session, "ann?")
    session.show_next_unread()
    assert session.current_room is session.find_room("dev")
    session.set_viewed(True)
    session.show_next_unread()
    assert session.current_room is session.find_room("art")


def test_leaving_the_shown_room_shows_the_one_before(session: ChatSession) -> None:
    for name in ("tea", "dev", "ops"):
        session.add_room(Room(name).join())
    session.remove_room("OPS")
    assert session.current_room is session.find_room("dev")
    session.apply(events.RoomLost("dev", "you were put out"))
    assert texts(session) == ["* You are no longer in dev: you were put out"]
    session.remove_room("tea")
    assert session.current_room is None


def test_only_the_shown_rooms_splices_are_handed_out(session: ChatSession) -> None:
    tea, dev = Room("tea").join(), Room("dev").join()
    session.add_room(tea)
    session.add_room(dev)
    session.pop_delta()
    tea.says(session, "for later")
    assert session.pop_delta().splices == []
    dev.says(session, "now")
    assert len(session.pop_delta().splices) == 1
    tea.says(session, "more")
    session.show_room("tea")
    changes = session.pop_delta()
    assert changes.splices == []
    assert DirtyPart.ROOM in changes.parts


def test_the_others_coming_is_told_and_your_own_is_not(session: ChatSession) -> None:
    session.add_room(Room("tea").join())
    for member_id, nick in (("b", "bob"), ("a", "ann"), ("c", "cai")):
        notice = JoinNotice(room="tea", nick_name=nick, member_id=member_id, message="", ts=1)
        session.apply(events.NoticeReceived(notice))
    assert texts(session) == ["* bob and cai joined"]


def test_your_new_nickname_is_the_one_that_mentions_you(session: ChatSession) -> None:
    tea = Room("tea").join()
    view = session.add_room(tea)
    renamed = NickNotice(room="tea", nick_name="anna", member_id="a", message="", ts=1, old_nick_name="ann")
    session.apply(events.NoticeReceived(renamed))
    tea.says(session, "ann?")
    tea.says(session, "anna?")
    assert view.mention_count == 1


def test_who_types_is_known_until_they_speak_or_go(session: ChatSession) -> None:
    tea = Room("tea").join()
    view = session.add_room(tea)
    session.apply(events.TypingChanged("tea", "b", True))
    assert view.typing_nicks == ["bob"]
    tea.says(session, "done")
    assert view.typing_nicks == []
    session.apply(events.TypingChanged("tea", "b", True))
    session.apply(events.MembersChanged("tea", (ANN,)))
    assert view.typing_nicks == []


def test_those_who_spoke_last_come_first_for_completion(session: ChatSession) -> None:
    cai = Member(member_id="c", nick_name="cai", role="member")
    tea = Room("tea", members={"a": ANN, "b": BOB, "c": cai}).join("from bob")
    view = session.add_room(tea)
    assert view.other_nicks == ["bob", "cai"]
    tea.says(session, "hi", cai)
    assert view.other_nicks == ["cai", "bob"]


def test_another_log_under_the_same_name_replaces_what_was_shown(session: ChatSession) -> None:
    tea = Room("tea").join("one", "two", "three")
    session.add_room(tea)
    outgoing = posted(session, "mine")
    tea.log = RoomLog()
    tea.join("new one")
    session.apply(events.RoomJoined("tea", rejoined=True, log_reset=True))
    assert texts(session) == ["new one", "mine (pending)"]
    sent(session, outgoing, 2)
    assert texts(session) == ["new one", "mine"]


def test_what_is_not_of_an_open_room_is_dropped(session: ChatSession) -> None:
    session.apply(events.LogChanged("tea", (1,), True))
    session.apply(events.TypingChanged("tea", "b", True))
    session.apply(events.TopicChanged("tea", "x"))
    sent(session, posted(session, "x"), 1)
    assert not session.rooms
