"""Event types of the SDK."""

from dataclasses import dataclass

from tui_chat.client.outbox_item import OutboxItem
from tui_chat.protocol.errors import ChatError, Unauthorized
from tui_chat.protocol.events import JoinNotice, LeaveNotice, Member, MemberChange, NickNotice, PolicyChange


@dataclass(frozen=True, slots=True)
class Connecting:
    """State until the first connection attempt after the start of the client or `ChatClient.set_token` completes."""


@dataclass(frozen=True, slots=True)
class Online:
    """Connection established.

    Attributes:
        latency: Round-trip time of a ping in seconds, None before the first measurement.
    """

    latency: float | None = None


@dataclass(frozen=True, slots=True)
class Offline:
    """Connection closed or not established.

    Attributes:
        error: Cause.
        retry_in: Delay before the next attempt, in seconds.
        retry_at: Time of the next attempt on the clock of `time.monotonic`, in seconds.
    """

    error: ChatError
    retry_in: float
    retry_at: float


@dataclass(frozen=True, slots=True)
class AuthFailed:
    """Token rejected or revoked by the server; no reconnect follows before `ChatClient.set_token`.

    Attributes:
        error: Cause.
    """

    error: Unauthorized


@dataclass(frozen=True, slots=True)
class Closed:
    """Final state after `ChatClient.close()`."""


ConnectionState = Connecting | Online | Offline | AuthFailed | Closed


@dataclass(frozen=True, slots=True)
class ConnectionStateChanged:
    """Transition to a new connection state."""

    state: ConnectionState


@dataclass(frozen=True, slots=True)
class RoomJoined:
    """Successful join, observation or rejoin of a room.

    Attributes:
        room: Room name in the server's spelling.
        rejoined: False for the first join of the room, True after a reconnect.
        log_reset: True if the server log was replaced: `Room.log` was reset, and entries displayed before are invalid.
    """

    room: str
    rejoined: bool
    log_reset: bool = False


@dataclass(frozen=True, slots=True)
class RoomLost:
    """Open room closed because the server rejected its join, removed the room or removed the user from the room.

    A room that was neither joined nor opened from the cache is closed without this event.

    Attributes:
        room: Room name.
        error: Response of the server, `NotFound` for a removed room, or `Forbidden` for a kick or ban.
        change: Entry of the kick or ban of the user, None without one.
        title: Display name of a private or direct room, otherwise empty.
    """

    room: str
    error: ChatError
    change: MemberChange | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class DirectRoomAnnounced:
    """New messages in a direct room that the client has not joined.

    Attributes:
        room: Address of the room.
        title: Nicknames of the other members.
    """

    room: str
    title: str


@dataclass(frozen=True, slots=True)
class ReadMarker:
    """Read marker of the account in a room.

    Attributes:
        seq: `seq` of the newest read entry, 0 for none.
        unread: Number of later messages.
        mentions: Number of later mentions of the account.
        last_seq: `seq` of the newest entry that `unread` and `mentions` include; 0 if unknown.
    """

    seq: int
    unread: int
    mentions: int
    last_seq: int = 0


@dataclass(frozen=True, slots=True)
class ReadMarkerChanged:
    """Read marker of the account after a join, a move by any of its connections, or a message of the user.

    Attributes:
        room: Room name; after a move by another connection, possibly of a room that is not open.
        marker: Current marker.
        previous: Previous marker, None if unknown.
    """

    room: str
    marker: ReadMarker
    previous: ReadMarker | None


@dataclass(frozen=True, slots=True)
class BlockChanged:
    """Start or end of a block by any connection of the account.

    Attributes:
        member_id: Member id of the blocked or unblocked member.
        is_blocked: True after a block, False after its end.
    """

    member_id: str
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class RoomRenamed:
    """New name of a room, which `Room.name` already contains.

    Attributes:
        room: Previous name.
        new_name: Current name.
    """

    room: str
    new_name: str


@dataclass(frozen=True, slots=True)
class LogChanged:
    """Change of `Room.log`.

    Attributes:
        room: Room name.
        seqs: `seq` of each new or modified message, ascending.
        is_live: True for pushes and for entries missed before a push, False for a join and other fetched entries.
    """

    room: str
    seqs: tuple[int, ...]
    is_live: bool


@dataclass(frozen=True, slots=True)
class NoticeReceived:
    """Join, leave or nickname change of a member."""

    notice: JoinNotice | LeaveNotice | NickNotice


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """Member list of a room after a change.

    Attributes:
        room: Room name.
        members: Stored members.
        count: Number of present members; above `len(members)` in a large room.
    """

    room: str
    members: tuple[Member, ...]
    count: int


@dataclass(frozen=True, slots=True)
class TypingChanged:
    """Start or end of another member's typing indicator."""

    room: str
    member_id: str
    is_typing: bool


@dataclass(frozen=True, slots=True)
class TopicChanged:
    """New topic of a room.

    Attributes:
        room: Room name.
        topic: Sanitized topic, empty for none.
        nick_name: Author, empty if a join response reports the change.
    """

    room: str
    topic: str
    nick_name: str = ""


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """New entry about members, invites, webhooks or the policy of a joined or observed room.

    Attributes:
        room: Room name.
        entry: Sanitized entry.
    """

    room: str
    entry: MemberChange | PolicyChange


@dataclass(frozen=True, slots=True)
class OutboxItemChanged:
    """New, modified, claimed, sent or dropped outbox item.

    Attributes:
        item: State of the item after the change.
    """

    item: OutboxItem


@dataclass(frozen=True, slots=True)
class ProblemReported:
    """Failure of the local storage or of a background task, or received data above a limit of the client.

    The client continues, after a storage failure in memory.

    Attributes:
        error: Cause and consequence.
    """

    error: ChatError


ClientEvent = (
    ConnectionStateChanged
    | RoomJoined
    | RoomLost
    | DirectRoomAnnounced
    | ReadMarkerChanged
    | BlockChanged
    | RoomRenamed
    | LogChanged
    | NoticeReceived
    | MembersChanged
    | TypingChanged
    | TopicChanged
    | RoomChanged
    | OutboxItemChanged
    | ProblemReported
)
