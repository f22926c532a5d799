"""Who is where.

Rule 1  A room is here while a connection is in it; what was said stays in storage.
Rule 2  A member is in a room while at least one of its connections is. A second
        connection of the same member is the same member: nobody came.
Rule 3  In one room no two members have nicknames with the same key. Whoever
        asks for one that is taken gets the next free one; nobody is refused.
Rule 4  A connection knows its rooms, so that its end costs what they cost.
Rule 5  Whoever is in a room reads it in one form (`server.gateway.dialects`); a
        room knows its readers by form, so that a form nobody reads costs nothing.

`Connection` is whatever the gateway uses: anything that can be a key.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from server.domain.log_commands import Author, RoomRef
from tui_chat.protocol import names
from tui_chat.protocol.errors import BadRequest, NotJoined
from tui_chat.protocol.events import Member
from tui_chat.protocol.limits import ROOMS_PER_CONNECTION

ConnectionT = TypeVar("ConnectionT", bound=Hashable)


@dataclass(slots=True, eq=False)
class Participant(Generic[ConnectionT]):
    """A member who is in a room now.

    Attributes:
        nick_key: What tells its nickname apart from others'.
        via: The form of its client, when that is not the native one.
    """

    member_id: str
    nick_name: str
    nick_key: str
    role: str = "member"
    account: str | None = None
    client_kind: str | None = None
    connections: set[ConnectionT] = field(default_factory=set[ConnectionT])
    _cached_member: Member | None = None

    def to_author(self) -> Author:
        """The same person, as an entry names its author."""
        return Author(
            member_id=self.member_id,
            nick_name=self.nick_name,
            account=self.account,
            is_moderator=self.role != "member",
        )

    def to_member(self) -> Member:
        """The same person, as the wire shows a member."""
        if self._cached_member is None:
            self._cached_member = Member(
                member_id=self.member_id,
                nick_name=self.nick_name,
                role=self.role,
                account=self.account,
                via=self.client_kind,
            )
        return self._cached_member

    def set_client_kind(self, client_kind: str | None) -> bool:
        """Its client is of this form now; False when it was before."""
        if client_kind == self.client_kind:
            return False
        self.client_kind, self._cached_member = client_kind, None
        return True

    def set_nick(self, nick_name: str, nick_key: str) -> None:
        """It has this nickname from now on."""
        self.nick_name, self.nick_key = nick_name, nick_key
        self._cached_member = None


@dataclass(slots=True, eq=False)
class LiveRoom(Generic[ConnectionT]):
    """A room with somebody in it.

    Attributes:
        name: As it is shown; that of storage, once something was said.
        occupants: By member id, in the order they came.
        connections: Every connection in the room, with the member it is of.
        readers: The same connections, by the form in which they read.
    """

    key: str
    name: str
    participants: dict[str, Participant[ConnectionT]] = field(default_factory=dict[str, Participant[ConnectionT]])
    connections: dict[ConnectionT, Participant[ConnectionT]] = field(
        default_factory=dict[ConnectionT, "Participant[ConnectionT]"]
    )
    subscribers: dict[str, dict[ConnectionT, None]] = field(default_factory=dict[str, "dict[ConnectionT, None]"])
    _nick_owners: dict[str, str] = field(default_factory=dict[str, str])
    _next_suffix: dict[str, int] = field(default_factory=dict[str, int])

    def to_ref(self) -> RoomRef:
        """The same room, as a draft names it."""
        return RoomRef(key=self.key, name=self.name)

    def list_members(self) -> list[Member]:
        """Everybody, in the order they came."""
        return [participant.to_member() for participant in self.participants.values()]

    def available_nick(self, requested: str, member_id: str) -> tuple[str, str]:
        """The nickname that this member gets, and its key (rule 3)."""
        requested_key = names.canonical_key(requested)
        if self._nick_owners.get(requested_key, member_id) == member_id:
            return requested, requested_key
        participant = self.participants.get(member_id)
        if participant is not None and names.has_suffix(participant.nick_name, requested):
            return participant.nick_name, participant.nick_key  # it asked for this one before, and got what it has
        suffix = self._next_suffix.get(requested_key, 2)
        while True:
            nick = names.with_suffix(requested, suffix)
            nick_key = names.canonical_key(nick)
            suffix += 1
            if self._nick_owners.get(nick_key, member_id) == member_id:
                self._next_suffix[requested_key] = suffix
                return nick, nick_key

    def assign_nick(self, participant: Participant[ConnectionT], nick_name: str, nick_key: str) -> None:
        """The member is called so from now on."""
        self._release_nick(participant)
        self._nick_owners[nick_key] = participant.member_id
        participant.set_nick(nick_name, nick_key)

    def remove_participant(self, participant: Participant[ConnectionT]) -> None:
        """The member is not here any more."""
        del self.participants[participant.member_id]
        self._release_nick(participant)

    def subscribe(self, dialect: str, connection: ConnectionT) -> None:
        """The connection reads in this form from now on."""
        self.unsubscribe(connection)
        self.subscribers.setdefault(dialect, {})[connection] = None

    def unsubscribe(self, connection: ConnectionT) -> None:
        """The connection reads no more."""
        for dialect, subscribers in self.subscribers.items():
            if connection in subscribers:
                del subscribers[connection]
                if not subscribers:
                    del self.subscribers[dialect]
                return

    def _release_nick(self, participant: Participant[ConnectionT]) -> None:
        if self._nick_owners.get(participant.nick_key) == participant.member_id:
            del self._nick_owners[participant.nick_key]
            self._next_suffix.clear()


@dataclass(frozen=True, slots=True)
class JoinResult(Generic[ConnectionT]):
    """What a join did.

    Attributes:
        came: The member was not in the room before.
        old_nick: The nickname it had, when the join changed it.
        altered: The member was here, by a client of another form.
    """

    room: LiveRoom[ConnectionT]
    participant: Participant[ConnectionT]
    is_new: bool
    old_nick: str | None
    client_changed: bool = False


@dataclass(frozen=True, slots=True)
class LeaveResult(Generic[ConnectionT]):
    """What a leave did.

    Attributes:
        left: The member has no other connection in the room.
    """

    room: LiveRoom[ConnectionT]
    participant: Participant[ConnectionT]
    is_last: bool


class RoomRegistry(Generic[ConnectionT]):
    """All rooms with somebody in them."""

    def __init__(self) -> None:
        self.rooms: dict[str, LiveRoom[ConnectionT]] = {}
        self._rooms_by_connection: dict[ConnectionT, dict[str, LiveRoom[ConnectionT]]] = {}

    def join(
        self,
        connection: ConnectionT,
        room_name: str,
        member_id: str,
        nick_name: str,
        account: str | None = None,
        *,
        dialect: str = "native",
        client_kind: str | None = None,
    ) -> JoinResult[ConnectionT]:
        """Put a connection into a room, as a member with a nickname like the one it wants.

        Args:
            form: In which it reads from now on what happens in the room.
            via: What the others are told of its client's form.

        Raises:
            BadRequest: The connection is in too many rooms.
        """
        room_key = names.canonical_key(room_name)
        joined_rooms = self._rooms_by_connection.setdefault(connection, {})
        if room_key not in joined_rooms and len(joined_rooms) >= ROOMS_PER_CONNECTION:
            raise BadRequest(f"a connection can be in {ROOMS_PER_CONNECTION} rooms")
        room = self.rooms.get(room_key)
        if room is None:
            room = self.rooms[room_key] = LiveRoom(room_key, room_name)
        existing = room.connections.get(connection)
        if existing is not None and existing.member_id != member_id:
            raise BadRequest("this connection is in the room as somebody else")
        nick, nick_key = room.available_nick(nick_name, member_id)
        participant = room.participants.get(member_id)
        is_new = participant is None
        old_nick = None
        if participant is None:
            participant = room.participants[member_id] = Participant(
                member_id, nick, nick_key, account=account, client_kind=client_kind
            )
        elif participant.nick_key != nick_key:
            old_nick = participant.nick_name
        room.assign_nick(participant, nick, nick_key)
        participant.connections.add(connection)
        room.connections[connection] = participant
        room.subscribe(dialect, connection)
        joined_rooms[room_key] = room
        return JoinResult(room, participant, is_new, old_nick, participant.set_client_kind(client_kind))

    def leave(self, connection: ConnectionT, room_name: str) -> LeaveResult[ConnectionT]:
        """Take a connection out of a room.

        Raises:
            NotJoined: It is not in it.
        """
        room, _ = self.require_membership(connection, room_name)
        return self._remove_connection(connection, room)

    def leave_all(self, connection: ConnectionT) -> list[LeaveResult[ConnectionT]]:
        """Take a connection out of all its rooms."""
        return [
            self._remove_connection(connection, room)
            for room in list(self._rooms_by_connection.get(connection, {}).values())
        ]

    def require_membership(
        self, connection: ConnectionT, room_name: str
    ) -> tuple[LiveRoom[ConnectionT], Participant[ConnectionT]]:
        """The room, and who this connection is in it.

        Raises:
            NotJoined: It is not in it.
        """
        room = self._rooms_by_connection.get(connection, {}).get(names.canonical_key(room_name))
        if room is None:
            raise NotJoined("join the room first")
        return room, room.connections[connection]

    def change_nick(
        self, room: LiveRoom[ConnectionT], participant: Participant[ConnectionT], requested: str
    ) -> str | None:
        """Give a member the nickname it wants, or the next free one.

        Returns:
            The nickname it had, or None when it stays as it is.
        """
        nick, nick_key = room.available_nick(requested, participant.member_id)
        if nick == participant.nick_name:
            return None
        old_nick = participant.nick_name
        room.assign_nick(participant, nick, nick_key)
        return old_nick

    def joined_rooms(self, connection: ConnectionT) -> Iterable[LiveRoom[ConnectionT]]:
        """The rooms a connection is in."""
        return tuple(self._rooms_by_connection.get(connection, {}).values())

    def _remove_connection(self, connection: ConnectionT, room: LiveRoom[ConnectionT]) -> LeaveResult[ConnectionT]:
        participant = room.connections.pop(connection)
        room.unsubscribe(connection)
        participant.connections.discard(connection)
        joined_rooms = self._rooms_by_connection[connection]
        del joined_rooms[room.key]
        if not joined_rooms:
            del self._rooms_by_connection[connection]
        is_last = not participant.connections
        if is_last:
            room.remove_participant(participant)
        if not room.connections:
            del self.rooms[room.key]
        return LeaveResult(room, participant, is_last)
