"""What the SDK tells whoever uses it: small typed records, in the order things happened."""

from dataclasses import dataclass
from uuid import UUID

from tui_chat.client.outbox.item import OutboxItem, OutboxItemState
from tui_chat.protocol.events import JoinNotice, LeaveNotice, Member, NickNotice


@dataclass(frozen=True, slots=True)
class Connecting:
    """The first connection is being made."""


@dataclass(frozen=True, slots=True)
class Online:
    """The server answers.

    Attributes:
        latency: Seconds from a ping to its answer, None until one was measured.
    """

    latency: float | None = None


@dataclass(frozen=True, slots=True)
class Offline:
    """The connection is lost or could not be made.

    Attributes:
        reason: One sentence for a person.
        retry_in: Seconds until the next attempt.
        retry_at: The same moment on the monotonic clock (`time.monotonic`).
    """

    reason: str
    retry_in: float
    retry_at: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The client was closed; nothing follows."""


ConnectionState = Connecting | Online | Offline | Closed


@dataclass(frozen=True, slots=True)
class ConnectionStateChanged:
    """The connection is now in another state."""

    state: ConnectionState


@dataclass(frozen=True, slots=True)
class RoomJoined:
    """A room was joined, for the first time or again after a break.

    Attributes:
        room: The room's name as the server writes it.
        again: True after a break.
        anew: The server's data was replaced meanwhile: what was known of the room's
            log is gone, and nothing shown of it counts any more.
    """

    room: str
    rejoined: bool
    log_reset: bool = False


@dataclass(frozen=True, slots=True)
class RoomLost:
    """A room could not be joined again after a break, and is closed.

    Attributes:
        reason: One sentence for a person.
    """

    room: str
    reason: str


@dataclass(frozen=True, slots=True)
class LogChanged:
    """The room's log has changed; `Room.log` holds it.

    Attributes:
        room: The room's name.
        seqs: The `seq` of each message that is new or now reads otherwise, ascending.
        live: They were said just now (not history that was fetched).
    """

    room: str
    seqs: tuple[int, ...]
    live: bool


@dataclass(frozen=True, slots=True)
class NoticeReceived:
    """Somebody came, left or changed nickname."""

    notice: JoinNotice | LeaveNotice | NickNotice


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """The room's members are now these."""

    room: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class TypingChanged:
    """A member began to type, or stopped."""

    room: str
    member_id: str
    is_typing: bool


@dataclass(frozen=True, slots=True)
class TopicChanged:
    """The room is now about something else."""

    room: str
    topic: str


@dataclass(frozen=True, slots=True)
class OutboxItemChanged:
    """Something that was posted has come farther, or an earlier program left it and it waits here now.

    Attributes:
        posting: As it is now.
    """

    item: OutboxItem

    @property
    def room(self) -> str:
        """The room's name."""
        return self.item.room

    @property
    def client_id(self) -> UUID:
        """Which one."""
        return self.item.client_id

    @property
    def state(self) -> OutboxItemState:
        """How far it has come."""
        return self.item.state

    @property
    def problem(self) -> str:
        """Why it failed, empty otherwise."""
        return self.item.problem

    @property
    def seq(self) -> int | None:
        """Its entry in the room's log, once it was sent."""
        return self.item.seq


@dataclass(frozen=True, slots=True)
class PersistenceFailed:
    """Something cannot be kept on this computer's disk; everything works without, until the program ends.

    Attributes:
        problem: One or two sentences for a person.
    """

    problem: str


ClientEvent = (
    ConnectionStateChanged
    | RoomJoined
    | RoomLost
    | LogChanged
    | NoticeReceived
    | MembersChanged
    | TypingChanged
    | TopicChanged
    | OutboxItemChanged
    | PersistenceFailed
)
