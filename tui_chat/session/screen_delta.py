"""What of the screen no longer shows what is so."""

from dataclasses import dataclass
from enum import Flag, auto

from tui_chat.session.lines import Splice


class DirtyPart(Flag):
    """A part of the screen that no longer shows what is so."""

    NONE = 0
    ROOM = auto()  # another room is shown: all of it
    TIMELINE = auto()  # all lines of the shown room
    ROOM_LIST = auto()
    MEMBER_LIST = auto()
    HEADER = auto()
    STATUS = auto()


@dataclass(frozen=True, slots=True)
class ScreenDelta:
    """What is to be drawn anew.

    Attributes:
        parts: The parts of the screen.
        splices: What has changed in the shown room's lines (empty when another room is shown).
    """

    parts: DirtyPart
    splices: list[Splice]

    def __bool__(self) -> bool:
        return bool(self.parts or self.splices)
