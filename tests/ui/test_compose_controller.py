"""Messages, replies, edits and reactions of the composer, without an app."""

import pytest

from tests.support.chat_parts import ChatParts
from tests.support.fake_room import ANN, FakeRoom
from tui_chat.protocol.errors import TooLong
from tui_chat.session.compose_mode import ComposeKind
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.compose_controller import ComposeController


class ComposeParts(ChatParts):
    def __init__(self) -> None:
        super().__init__()
        self.sent_count = 0
        self.controller = ComposeController(self.messages, self.view, self.drafts, self.count_sent)
        self.fake_room = FakeRoom("tea").join("tea or coffee?")
        self.session.add_room(self.fake_room)
        self.fake_room.push_message(self.session, "teh tea", ANN)
        self.view.draw_changes()

    def count_sent(self) -> None:
        self.sent_count += 1

    @property
    def room(self) -> RoomView:
        assert self.session.current_room is not None
        return self.session.current_room

    def line(self, seq: int) -> MessageLine:
        line = self.room.transcript.find_message(seq)
        assert line is not None
        return line


@pytest.fixture
def parts() -> ComposeParts:
    return ComposeParts()


def test_a_message_is_posted_to_the_current_room_and_displayed_as_pending(parts: ComposeParts) -> None:
    assert parts.controller.send("hello") == ""
    assert parts.fake_room.posts == [("post", "hello", None)]
    assert parts.sent_count == parts.session.pending_count == 1


def test_a_rejected_message_is_an_error_and_does_not_enter_the_history(parts: ComposeParts) -> None:
    parts.fake_room.error = TooLong("topic_too_long", limit=250, count=251)
    assert parts.controller.send("hello") != ""
    assert parts.sent_count == 0
    assert parts.controller.send_verbatim("hello") != ""
    assert not parts.requests.named("add_sent_text")


def test_a_message_without_a_room_is_an_error(parts: ComposeParts) -> None:
    parts.session.remove_room("tea")
    assert parts.controller.send("hello") == tr(chat_strings.NOT_IN_A_ROOM)
    assert parts.controller.mode is None


def test_a_verbatim_text_enters_the_history_with_a_doubled_slash(parts: ComposeParts) -> None:
    parts.controller.send_verbatim("/quit")
    assert parts.fake_room.posts == [("post", "/quit", None)]
    assert parts.requests.named("add_sent_text") == [("add_sent_text", "tea", "//quit")]


def test_a_command_enters_the_history_of_its_room_and_not_of_the_room_that_it_opens(parts: ComposeParts) -> None:
    tea = parts.room
    dev = parts.session.add_room(FakeRoom("dev").join(), show=False)

    def go_to_dev() -> str:
        parts.session.show_room("dev")
        return ""

    assert parts.controller.run_and_record(go_to_dev, "/go dev") == ""
    assert parts.room is dev
    assert (list(tea.input_history.texts), list(dev.input_history.texts)) == (["/go dev"], [])


def test_verbatim_edits_and_reactions_do_not_enter_the_history(parts: ComposeParts) -> None:
    parts.controller.start(ComposeKind.EDIT, parts.line(2), "")
    assert parts.controller.send_verbatim("the tea") == ""
    parts.controller.start(ComposeKind.REACT, parts.line(1), "")
    assert parts.controller.send_verbatim("tada") == ""
    parts.controller.start(ComposeKind.REPLY, parts.line(1), "")
    assert parts.controller.send_verbatim("tea") == ""
    assert parts.requests.named("add_sent_text") == [("add_sent_text", "tea", "tea")]


def test_a_reply_keeps_the_composer_text_and_returns_to_messages_after_the_submission(parts: ComposeParts) -> None:
    parts.view.composer.set_text("a draft")
    assert parts.controller.start(ComposeKind.REPLY, parts.line(1), "") == ""
    assert parts.view.composer.text == "a draft"
    assert parts.controller.mode is not None
    assert parts.controller.mode.quote == "bob: tea or coffee?"
    assert parts.focused == [parts.view.composer]
    assert parts.controller.send("tea") == ""
    assert parts.fake_room.posts == [("post", "tea", 1)]
    assert parts.controller.mode is None


def test_messages_and_replies_end_the_typing_indicator_without_a_request_unlike_edits(parts: ComposeParts) -> None:
    def type_and_send(text: str) -> list[tuple[object, ...]]:
        before = len(parts.requests.named("send_typing"))
        parts.drafts.update_typing(parts.room, text)
        assert parts.controller.send(text) == ""
        parts.drafts.update_typing(parts.room, "")
        return parts.requests.named("send_typing")[before:]

    start, end = ("send_typing", "tea", True), ("send_typing", "tea", False)
    assert type_and_send("hello") == [start]
    parts.controller.start(ComposeKind.REPLY, parts.line(1), "")
    assert type_and_send("tea") == [start]
    parts.controller.start(ComposeKind.EDIT, parts.line(2), "")
    assert type_and_send("the tea") == [start, end]


def test_an_edit_replaces_the_composer_text_until_its_end(parts: ComposeParts) -> None:
    parts.view.composer.set_text("a draft")
    parts.controller.start(ComposeKind.EDIT, parts.line(2), "")
    assert parts.view.composer.text == "teh tea"
    assert parts.room.draft == "teh tea"
    assert parts.controller.send("the tea") == ""
    assert parts.fake_room.posts == [("edit", 2, "the tea")]
    assert parts.view.composer.text == parts.room.draft == "a draft"


def test_a_failed_edit_keeps_its_mode(parts: ComposeParts) -> None:
    parts.controller.start(ComposeKind.EDIT, parts.line(2), "")
    parts.fake_room.error = TooLong("topic_too_long", limit=250, count=251)
    assert parts.controller.send("x") != ""
    assert parts.controller.mode is not None
    assert parts.controller.leave_mode()
    assert not parts.controller.leave_mode()


def test_a_reaction_with_an_emoji_is_sent_without_entering_a_mode(parts: ComposeParts) -> None:
    assert parts.controller.start(ComposeKind.REACT, parts.line(1), "tada") == ""
    assert parts.fake_room.posts == [("react", 1, "🎉", True)]
    assert parts.controller.mode is None


def test_messages_of_others_are_not_editable_and_a_missing_message_is_an_error(parts: ComposeParts) -> None:
    assert parts.controller.start(ComposeKind.EDIT, parts.line(1), "x") == tr(chat_strings.NOT_OWN_MESSAGE)
    for kind in ComposeKind:
        assert parts.controller.start(kind, None, "x") == tr(chat_strings.NO_SUCH_MESSAGE)
    assert parts.fake_room.posts == []


def test_an_edit_of_the_last_message_needs_an_empty_composer_and_ends_with_unchanged_text(parts: ComposeParts) -> None:
    parts.room.input_history.add("teh tea")
    parts.view.composer.set_text("text")
    assert not parts.controller.edit_last_message()
    parts.view.composer.set_text("")
    assert parts.controller.edit_last_message()
    assert parts.view.composer.text == "teh tea"
    parts.view.composer.set_text("changed")
    assert parts.controller.edit_last_message()
    assert parts.controller.mode is not None
    parts.view.composer.set_text("teh tea")
    assert not parts.controller.edit_last_message()
    assert parts.controller.mode is None
