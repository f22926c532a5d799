"""What has come from the connection and was not applied yet.

Rule 1  It is taken in the order it came.
Rule 2  What was said one after the other in one room is taken together, `TOGETHER` messages
        at a time: applying twenty costs little more than applying one.
Rule 3  More than `MUCH` does not stay: it is `overfull`, and is to be taken whether or not
        it can be drawn.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_chat.client import events
from tui_chat.client.events import LogChanged
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.responses import RoomSummary
from tui_chat.session.store.composer_store import SavedRoomState

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


MAX_MESSAGES_PER_POP = 100

HIGH_WATER_MARK = 5_000
"""Messages and other arrivals."""


class _PendingLogChange:
    """Changes of one room's log that came one after the other."""

    __slots__ = ("live", "room", "seqs")

    def __init__(self, first: LogChanged) -> None:
        self.room = first.room
        self.live = first.live
        self.seqs = deque(first.seqs)


class EventQueue:
    """A queue of arrivals.

    Args:
        arrived: Called when it is no longer empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        self._queue: deque[QueuedEvent | _PendingLogChange] = deque()
        self._on_ready = on_ready
        self._size = 0

    @property
    def is_overfull(self) -> bool:
        """Too much waits."""
        return self._size > HIGH_WATER_MARK

    def __bool__(self) -> bool:
        return bool(self._queue)

    def put(self, event: QueuedEvent) -> None:
        """Something came."""
        self._size += len(event.seqs) if isinstance(event, LogChanged) else 1
        if not isinstance(event, LogChanged):
            self._queue.append(event)
        else:
            last = self._queue[-1] if self._queue else None
            if isinstance(last, _PendingLogChange) and (last.room, last.live) == (event.room, event.live):
                last.seqs.extend(event.seqs)
                return
            self._queue.append(_PendingLogChange(event))
        if len(self._queue) == 1:
            self._on_ready()

    def pop(self) -> QueuedEvent:
        """What came first; there must be something."""
        first = self._queue[0]
        if not isinstance(first, _PendingLogChange):
            self._queue.popleft()
            self._size -= 1
            return first
        count = min(MAX_MESSAGES_PER_POP, len(first.seqs))
        self._size -= count
        seqs = {first.seqs.popleft() for _ in range(count)}
        if not first.seqs:
            self._queue.popleft()
        return LogChanged(first.room, tuple(sorted(seqs)), first.live)
