"""Interface between command handlers and their front end."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tui_chat.client.events import Online
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.protocol import names
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.commands.registry import CommandRejected
from tui_chat.session.compose_mode import ComposeKind
from tui_chat.session.file_opener import FileOpener
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.server_link import ServerLink
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import chat as chat_strings


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Session and front end of a command call.

    Attributes:
        settings: Accessor of the current settings.
        set_setting: Applies and saves a setting; None restores the default. An unsaved value still applies, and the
            problem is displayed.
        go_to_room: Shows an open room, or joins a new one.
        send: Sends text, according to the compose mode if any. Returns the error message, empty on success.
        send_files: Sends files to a room as one message. Returns the error message, empty on success.
        compose: Replies to, edits or reacts to a message with a text. An empty text starts a compose mode, or is an
            error in a front end without compose modes. Returns the error message, empty on success.
        mark_unread: Marks the messages from a `seq` on as unread.
        show_output: Shows a text in the current room, or in a dialog.
        copy_text: Copies a text to the clipboard, if there is one.
        confirm: Asks a question with the label of an action, and returns whether the user confirms the action.
        change_server: Ends the session and connects to a valid address, possibly with a room name.
        front_end_handlers: Handlers of the front end by command name, called with the argument. Each one replaces the
            common handler of the command, and its result, if any, is the result of `run_input`.
    """

    session: ChatSession
    link: ServerLink
    settings: Callable[[], ClientSettings]
    set_setting: Callable[[str, object], None]
    go_to_room: Callable[[str], None]
    leave_room: Callable[[RoomView], None]
    send: Callable[[str], str]
    send_files: Callable[[str, Sequence[OutboxFile]], str]
    compose: Callable[[ComposeKind, MessageLine | None, str], str]
    mark_unread: Callable[[RoomView, int], None]
    show_output: Callable[[str], None]
    copy_text: Callable[[str], None]
    confirm: Callable[[str, str], Awaitable[bool]]
    change_server: Callable[[str], object]
    file_opener: FileOpener
    front_end_handlers: Mapping[str, Callable[[str], str | None]]

    def require_connection(self, command: str) -> None:
        """Check the connection before a command that needs the server.

        Raises:
            CommandRejected: The client is not connected; the text names the command.
        """
        if not isinstance(self.session.connection_state, Online):
            raise CommandRejected(chat_strings.connection_required(command))

    def room(self, name: str = "") -> RoomView:
        """Return the open room with this name, the current room for "".

        Raises:
            ChatError: The name is invalid.
            CommandRejected: No open room has this name, or no room is open.
        """
        view = self.session.find_room(names.validate_room_name(name)) if name else self.session.current_room
        if view is None:
            raise CommandRejected(chat_strings.not_in_room(name))
        return view
