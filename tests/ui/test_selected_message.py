"""Actions on the selected message, without an app."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from tests.support.chat_parts import ChatParts
from tests.support.fake_room import ANN, FakeRoom
from tests.support.wait import wait_until
from tui_chat.client.events import LogChanged, OutboxItemChanged
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.protocol.errors import Unavailable
from tui_chat.session import delayed_deletions
from tui_chat.session.delayed_deletions import DelayedDeletions
from tui_chat.session.i18n import tr
from tui_chat.session.lines import DeletionState
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.compose_controller import ComposeController
from tui_chat.ui.screens.confirm import Answer, ConfirmScreen
from tui_chat.ui.screens.link import LinkScreen
from tui_chat.ui.screens.message_actions import MessageActions


class ActionParts(ChatParts):
    """Message actions in a room with one message of Bob and one of Ann.

    Attributes:
        copied: Copied texts in order.
        opened: Opened URLs in order.
        reply_targets: Sequence numbers of the messages that were navigated to.
        errors: Errors of delayed deletions.
        message_actions: Actions under test.
    """

    def __init__(self) -> None:
        super().__init__()
        self.copied: list[str] = []
        self.opened: list[str] = []
        self.reply_targets: list[int] = []
        self.compose_controller = ComposeController(self.messages, self.view, self.drafts, lambda: None)
        self.errors: list[str] = []
        self.deletions = DelayedDeletions(self.messages.delete, self.on_deletion_changed)
        self.message_actions = MessageActions(
            self.messages,
            self.deletions,
            self.view,
            self.compose_controller,
            go_to_reply_target=self.record_reply_target,
            copy_text=self.copied.append,
            mark_unread=self.mark_unread,
            open_link=self.open_link,
        )
        self.room = FakeRoom("tea").join("see https://example.org/a")
        self.session.add_room(self.room)
        self.room.push_message(self.session, "mine", ANN)
        self.view.draw_changes()

    def on_deletion_changed(self, problem: str) -> None:
        self.errors += [problem] if problem else []
        self.view.draw_changes()

    def record_reply_target(self, view: RoomView, seq: int) -> None:
        self.reply_targets.append(seq)

    def mark_unread(self, view: RoomView, seq: int) -> None:
        self.session.mark_unread(view, seq - 1)

    def open_link(self, url: str) -> None:
        self.opened.append(url)

    def run(self, action: str, key: str) -> None:
        """Select the line with a key, and run an action."""
        self.view.timeline.set_cursor(key)
        assert self.view.timeline.cursor_key == key
        self.message_actions.actions[action]()

    def post_unsent(self) -> str:
        """Queue a message that stays unsent, and return the key of its line."""
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
    assert parts.dialogs == []
    assert parts.status.error == ""


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


def confirm_deletion(parts: ActionParts) -> None:
    """Delete the message of Ann, and confirm the question."""
    parts.run("delete_selected", "message-2")
    assert isinstance(parts.dialogs[-1][0], ConfirmScreen)
    parts.close_dialog(Answer(is_confirmed=True))


def deletion_of(parts: ActionParts, seq: int) -> DeletionState:
    line = parts.session.rooms["tea"].transcript.find_message(seq)
    assert line is not None
    return line.deletion


async def test_a_confirmed_deletion_is_queued_after_the_time_for_an_undo(
    parts: ActionParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delayed_deletions, "UNDO_SECONDS", 0.01)
    confirm_deletion(parts)
    assert deletion_of(parts, 2) is DeletionState.DELAYED
    assert parts.view.timeline.cursor_key is None
    assert parts.room.posts == []
    await wait_until(lambda: parts.room.posts == [("delete", 2)])
    assert deletion_of(parts, 2) is DeletionState.QUEUED


def test_a_cancelled_question_keeps_the_message_and_the_selection(parts: ActionParts) -> None:
    parts.run("delete_selected", "message-2")
    parts.close_dialog(None)
    assert parts.view.timeline.cursor_key == "message-2"
    assert parts.focused[-1] is parts.view.timeline
    assert deletion_of(parts, 2) is DeletionState.NONE


def test_text_typed_during_the_question_continues_in_the_composer(parts: ActionParts) -> None:
    parts.run("delete_selected", "message-2")
    parts.close_dialog(Answer(is_confirmed=False, typed_text="o"))
    assert parts.view.timeline.cursor_key is None
    assert parts.view.composer.text == "o"
    assert deletion_of(parts, 2) is DeletionState.NONE


async def test_an_undone_deletion_is_never_queued(parts: ActionParts) -> None:
    confirm_deletion(parts)
    parts.run("undo_selected_deletion", "message-2")
    assert deletion_of(parts, 2) is DeletionState.NONE
    assert not parts.deletions.flush()
    confirm_deletion(parts)
    parts.message_actions.activate("message-2")
    assert not parts.deletions.undo_newest()
    assert parts.room.posts == []


async def test_a_flush_queues_delayed_deletions_once(parts: ActionParts) -> None:
    confirm_deletion(parts)
    assert parts.deletions.flush()
    assert not parts.deletions.flush()
    assert parts.room.posts == [("delete", 2)]


async def test_a_delayed_deletion_never_affects_a_message_of_a_replaced_log(parts: ActionParts) -> None:
    confirm_deletion(parts)
    view = parts.session.rooms["tea"]
    view.reset()
    assert parts.deletions.flush()
    assert parts.room.posts == []
    parts.deletions.schedule(view, 2)
    view.reset()
    parts.deletions.schedule(view, 2)  # another message with this `seq`
    assert parts.deletions.flush()
    assert parts.room.posts == [("delete", 2)]


async def test_only_moderators_delete_messages_of_other_members(parts: ActionParts) -> None:
    parts.run("delete_selected", "message-1")
    assert parts.status.error == tr(chat_strings.NOT_OWN_MESSAGE)
    assert parts.dialogs == []
    parts.room.role = "moderator"
    parts.run("delete_selected", "message-1")
    parts.close_dialog(Answer(is_confirmed=True))
    assert deletion_of(parts, 1) is DeletionState.DELAYED
    assert parts.deletions.flush()


def test_an_unsent_message_in_flight_is_neither_dropped_nor_edited(parts: ActionParts) -> None:
    key = parts.post_unsent()
    client_id = UUID(key.removeprefix("unsent-"))
    parts.run("delete_selected", key)
    parts.run("edit_selected", key)
    assert parts.room.posts[1:] == [("drop", client_id)] * 2
    assert parts.view.composer.text == ""


def test_actions_on_sent_messages_are_rejected_for_an_unsent_one(parts: ActionParts) -> None:
    parts.session.apply(OutboxItemChanged(parts.room.post("", files=[OutboxFile.from_text("notes.txt", "tea")])))
    parts.view.draw_changes()
    for action in ("reply_to_selected", "react_to_selected", "mark_selected_unread", "open_selected_links"):
        parts.view.status.show_error("")
        parts.run(action, parts.view.timeline.lines[-1].key)
        assert parts.status.error == tr(chat_strings.MESSAGE_NOT_SENT), action
    assert parts.compose_controller.mode is None
    assert parts.dialogs == []


def test_activation_resends_an_unsent_message(parts: ActionParts) -> None:
    key = parts.post_unsent()
    parts.message_actions.activate(key)
    assert parts.room.posts[1:] == [("retry", UUID(key.removeprefix("unsent-")))]


def test_activation_of_a_reply_goes_to_its_parent_message(parts: ActionParts) -> None:
    reply = replace(parts.room.message(3, "a reply"), reply_to=1)
    parts.session.apply(LogChanged("tea", parts.room.log.apply_push(reply), True))
    parts.view.draw_changes()
    parts.message_actions.activate("message-1")
    assert parts.reply_targets == []
    parts.message_actions.activate("message-3")
    assert parts.reply_targets == [1]


def test_a_rejected_resend_shows_its_error(parts: ActionParts) -> None:
    key = parts.post_unsent()
    parts.room.error = Unavailable("outbox_full", count=10_000)
    parts.message_actions.activate(key)
    assert "10,000" in parts.status.error


async def test_a_delayed_deletion_in_a_closed_room_shows_an_error(parts: ActionParts) -> None:
    confirm_deletion(parts)
    parts.session.remove_room("tea")
    assert parts.deletions.flush()
    assert parts.errors == ["You are not in tea."]


def test_a_selected_link_is_opened_and_a_message_without_one_is_an_error(parts: ActionParts) -> None:
    parts.run("open_selected_links", "message-2")
    assert parts.status.error == tr("This message has no link and no file.")
    parts.run("open_selected_links", "message-1")
    assert isinstance(parts.dialogs[-1][0], LinkScreen)
    parts.close_dialog("https://example.org/a")
    assert parts.opened == ["https://example.org/a"]
    assert parts.focused == [parts.view.composer]
