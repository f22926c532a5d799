"""What of the screen no longer shows what is so."""

from dataclasses import dataclass
from enum import Flag, auto

from tui_chat.session.lines import Splice


class Part(Flag):
    """A part of the screen that no longer shows what is so."""

    NOTHING = 0
    ROOM = auto()  # another room is shown: all of it
    TALK = auto()  # all lines of the shown room
    ROOMS = auto()
    MEMBERS = auto()
    HEADER = auto()
    STATUS = auto()


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be drawn anew.

    Attributes:
        parts: The parts of the screen.
        splices: What has changed in the shown room's lines (empty when another room is shown).
    """

    parts: Part
    splices: list[Splice]

    def __bool__(self) -> bool:
        return bool(self.parts or self.splices)
