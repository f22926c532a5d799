"""What a command asks of the front end it was typed in, with a screen or without."""

from typing import Protocol

from server.protocol import names
from tui_chat.session import words
from tui_chat.session.language import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.session import Session
from tui_chat.session.settings import Settings


class Front(Protocol):
    """Where commands are typed.

    Attributes:
        session: What is open.
    """

    session: Session

    @property
    def held(self) -> Settings:
        """The settings in force."""
        ...

    def answer(self, sentence: str) -> None:
        """Say what a command asked for."""
        ...

    def set_setting(self, name: str, value: object) -> None:
        """Set something for now and for later; None is the usual value."""
        ...


def shrugged(said: str) -> str:
    """What `/shrug` sends."""
    return rf"{said} ¯\_(ツ)_/¯".lstrip()


def room_named(name: str, front: Front) -> RoomView | None:
    """The open room of this name, the shown one for none; raises `RoomInvalid`."""
    return front.session.room(names.validate_room_name(name)) if name else front.session.current


def not_there(name: str) -> str:
    """Why there is no room: none of this name is open, or none at all."""
    return words.not_in(name) if name else tr(words.NOT_IN_A_ROOM)
