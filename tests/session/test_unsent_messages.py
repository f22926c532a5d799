"""Pending and failed messages and changes of a chat session."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace as replace_fields

from tests.support.chat_session import acknowledge, displayed_texts, mark_failed, queue_message
from tests.support.fake_room import ANN, FakeRoom
from tui_chat.client import events
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState
from tui_chat.protocol.errors import BadRequest, Forbidden, NotFound, Unavailable
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.protocol.requests import EditMessage
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.lines import DeliveryState, MessageLine, NoticeLine
from tui_chat.session.message_sender import MessageSender
from tui_chat.session.pending_lines import find_client_id


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


def test_an_older_equal_message_does_not_replace_a_pending_one(session: ChatSession) -> None:
    room = FakeRoom("tea").join()
    session.add_room(room)
    session.set_viewed(True)
    room.log.apply_push(room.message(1, "mine", ANN))
    room.push_message(session, "two")
    queue_message(session, "mine")
    session.apply(events.LogChanged("tea", (1,), is_live=False))
    assert displayed_texts(session) == ["mine", "two", "mine (pending)"]


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
    assert find_client_id(session.current_room, line.key) == item.client_id
    assert find_client_id(session.current_room, "message-1") is None
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


def test_a_rejected_edit_is_reported_once_with_its_text(session: ChatSession) -> None:
    session.add_room(FakeRoom("tea").join("one"))
    item = OutboxItem("tea", uuid4(), EditMessage(room="tea", seq=1, message="otherwise"), 1)
    session.apply(events.OutboxItemChanged(item))
    assert session.pending_count == 1
    failed_item = mark_failed(session, item, Forbidden("unknown", message="it is not yours"))
    session.apply(events.OutboxItemChanged(replace(failed_item, state=OutboxItemState.DROPPED)))
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


def test_an_ack_is_applied_to_the_room_of_its_message(session: ChatSession) -> None:
    session.add_room(FakeRoom("tea").join())
    item = queue_message(session, "for tea")
    session.add_room(FakeRoom("dev").join())
    acknowledge(session, item, 1)
    assert displayed_texts(session) == []
    session.show_room("tea")
    assert displayed_texts(session) == ["for tea"]


FILES = [OutboxFile("a b.txt", 5, "/x/a b.txt"), OutboxFile("big.bin", 2048, "/x/big.bin")]


def create_sender(session: ChatSession, room: FakeRoom) -> MessageSender:
    """Return a sender for a room, whose new outbox items are applied to the session."""
    return MessageSender(session, lambda name: room, lambda item: session.apply(events.OutboxItemChanged(item)))


def test_captions_of_unsent_files_show_the_progress(session: ChatSession) -> None:
    room = FakeRoom("tea").join()
    view = session.add_room(room)
    assert create_sender(session, room).send_files("tea", FILES) == ""
    (item,) = room.unsent()

    def captions() -> list[str]:
        line = view.transcript.find_unsent(str(item.client_id))
        return line.captions.split("\n") if line is not None else []

    assert captions() == ["[file a b.txt · 5 B · waiting]", "[file big.bin · 2.0 KiB · waiting]"]
    uploaded = (replace_fields(FILES[0], upload_id="u"), FILES[1])
    session.apply(events.OutboxItemChanged(replace(item, files=uploaded, uploaded=1024)))
    assert captions() == ["[file a b.txt · 5 B]", "[file big.bin · 2.0 KiB · 50 %]"]
    room.push_message(session, "", ANN)  # a message without files
    assert captions() != []
    mark_failed(session, item, BadRequest("file_changed", file="/x/big.bin"))
    assert captions() == ["[file a b.txt · 5 B]", "[file big.bin · 2.0 KiB]"]


def test_a_withdrawn_message_with_the_text_of_a_command_has_an_escaped_slash(
    session: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = FakeRoom("tea").join()
    session.add_room(room)
    messages = create_sender(session, room)
    assert messages.submit(None, "/quit") == ""
    (item,) = room.unsent()

    def drop(_: UUID) -> OutboxItem:
        return item

    monkeypatch.setattr(room, "drop", drop)
    assert messages.withdraw(f"unsent-{item.client_id}") == "//quit"


def test_a_message_in_flight_cannot_be_withdrawn(session: ChatSession) -> None:
    room = FakeRoom("tea").join()
    session.add_room(room)
    messages = create_sender(session, room)
    assert messages.send_files("tea", FILES) == ""
    (item,) = room.unsent()
    assert messages.withdraw(f"unsent-{item.client_id}") == ""
    assert room.posts[-1] == ("drop", item.client_id)


def test_files_that_the_server_or_the_room_does_not_accept_are_rejected(session: ChatSession) -> None:
    room = FakeRoom("tea").join()
    session.add_room(room)
    messages = create_sender(session, room)
    room.upload_max_bytes = 2000
    assert messages.send_files("tea", FILES) == "A file can have at most 2.0 KiB."
    room.upload_max_bytes = 0
    assert messages.send_files("tea", FILES) == "This server does not accept files."
    room.upload_max_bytes = None
    room.policy = RoomPolicy(upload="moderators")
    assert messages.send_files("tea", FILES) == "Only moderators can do this."
    assert room.posts == []
