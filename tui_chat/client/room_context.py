"""State and services shared by the rooms of one client, and by the parts of one room."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from tui_chat.client import sanitize
from tui_chat.client.events import ClientEvent, ProblemReported
from tui_chat.client.log import log
from tui_chat.client.net.connector import Connector, TransportGate
from tui_chat.client.task_set import TaskSet
from tui_chat.client.user_status import UserStatus
from tui_chat.protocol.codec import WireStructT
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import Member, MemberChange, MemberRef, PolicyChange
from tui_chat.protocol.names import canonical_key
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.protocol.requests import Request

REQUEST_TIMEOUT = 30.0
"""Default time limit of a join or request, in seconds."""


@dataclass(slots=True)
class ClientContext:
    """Services and settings of one client.

    Attributes:
        url: Base URL of the server.
        connector: Connection to the server.
        tasks: Background tasks, cancelled by the close of the client.
        emit: Function that delivers an event to the consumer.
        new_id: Generator of `clientId` values.
        now_ms: Clock in milliseconds since the epoch.
        max_messages: Messages of a room to retain in memory once twice as many are loaded; None for no limit.
        guest_key: Current guest key, None without one.
        account: Name of the account whose token the client presents, None for a guest.
        status: Status of the user.
        direct_titles: Nicknames of the other members by address of a direct room.
        reported_reasons: Reasons of the reported problems.
    """

    url: str
    connector: Connector
    tasks: TaskSet
    emit: Callable[[ClientEvent], None]
    new_id: Callable[[], UUID]
    now_ms: Callable[[], int]
    max_messages: int | None
    guest_key: str | None
    account: str | None = None
    status: UserStatus = field(default_factory=UserStatus)
    direct_titles: dict[str, str] = field(default_factory=dict[str, str])
    reported_reasons: set[str] = field(default_factory=set[str])

    @property
    def identity(self) -> str | None:
        """Identity that owns the unsent messages: an account or a guest key, None for a new guest."""
        return f"account {canonical_key(self.account)}" if self.account is not None else self.guest_key

    async def request(
        self,
        request: Request,
        response_type: type[WireStructT],
        timeout: float = REQUEST_TIMEOUT,
        *,
        wait_for_rate_limit: bool = False,
        gate: TransportGate | None = None,
    ) -> WireStructT:
        """Send a request as `Connector.request`, by default without a joined room."""
        return await self.connector.request(
            gate or self.connector.gate, request, response_type, timeout, wait_for_rate_limit=wait_for_rate_limit
        )

    def name_direct_room(self, room: str, members: Iterable[Member | MemberRef]) -> str:
        """Store and return the title of a direct room, the sanitized nicknames of its other members."""
        self.direct_titles[room] = sanitize.line(", ".join(member.nick_name for member in members))
        return self.direct_titles[room]

    def report_once(self, error: ChatError) -> None:
        """Log an error and emit `ProblemReported`, once per reason (`reported_reasons`)."""
        if error.reason not in self.reported_reasons:
            self.reported_reasons.add(error.reason)
            log.warning("problem reported once: %s", error)
            self.emit(ProblemReported(error))


@dataclass(slots=True)
class RoomContext:
    """Identity and connection of one room.

    Attributes:
        client: Services of the client.
        key: Canonical key of the requested room name, or of the new name after a rename.
        nick_key: Canonical key of the requested nickname.
        name: Room name in the server's spelling; before the first join, as cached or requested.
        nick: User's nickname in the room, the requested one before the first join; empty in an observed room.
        topic: Room topic, may be empty.
        title: Display name of a private or direct room, empty for other rooms.
        is_direct: The room is a direct room.
        policy: Policy of the room.
        role: User's role, None for guests, observers and before the first join.
        removal: Kick or ban of the user; None without one.
        member_id: User's member id; before the first join, the cached one or empty; empty in an observed room.
        upload_max_bytes: Maximum size of a file, 0 if the server accepts none; None if unknown.
        gate: Gate of the joined connection.
    """

    client: ClientContext
    key: str
    nick_key: str
    name: str
    nick: str
    topic: str = ""
    title: str = ""
    is_direct: bool = False
    policy: RoomPolicy = field(default_factory=RoomPolicy)
    role: str | None = None
    removal: MemberChange | None = None
    member_id: str = ""
    upload_max_bytes: int | None = None
    gate: TransportGate = field(default_factory=TransportGate)

    @property
    def display_title(self) -> str:
        """Title of a private or direct room, otherwise the name."""
        return self.client.direct_titles.get(self.name) or self.title or self.name

    def apply_change(self, entry: MemberChange | PolicyChange) -> None:
        """Apply a sanitized entry to the policy and title, or to the role or removal of the user.

        Entries about other members have no effect. The end of the membership on another device ends the role. A server
        administrator keeps the role `admin`.
        """
        if isinstance(entry, PolicyChange):
            self.policy = entry.apply_to(self.policy)
            self.title = entry.title or self.title
        elif entry.target.member_id != self.member_id:
            return
        elif entry.action in ("kicked", "banned"):
            self.removal = entry
        elif entry.action in ("joined", "left", "role") and self.role != "admin":
            self.role = None if entry.action == "left" else entry.role or "member"

    async def request(
        self,
        request: Request,
        response_type: type[WireStructT],
        timeout: float = REQUEST_TIMEOUT,
        *,
        wait_for_rate_limit: bool = False,
    ) -> WireStructT:
        """Send a request over the joined connection, as `Connector.request`; raise `NotJoined` after `leave`."""
        return await self.client.request(
            request, response_type, timeout, wait_for_rate_limit=wait_for_rate_limit, gate=self.gate
        )
