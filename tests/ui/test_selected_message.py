"""Actions on the selected message, without an app."""

from uuid import UUID

import pytest

from tests.support.chat_parts import ChatParts
from tests.support.fake_room import ANN, FakeRoom
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.compose_controller import ComposeController
from tui_chat.ui.screens.link import LinkScreen
from tui_chat.ui.screens.message_actions import MessageActions


class ActionParts(ChatParts):
    def __init__(self) -> None:
        super().__init__()
        self.copied: list[str] = []
        self.opened: list[str] = []
        self.reply_targets: list[int] = []
        self.compose_controller = ComposeController(self.messages, self.view, self.drafts, lambda: None)
        self.message_actions = MessageActions(
            self.messages,
            self.view,
            self.compose_controller,
            go_to_reply_target=self.record_reply_target,
            copy_text=self.copied.append,
            open_link=self.open_link,
        )
        self.room = FakeRoom("tea").join("see https://example.org/a")
        self.session.add_room(self.room)
        self.room.push_message(self.session, "mine", ANN)
        self.view.draw_changes()

    def record_reply_target(self, view: RoomView, seq: int) -> None:
        self.reply_targets.append(seq)

    def open_link(self, url: str) -> str:
        self.opened.append(url)
        return "copied instead"

    def run(self, action: str, key: str) -> None:
        assert self.view.timeline.set_cursor(key)
        self.message_actions.actions[action]()

    def post_unsent(self) -> str:
        self.compose_controller.send("unsent")
        self.view.draw_changes()
        return self.view.timeline.lines[-1].key


@pytest.fixture
def parts() -> ActionParts:
    return ActionParts()


def test_an_action_without_a_selected_message_has_no_effect(parts: ActionParts) -> None:
    for action in parts.message_actions.actions.values():
        action()
    assert parts.room.posts == []
    assert parts.copied == []


def test_a_copied_message_closes_the_message_cursor(parts: ActionParts) -> None:
    parts.run("copy_selected", "message-2")
    assert parts.copied == ["mine"]
    assert parts.status.text == tr(chat_strings.COPIED)
    assert parts.view.timeline.cursor_key is None


def test_a_mention_is_inserted_with_a_colon_only_at_the_start(parts: ActionParts) -> None:
    parts.run("mention_selected", "message-1")
    assert parts.view.composer.text == "bob: "
    parts.run("mention_selected", "message-1")
    assert parts.view.composer.text == "bob: bob "


def test_a_deletion_requires_two_calls_on_the_same_message(parts: ActionParts) -> None:
    parts.run("delete_selected", "message-2")
    assert parts.status.text == tr("Press d again to delete the message for everyone.")
    parts.message_actions.on_cursor_moved("message-1")
    assert parts.status.text == ""
    parts.run("delete_selected", "message-2")
    assert parts.room.posts == []
    parts.message_actions.on_cursor_moved("message-2")
    parts.run("delete_selected", "message-2")
    assert parts.room.posts == [("delete", 2)]
    assert parts.status.text == ""
    assert parts.view.timeline.cursor_key is None


def test_messages_of_other_members_are_not_deleted(parts: ActionParts) -> None:
    parts.run("delete_selected", "message-1")
    assert parts.status.error == tr(chat_strings.NOT_OWN_MESSAGE)


def test_an_unsent_message_in_flight_is_neither_dropped_nor_edited(parts: ActionParts) -> None:
    key = parts.post_unsent()
    client_id = UUID(key.removeprefix("unsent-"))
    parts.run("delete_selected", key)
    parts.run("edit_selected", key)
    assert parts.room.posts[1:] == [("drop", client_id)] * 2
    assert parts.view.composer.text == ""


def test_activation_resends_an_unsent_message(parts: ActionParts) -> None:
    key = parts.post_unsent()
    parts.message_actions.activate(key)
    assert parts.room.posts[1:] == [("retry", UUID(key.removeprefix("unsent-")))]
    parts.message_actions.activate("message-1")
    assert parts.reply_targets == []


def test_the_links_of_a_message_are_opened_after_a_confirmation(parts: ActionParts) -> None:
    parts.run("open_selected_links", "message-2")
    assert parts.status.error == tr("This message has no link.")
    parts.run("open_selected_links", "message-1")
    assert isinstance(parts.dialogs[-1][0], LinkScreen)
    parts.close_dialog("https://example.org/a")
    assert parts.opened == ["https://example.org/a"]
    assert parts.status.text == "copied instead"
    assert parts.focused == [parts.view.composer]
