"""Queue of network events between `ServerLink` and `SessionController`.

- Order: events are popped in the order of arrival.
- Batching: consecutive log changes of one room are popped in batches of up to `MAX_MESSAGES_PER_POP` messages,
  because twenty messages cost little more to apply than one.
- Backpressure: above `HIGH_WATER_MARK` the queue is overfull, and the app drains it even while drawing is blocked.
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
    """Success of the first connection attempt. Not emitted if the first room was opened from the cache."""


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """Failure of the first connection attempt.

    Attributes:
        error: Cause of the failure.
    """

    error: ChatError


@dataclass(frozen=True, slots=True)
class JoinSucceeded:
    """Successful join of a room.

    Attributes:
        room: Joined room.
        requested_nick: Nickname of the join request, empty for a restored room or if there was none.
        saved_state: Draft, read marker and input history from the previous session.
        show: Make the room current, because the user requested the join.
    """

    room: "Room"
    requested_nick: str
    saved_state: SavedRoomState
    show: bool


@dataclass(frozen=True, slots=True)
class JoinFailed:
    """Rejected join of a room.

    Attributes:
        room: Requested room name.
        error: Cause of the failure.
    """

    room: str
    error: ChatError


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """Completed leave of a room, also after a rejected request.

    Attributes:
        room: Room name.
    """

    room: str


@dataclass(frozen=True, slots=True)
class CachedRoomOpened:
    """Room opened from the local cache, joined on the server once a connection exists.

    Attributes:
        room: Opened room.
        saved_state: Draft, read marker and input history from the previous session.
        show: Make the room current, because the user requested the join.
    """

    room: "Room"
    saved_state: SavedRoomState
    show: bool


@dataclass(frozen=True, slots=True)
class RoomRestoreStarted:
    """Start of restoring the rooms of the previous session. The rooms follow one by one.

    Attributes:
        rooms: Room names in their previous order.
    """

    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoomTrimmed:
    """Removal of a room's oldest messages from memory.

    Attributes:
        room: Room name.
    """

    room: str


@dataclass(frozen=True, slots=True)
class RoomListReceived:
    """Room list of the server.

    Attributes:
        rooms: Room summaries.
        requested_by_user: Print the list in the current room.
    """

    rooms: list[RoomSummary]
    requested_by_user: bool


@dataclass(frozen=True, slots=True)
class ContextLoaded:
    """Completed load of the messages around a position.

    Attributes:
        room: Room name.
        seq: Sequence number of the message at the position, None if there is none.
    """

    room: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """Failure of any other request.

    Attributes:
        problem: Error message for the user.
    """

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
"""Queue size, in messages plus other events, above which the queue is overfull."""


class _PendingLogChange:
    """Consecutive log changes of one room, merged into one queue entry."""

    __slots__ = ("is_live", "room", "seqs")

    def __init__(self, first: LogChanged) -> None:
        self.room = first.room
        self.is_live = first.is_live
        self.seqs = deque(first.seqs)


class EventQueue:
    """FIFO queue of network events.

    Args:
        on_ready: Called when the queue changes from empty to non-empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        self._queue: deque[QueuedEvent | _PendingLogChange] = deque()
        self._on_ready = on_ready
        self._size = 0

    @property
    def is_overfull(self) -> bool:
        """True above `HIGH_WATER_MARK`."""
        return self._size > HIGH_WATER_MARK

    def __bool__(self) -> bool:
        return bool(self._queue)

    def put(self, event: QueuedEvent) -> None:
        """Append an event. Log changes merge into the last entry if both have the same `room` and `is_live`."""
        self._size += len(event.seqs) if isinstance(event, LogChanged) else 1
        if not isinstance(event, LogChanged):
            self._queue.append(event)
        else:
            last = self._queue[-1] if self._queue else None
            if isinstance(last, _PendingLogChange) and (last.room, last.is_live) == (event.room, event.is_live):
                last.seqs.extend(event.seqs)
                return
            self._queue.append(_PendingLogChange(event))
        if len(self._queue) == 1:
            self._on_ready()

    def pop(self) -> QueuedEvent:
        """Remove and return the oldest event or batch. The queue must not be empty.

        A batch has at most `MAX_MESSAGES_PER_POP` distinct sequence numbers in ascending order. The rest stays first.
        """
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
        return LogChanged(first.room, tuple(sorted(seqs)), first.is_live)
