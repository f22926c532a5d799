"""Events of one session: those of the client, and the results of requests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_chat.client.events import ClientEvent
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.responses import OwnRoom, RoomSummary
from tui_chat.session.store.composer_store import SavedRoomState

if TYPE_CHECKING:
    from tui_chat.client.room import Room


@dataclass(frozen=True, slots=True)
class ServerConnected:
    """Success of the first connection attempt. Not emitted if the first room was opened from the cache."""


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """Failure of the first connection attempt, or unexpected end of the session."""

    error: ChatError


@dataclass(frozen=True, slots=True)
class NickAssigned:
    """Response to a request for a nickname; another one is assigned if the requested one is taken."""

    requested: str
    assigned: str


@dataclass(frozen=True, slots=True)
class RoomOpened:
    """Room joined, or opened from the local cache and joined once a connection exists.

    Attributes:
        saved_state: Stored draft, read marker and input history, possibly of an earlier join in the same session.
        requested_nick: Nickname of the join request, empty for a restored or cached room or if there was none.
        switch: Number of the requested switch (`ChatSession.begin_switch`), None for a room in the background. The room
            becomes current unless the user has requested another switch meanwhile.
        was_queued: The join waited for the connection.
    """

    room: "Room"
    saved_state: SavedRoomState
    requested_nick: str
    switch: int | None
    was_queued: bool = False


@dataclass(frozen=True, slots=True)
class JoinFailed:
    """Failed join of a room."""

    room: str
    error: ChatError


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """Completed leave of a room, even after a rejected request."""

    room: str


@dataclass(frozen=True, slots=True)
class RoomRestoreStarted:
    """Start of restoring the rooms of the previous session, in their previous order. The rooms follow one by one."""

    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoomTrimmed:
    """Removal of a room's oldest messages from memory."""

    room: str


@dataclass(frozen=True, slots=True)
class RoomListReceived:
    """Room list of the server, shown in the current room if the user requested the list."""

    rooms: list[RoomSummary]
    requested_by_user: bool


@dataclass(frozen=True, slots=True)
class DurableRoomsReceived:
    """Durable memberships of the account, latest activity first; `is_first` for the first load over this connection."""

    rooms: tuple[OwnRoom, ...]
    is_first: bool


@dataclass(frozen=True, slots=True)
class RequestCompleted:
    """Completed request. The changes of the request, such as loaded members, are earlier events.

    The session controller calls `on_completed`.
    """

    on_completed: Callable[[], None]


@dataclass(frozen=True, slots=True)
class ContextLoaded:
    """Completed load of the messages around a position; `seq` is None without a message there."""

    room: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """Failure of any other request, of restoring a room, or of the composer store.

    The problem is an error message for the user, as one sentence.
    """

    problem: str


SessionEvent = (
    ClientEvent
    | ServerConnected
    | ConnectFailed
    | RoomOpened
    | JoinFailed
    | NickAssigned
    | RoomLeft
    | RoomRestoreStarted
    | RoomTrimmed
    | RoomListReceived
    | DurableRoomsReceived
    | RequestCompleted
    | ContextLoaded
    | RequestFailed
)
