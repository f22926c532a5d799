"""Pending screen updates of a session."""

from dataclasses import dataclass
from enum import Flag, auto

from tui_chat.session.lines import Splice


class DirtyPart(Flag):
    """Screen part that needs a redraw."""

    NONE = 0
    ROOM = auto()  # the complete screen after a room switch
    TIMELINE = auto()  # all lines of the current room
    ROOM_LIST = auto()
    MEMBER_LIST = auto()
    HEADER = auto()
    STATUS = auto()


@dataclass(frozen=True, slots=True)
class ScreenDelta:
    """Parts to redraw completely, and timeline changes of the current room; none after a room switch."""

    parts: DirtyPart
    splices: list[Splice]

    def __bool__(self) -> bool:
        return bool(self.parts or self.splices)
