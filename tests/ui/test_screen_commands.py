"""Slash commands that need the chat screen, without an app."""

from pathlib import Path

import pytest

from tests.support.chat_parts import ChatParts
from tests.support.fake_room import ANN, FakeRoom
from tui_chat.client.events import Online
from tui_chat.session.account_manager import AccountManager
from tui_chat.session.commands import handlers, registry
from tui_chat.session.delayed_deletions import DelayedDeletions
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine, NoticeLine
from tui_chat.session.server_link import ServerLink
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.store.login_store import LoginStore
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.account_dialogs import AccountDialogs
from tui_chat.ui.screens.compose_controller import ComposeController
from tui_chat.ui.screens.message_navigation import MessageNavigation
from tui_chat.ui.screens.room_navigation import RoomNavigation
from tui_chat.ui.screens.room_switcher import RoomSwitcher
from tui_chat.ui.screens.screen_commands import ScreenCommands
from tui_chat.ui.screens.search import SearchScreen


class CommandParts(ChatParts):
    """Commands with recorded app actions, requested deletions and changes of settings."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.app_actions: list[str] = []
        self.deletion_requests: list[str] = []
        self.changed_settings: list[tuple[str, object]] = []
        room_navigation = RoomNavigation(
            self.server_link,
            self.view,
            set_timer=self.set_timer,
            drain_input=list,
        )
        message_navigation = MessageNavigation(self.server_link, self.view, room_navigation.go_to_room)
        self.commands = ScreenCommands(
            self.session,
            ServerLink(SessionTarget("http://127.0.0.1:1", "tea", "ann", restore_rooms=False), directory, None),
            ComposeController(self.messages, self.view, self.drafts, message_navigation.go_to_newest),
            room_navigation,
            message_navigation,
            deletions=DelayedDeletions(self.messages.delete, lambda problem: None),
            get_selected_message=lambda: None,
            confirm_deletion=self.confirm_deletion,
            mark_unread=lambda view, seq: None,
            copy_text=lambda text: None,
            confirm=self.confirm,
            open_output=lambda text: None,
            settings=ClientSettings,
            set_setting=lambda name, value: self.changed_settings.append((name, value)),
            change_server=lambda address: None,
            run_app_action=self.app_actions.append,
            account_commands=AccountDialogs(
                AccountManager("http://127.0.0.1:1", LoginStore(directory)),
                nick=lambda: "ann",
                open_dialog=self.view.open_dialog,
                run_in_background=lambda work: work.close(),
                show_status=lambda text: None,
                show_error=lambda text: None,
            ).commands,
        )
        self.session.connection_state = Online()
        for name in ("tea", "dev"):
            self.session.add_room(FakeRoom(name).join("hello"))
        self.view.draw_changes()

    async def confirm(self, question: str, label: str) -> bool:
        """Confirm each question."""
        return True

    def confirm_deletion(self, line: MessageLine) -> str:
        """Record the text of the message."""
        self.deletion_requests.append(line.text)
        return ""


@pytest.fixture
def parts(tmp_path: Path) -> CommandParts:
    return CommandParts(tmp_path)


def test_every_command_has_a_handler(parts: CommandParts) -> None:
    assert handlers.HANDLERS.keys() | parts.commands.handlers.keys() == {command.name for command in registry.COMMANDS}


def test_go_shows_an_open_room_by_its_name_and_opens_the_switcher_otherwise(parts: CommandParts) -> None:
    assert parts.commands.run_input("/go TEA") == ""
    assert parts.view.displayed_room is parts.session.rooms["tea"]
    assert parts.dialogs == []
    parts.commands.run_input("/go de")
    assert isinstance(parts.dialogs[-1][0], RoomSwitcher)


def test_delete_asks_before_the_last_own_message_is_deleted(parts: CommandParts) -> None:
    assert parts.commands.run_input("/delete") == tr(chat_strings.NO_SUCH_MESSAGE)
    room = parts.session.rooms["dev"].room
    assert isinstance(room, FakeRoom)
    room.push_message(parts.session, "mine", ANN)
    assert parts.commands.run_input("/delete") == ""
    assert parts.deletion_requests == ["mine"]


def test_edit_and_delete_do_not_apply_to_an_earlier_message_while_the_last_one_is_unsent(parts: CommandParts) -> None:
    room = parts.session.rooms["dev"].room
    assert isinstance(room, FakeRoom)
    room.push_message(parts.session, "mine", ANN)
    assert parts.messages.submit(None, "teh tea") == ""
    for command in ("/edit the tea", "/delete"):
        assert parts.commands.run_input(command) == tr(chat_strings.LAST_MESSAGE_NOT_SENT)
    assert parts.deletion_requests == []
    assert [post[0] for post in room.posts] == ["post"]


def test_undo_without_a_deletion_is_an_error(parts: CommandParts) -> None:
    assert parts.commands.run_input("/undo") == tr(chat_strings.NO_DELETION)


def test_search_opens_its_dialog(parts: CommandParts) -> None:
    assert parts.commands.run_input("/search tea leaves") == ""
    assert isinstance(parts.dialogs[-1][0], SearchScreen)


def test_clear_removes_the_notices_of_the_current_room(parts: CommandParts) -> None:
    parts.session.add_notice("a notice")
    parts.commands.run_input("/clear")
    assert parts.session.current_room is not None
    assert not any(isinstance(line, NoticeLine) for line in parts.session.current_room.transcript.lines)


def test_commands_of_the_app_run_as_its_actions(parts: CommandParts) -> None:
    for text in ("/settings", "/help", "/quit", "/theme"):
        assert parts.commands.run_input(text) == ""
    assert parts.app_actions == ["settings", "help", "quit_when_sent", "choose_theme"]


def test_a_named_theme_is_set_and_an_unknown_one_rejected(parts: CommandParts) -> None:
    assert parts.commands.run_input("/theme Light") == ""
    assert parts.changed_settings == [("theme", "light")]
    assert parts.commands.run_input("/theme nosuch").startswith("Invalid value for theme.")


def test_an_invalid_date_is_an_error(parts: CommandParts) -> None:
    assert parts.commands.run_input("/date someday").startswith("Unknown date: someday.")
