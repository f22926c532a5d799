"""What a command asks of the front end it was typed in, with a screen or without."""

from typing import Protocol

from tui_chat.protocol import names
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import chat as chat_strings


class CommandContext(Protocol):
    """Where commands are typed.

    Attributes:
        session: What is open.
    """

    session: ChatSession

    @property
    def settings(self) -> ClientSettings:
        """The settings in force."""
        ...

    def reply(self, text: str) -> None:
        """Say what a command asked for."""
        ...

    def set_setting(self, name: str, value: object) -> None:
        """Set something for now and for later; None is the usual value."""
        ...


def shrug_text(text: str) -> str:
    """What `/shrug` sends."""
    return rf"{text} ¯\_(ツ)_/¯".lstrip()


def find_room(name: str, context: CommandContext) -> RoomView | None:
    """The open room of this name, the shown one for none; raises `RoomInvalid`."""
    return context.session.find_room(names.validate_room_name(name)) if name else context.session.current_room


def no_room_text(name: str) -> str:
    """Why there is no room: none of this name is open, or none at all."""
    return chat_strings.not_in_room(name) if name else tr(chat_strings.NOT_IN_A_ROOM)
