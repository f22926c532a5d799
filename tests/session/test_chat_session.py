"""Rooms, members, notices and deltas of a chat session."""

from msgspec import convert
from msgspec.structs import replace

from tests.support.chat_session import acknowledge, displayed_texts, queue_message
from tests.support.fake_room import ANN, BOB, FakeRoom
from tui_chat.client import events
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.errors import Forbidden
from tui_chat.protocol.events import (
    Attachment,
    Edit,
    JoinNotice,
    LeaveNotice,
    Member,
    MemberChange,
    MemberRef,
    NickNotice,
)
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_index import MAX_RECENT_SPEAKERS, MAX_TYPING_MEMBERS, SPEAKER_PERIOD
from tui_chat.session.screen_delta import DirtyPart
from tui_chat.session.session_events import RoomTrimmed
from tui_chat.session.settings.schema import ClientSettings


def test_a_joined_room_shows_its_history_as_read(session: ChatSession) -> None:
    view = session.add_room(FakeRoom("tea").join("one", "two"))
    assert displayed_texts(session) == ["one", "two"]
    assert view.unread_count == 0
    assert DirtyPart.ROOM in session.pop_delta().parts


def test_trimmed_log_entries_are_removed_from_the_transcript(session: ChatSession) -> None:
    room = FakeRoom("tea").join(*(str(number) for number in range(10)))
    session.add_room(room)
    room.log.trim(3)
    session.apply(RoomTrimmed("tea"))
    assert displayed_texts(session) == ["7", "8", "9"]


def test_closing_the_current_room_selects_its_predecessor_in_the_list(session: ChatSession) -> None:
    for name in ("tea", "dev", "ops"):
        session.add_room(FakeRoom(name).join())
    session.remove_room("OPS")
    assert session.current_room is session.find_room("dev")
    session.apply(events.RoomLost("dev", Forbidden("unknown", message="you were removed")))
    assert displayed_texts(session) == ["* You are no longer in dev: you were removed."]
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


def test_joins_of_other_members_are_shown_and_those_of_the_user_are_not(session: ChatSession) -> None:
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


def test_account_names_and_nicknames_are_mentions_including_lines_loaded_before_the_join(session: ChatSession) -> None:
    tea = FakeRoom("tea", members={}).join("@annlee early")
    view = session.add_room(tea)
    tea.members = {"a": Member(member_id="a", nick_name="ann", role="member", account="annlee"), "b": BOB}
    session.apply(events.RoomJoined("tea", rejoined=False))
    for text in ("@annlee?", "annlee: tea", "@ann?", "@annleen?"):
        tea.push_message(session, text)
    assert view.mention_count == 3
    lines = [line for line in view.transcript.lines if isinstance(line, MessageLine)]
    assert [line.is_mention for line in lines] == [True, True, True, True, False]


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


def test_changed_and_older_messages_do_not_end_the_typing_state(session: ChatSession) -> None:
    tea = FakeRoom("tea").join()
    view = session.add_room(tea)
    tea.log.apply_push(tea.message(1, "older", BOB))
    tea.push_message(session, "newer", BOB)
    session.apply(events.TypingChanged("tea", "b", True))
    session.apply(events.LogChanged("tea", (1,), is_live=False))
    session.apply(events.LogChanged("tea", (2,), is_live=True))
    assert view.typing_nicks == ["bob"]


def test_floods_of_typing_members_and_speakers_are_bounded(session: ChatSession) -> None:
    guests = {
        f"m{number}": Member(member_id=f"m{number}", nick_name=f"g{number}", role="member") for number in range(200)
    }
    tea = FakeRoom("tea", members=guests).join()
    view = session.add_room(tea)
    for member_id in guests:
        session.apply(events.TypingChanged("tea", member_id, True))
    session.apply(events.TypingChanged("tea", "m0", True))
    assert view.typing_nicks[0] == "g0"
    assert len(view.typing_nicks) == MAX_TYPING_MEMBERS
    tea.is_basic_server = True
    view.update_members_and_gaps()
    for number in range(MAX_RECENT_SPEAKERS + 1):
        tea.push_message(session, "hi", Member(member_id=f"s{number}", nick_name=f"s{number}", role="member"))
    assert len(view.other_nicks) == MAX_RECENT_SPEAKERS
    assert view.other_nicks[-1] == "s1"


def test_completion_lists_the_latest_senders_first(session: ChatSession) -> None:
    cai = Member(member_id="c", nick_name="cai", role="member")
    tea = FakeRoom("tea", members={"a": ANN, "b": BOB, "c": cai}).join("from bob")
    view = session.add_room(tea)
    assert view.other_nicks == ["bob", "cai"]
    tea.push_message(session, "hi", cai)
    assert view.other_nicks == ["cai", "bob"]
    tea.push_message(session, "hi", BOB)
    assert view.other_nicks == ["bob", "cai"]


def test_a_renamed_room_is_found_by_all_its_names_and_keeps_position_and_pending_count(session: ChatSession) -> None:
    session.restore_order(("tea", "dev"))
    view = session.add_room(FakeRoom("tea"))
    queue_message(session, "mine")
    session.apply(events.RoomRenamed("tea", "Green tea"))
    session.apply(events.RoomRenamed("Green tea", "Matcha"))
    assert [session.find_room(name) for name in ("tea", "green tea", "matcha")] == [view] * 3
    assert session.current_room is view
    session.add_room(FakeRoom("dev"))
    assert list(session.rooms) == ["matcha", "dev"]
    assert session.pending_count == 1
    session.remove_room("Matcha")
    assert session.pending_count == 0


def test_a_quote_shows_the_current_text_of_its_parent(session: ChatSession) -> None:
    tea = FakeRoom("tea").join("tea or coffee?")
    view = session.add_room(tea)
    for entry in (
        replace(tea.message(2, "tea", ANN), reply_to=1),
        Edit(room="tea", seq=3, id=3, ts=3, member_id="b", nick_name="bob", target=1, message="tea or milk?"),
    ):
        changed = tea.log.apply_push(entry)
        session.apply(events.LogChanged("tea", changed, True))
        reply = view.transcript.find_message(2)
        assert reply is not None
        assert reply.quote == f"bob: {tea.log[1].message}"
    assert tea.log[1].message == "tea or milk?"
    file = Attachment(id="u1", name="a.txt", type="text/plain", size=5, path="")
    tea.log.apply_push(replace(tea.message(4, "", BOB), attachments=[file]))
    session.apply(events.LogChanged("tea", (4,), True))
    assert view.quoted_text(4) == "bob: [file a.txt · text/plain · 5 B]"


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
    view = session.add_room(tea)
    item = queue_message(session, "mine")
    session.mark_unread(view, 2)
    tea.log = RoomLog()
    tea.join("new one")
    session.apply(events.RoomJoined("tea", rejoined=True, log_reset=True))
    assert displayed_texts(session) == ["new one", "mine (pending)"]
    session.set_viewed(True)
    tea.push_message(session, "new two")
    assert view.unread_count == 0
    acknowledge(session, item, 3)
    assert displayed_texts(session) == ["new one", "new two", "mine"]


def test_a_kick_of_a_member_appears_as_a_notice(session: ChatSession) -> None:
    session.add_room(FakeRoom("tea").join("one"))
    kicked = MemberChange(
        room="tea",
        seq=2,
        id=2,
        ts=1,
        member_id=ANN.member_id,
        nick_name="ann",
        action="kicked",
        target=MemberRef(member_id=BOB.member_id, nick_name="bob"),
        by=MemberRef(member_id=ANN.member_id, nick_name="ann"),
    )
    session.pop_delta()
    session.apply(events.RoomChanged("tea", kicked))
    assert DirtyPart.HEADER in session.pop_delta().parts
    assert displayed_texts(session) == ["one", "* ann removed bob."]


def test_events_of_rooms_that_are_not_open_are_ignored(session: ChatSession) -> None:
    session.apply(events.LogChanged("tea", (1,), True))
    session.apply(events.TypingChanged("tea", "b", True))
    session.apply(events.TopicChanged("tea", "x"))
    acknowledge(session, queue_message(session, "x"), 1)
    assert not session.rooms
