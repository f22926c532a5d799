"""What comes from the connection besides the client's own events: answers, and what was kept here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.protocol.answers import RoomSummary
from server.protocol.errors import ChatError
from tui_chat.client import events
from tui_chat.session.kept_writing import SavedRoomState

if TYPE_CHECKING:
    from tui_chat.client.room import Room


@dataclass(frozen=True, slots=True)
class ServerConnected:
    """The first connection stands."""


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """The first connection could not be made.

    Attributes:
        error: Why.
    """

    error: ChatError


@dataclass(frozen=True, slots=True)
class JoinSucceeded:
    """A room was joined.

    Attributes:
        room: It.
        wanted_nick: The nickname that was asked for; empty when none was.
        left: What you left there.
        show: It was asked for now, and is to be shown.
    """

    room: "Room"
    requested_nick: str
    saved_state: SavedRoomState
    show: bool


@dataclass(frozen=True, slots=True)
class JoinFailed:
    """A room could not be joined.

    Attributes:
        room: The name that was asked for.
    """

    room: str
    error: ChatError


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """You left a room."""

    room: str


@dataclass(frozen=True, slots=True)
class CachedRoomOpened:
    """A room is there with what was kept of it; it is joined when that can be done.

    Attributes:
        room: It.
        left: What you left there.
        show: It was asked for now, and is to be shown.
    """

    room: "Room"
    saved_state: SavedRoomState
    show: bool


@dataclass(frozen=True, slots=True)
class RoomRestoreStarted:
    """The rooms that were open when the program ended; they come back one by one.

    Attributes:
        rooms: Their names, in their order.
    """

    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoomTrimmed:
    """A room's log has let its oldest messages go.

    Attributes:
        room: Its name.
    """

    room: str


@dataclass(frozen=True, slots=True)
class RoomListReceived:
    """Rooms of the server.

    Attributes:
        rooms: They.
        told: They were asked for by a person, and are to be told in the room.
    """

    rooms: list[RoomSummary]
    requested_by_user: bool


@dataclass(frozen=True, slots=True)
class ContextLoaded:
    """What was said about a place of a room is in its log now.

    Attributes:
        room: Its name.
        seq: The message of that place, None when there is none.
    """

    room: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """Something else that was asked for could not be done."""

    problem: str


QueuedEvent = (
    events.ClientEvent
    | ServerConnected
    | ConnectFailed
    | JoinSucceeded
    | JoinFailed
    | RoomLeft
    | CachedRoomOpened
    | RoomRestoreStarted
    | RoomTrimmed
    | RoomListReceived
    | ContextLoaded
    | RequestFailed
)
