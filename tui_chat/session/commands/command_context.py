"""Interface between command handlers and their front end."""

from typing import Protocol

from tui_chat.protocol import names
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import chat as chat_strings


class CommandContext(Protocol):
    """Front end of a command call.

    Attributes:
        session: View state of the joined rooms.
    """

    session: ChatSession

    @property
    def settings(self) -> ClientSettings:
        """Current settings."""
        ...

    def reply(self, text: str) -> None:
        """Display the output of a command."""
        ...

    def set_setting(self, name: str, value: object) -> None:
        """Apply a setting and save it; None restores the default.

        An unsaved value still applies, and the problem is displayed.
        """
        ...


def shrug_text(text: str) -> str:
    """Return the message body for `/shrug`. An empty text gives only the shrug."""
    return rf"{text} ¯\_(ツ)_/¯".lstrip()


def find_room(name: str, context: CommandContext) -> RoomView | None:
    """Return the open room with this name, the current room for "", None if there is none.

    Raises:
        ChatError: The name is invalid.
    """
    return context.session.find_room(names.validate_room_name(name)) if name else context.session.current_room


def no_room_text(name: str) -> str:
    """Return the error text for a failed `find_room`."""
    return chat_strings.not_in_room(name) if name else tr(chat_strings.NOT_IN_A_ROOM)
