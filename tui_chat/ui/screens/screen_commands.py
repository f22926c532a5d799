"""Slash commands of the chat screen that open a dialog or change the screen."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tui_chat.session.chat_session import ChatSession
from tui_chat.session.commands import file_handlers, handlers, settings_handlers
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.commands.message_targets import find_deletion_target
from tui_chat.session.delayed_deletions import DelayedDeletions
from tui_chat.session.file_opener import FileOpener
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.server_link import ServerLink
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.compose_controller import ComposeController
from tui_chat.ui.screens.message_navigation import MessageNavigation
from tui_chat.ui.screens.room_navigation import RoomNavigation

MAX_NOTICE_LENGTH = 600
"""Maximum number of characters of an output below the messages; a longer one opens a dialog."""


class ScreenCommands:
    """Commands on the chat screen. Functions without a description are those of `CommandContext`.

    Args:
        get_selected_message: Returns the message under the message cursor, None without one.
        confirm_deletion: Asks before the deletion of a message. Returns the error message, empty on success.
        open_output: Opens a dialog with a text.
        run_app_action: Runs an action of the app, such as `help`, after the current event.
        account_commands: Handlers of the account commands.

    Attributes:
        handlers: Handlers of the commands that need a screen.
    """

    def __init__(
        self,
        session: ChatSession,
        server_link: ServerLink,
        compose_controller: ComposeController,
        room_navigation: RoomNavigation,
        message_navigation: MessageNavigation,
        *,
        deletions: DelayedDeletions,
        get_selected_message: Callable[[], MessageLine | None],
        confirm_deletion: Callable[[MessageLine], str],
        mark_unread: Callable[[RoomView, int], None],
        copy_text: Callable[[str], None],
        confirm: Callable[[str, str], Awaitable[bool]],
        settings: Callable[[], ClientSettings],
        set_setting: Callable[[str, object], None],
        change_server: Callable[[str], object],
        open_output: Callable[[str], object],
        run_app_action: Callable[[str], object],
        account_commands: Mapping[str, Callable[[str], str | None]],
    ) -> None:
        self._session = session
        self._deletions = deletions
        self._get_selected_message = get_selected_message
        self._confirm_deletion = confirm_deletion
        self._room_navigation = room_navigation
        self._open_output = open_output
        self._run_app_action = run_app_action
        self.handlers: dict[str, Callable[[str], str | None]] = {
            **account_commands,
            "go": self._go_to_matching_room,
            "search": message_navigation.open_search,
            "date": partial(self._go_to_day, message_navigation),
            "clear": self._clear_notices,
            "delete": self._delete_message,
            "undo": self._undo_deletion,
            "theme": self._set_theme,
            "settings": partial(self._run_app_command, "settings"),
            "stop-server": partial(self._run_app_command, "stop_server"),
            "help": partial(self._run_app_command, "help"),
            "quit": partial(self._run_app_command, "quit_when_sent"),
        }
        self._context = CommandContext(
            session=session,
            link=server_link,
            settings=settings,
            set_setting=set_setting,
            go_to_room=room_navigation.go_to_room,
            leave_room=room_navigation.leave_room,
            send=compose_controller.send,
            send_files=compose_controller.send_files,
            compose=compose_controller.start,
            mark_unread=mark_unread,
            show_output=self._show_output,
            copy_text=copy_text,
            confirm=confirm,
            change_server=change_server,
            file_opener=FileOpener(),
            front_end_handlers=self.handlers,
        )

    def run_input(self, text: str) -> str:
        """Queue the text as a message, or run the command in it (`handlers.run_input`).

        Returns:
            Error message, empty on success or if the operation has started.
        """
        return handlers.run_input(text, self._context)

    def save_files(self, line: MessageLine) -> str:
        """Save the files of a message of the current room; return an error message, empty on success."""
        try:
            file_handlers.save_files_of(line, self._context)
        except CommandRejected as error:
            return str(error)
        return ""

    def upload(self, room: str, paths: Sequence[Path]) -> None:
        """Send files of this computer to a room; errors are shown."""
        file_handlers.upload_paths(room, paths, self._context)

    def open_file(self, line: MessageLine, index: int) -> str:
        """Open a file of a message of the current room after a question; return an error message, empty on success."""
        try:
            file_handlers.open_file_of(line, index, self._context)
        except CommandRejected as error:
            return str(error)
        return ""

    def _show_output(self, text: str) -> None:
        """Show a text as notice of the current room, above `MAX_NOTICE_LENGTH` in a dialog."""
        if len(text) > MAX_NOTICE_LENGTH:
            self._open_output(text)
        else:
            self._session.add_notice(text)

    def _go_to_matching_room(self, query: str) -> None:
        """Show the open room with this name (`ChatSession.find_room`), or else open the room switcher with `query`."""
        open_room = self._session.find_room(query) if query else None
        if open_room is not None:
            self._room_navigation.go_to_room(open_room.name)
        else:
            self._room_navigation.open_switcher(query)

    def _go_to_day(self, message_navigation: MessageNavigation, argument: str) -> str:
        """Start the navigation to a day (`MessageNavigation.go_to_day`); `CommandRejected` without a connection."""
        self._context.require_connection("date")
        return message_navigation.go_to_day(argument)

    def _delete_message(self, nick: str) -> str:
        """Ask before the deletion of the last message of a nickname; for "", of the selected or the user's last one.

        Returns:
            Error message of `confirm_deletion`, empty on success.

        Raises:
            CommandRejected: No message is selected, and no room is open or `find_deletion_target` rejects.
        """
        selected = None if nick else self._get_selected_message()
        return self._confirm_deletion(selected or find_deletion_target(self._context.room(), nick))

    def _undo_deletion(self, argument: str) -> str:
        return "" if self._deletions.undo_newest() else tr(chat_strings.NO_DELETION)

    def _clear_notices(self, argument: str) -> None:
        if self._session.current_room is not None:
            self._session.current_room.transcript.clear_notices()

    def _set_theme(self, name: str) -> None:
        """Set a theme, or open the theme chooser without a name."""
        if name:
            settings_handlers.set_setting(f"theme {name}", self._context)
        else:
            self._run_app_action("choose_theme")

    def _run_app_command(self, name: str, argument: str) -> None:
        self._run_app_action(name)
