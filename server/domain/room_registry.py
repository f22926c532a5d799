"""Registry of live rooms, their participants and their connections.

- Lifetime: a live room exists while it contains a connection; its log stays in storage.
- Multi-session members: all connections of a member in a room form one participant. The first connection is the
  join of the member, and the last departure is the leave.
- Unique nicknames: nickname keys are unique within a room. A request for a nickname in use yields the next free
  suffix, never an error.
- Cost: the registry indexes rooms by connection, so a disconnect takes time proportional to the number of joined rooms.
- Dialects: a room indexes its connections by dialect (`server.gateway.dialects`), so a dialect without
  subscribers causes no work.

`ConnectionT` is the connection type of the gateway; the registry requires only hashing.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from msgspec.structs import replace

from server.domain.log_commands import RoomRef
from tui_chat.protocol import errors, events, limits, names

ConnectionT = TypeVar("ConnectionT", bound=Hashable)


@dataclass(slots=True, eq=False)
class Participant(Generic[ConnectionT]):
    """Member that is present in a room.

    Attributes:
        member: Identity, nickname and client kind as on the wire; replaced by each change.
        nick_key: Canonical key of the nickname.
        connections: Connections of the member in the room.
    """

    member: events.Member
    nick_key: str
    connections: set[ConnectionT] = field(default_factory=set[ConnectionT])


@dataclass(slots=True, eq=False)
class LiveRoom(Generic[ConnectionT]):
    """Room with at least one connection.

    Attributes:
        key: Canonical key of the name.
        name: Display name; the stored name if the room exists in storage.
        participants: Participants by member id, in order of arrival.
        connections: Participants by connection.
        subscribers: Connections by the dialect in which they receive events.
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
        """Return the reference to this room for log commands."""
        return RoomRef(key=self.key, name=self.name)

    def available_nick(self, requested: str, member_id: str) -> tuple[str, str]:
        """Return the nickname that the room assigns for a request, and its canonical key.

        The method assigns nothing. A nickname in use yields the next free suffix from 2; a repeated request of the
        same member keeps its assigned suffix.

        Args:
            requested: Validated nickname.
            member_id: Member that requests the nickname; its own nickname counts as available.
        """
        requested_key = names.canonical_key(requested)
        if self._nick_owners.get(requested_key, member_id) == member_id:
            return requested, requested_key
        participant = self.participants.get(member_id)
        if participant is not None and names.has_suffix(participant.member.nick_name, requested):
            return participant.member.nick_name, participant.nick_key  # a repeated request keeps the assigned suffix
        suffix = self._next_suffix.get(requested_key, 2)
        while True:
            nick = names.with_suffix(requested, suffix)
            nick_key = names.canonical_key(nick)
            suffix += 1
            if self._nick_owners.get(nick_key, member_id) == member_id:
                self._next_suffix[requested_key] = suffix
                return nick, nick_key

    def assign_nick(self, participant: Participant[ConnectionT], nick_name: str, nick_key: str) -> None:
        """Assign a nickname to a participant and release the previous one.

        The caller ensures that no other member owns the nickname (`available_nick`).
        """
        self._release_nick(participant)
        self._nick_owners[nick_key] = participant.member.member_id
        participant.member, participant.nick_key = replace(participant.member, nick_name=nick_name), nick_key

    def remove_participant(self, participant: Participant[ConnectionT]) -> None:
        """Remove a participant and release its nickname.

        The freed nickname, with or without a suffix, is available to the next request.
        """
        del self.participants[participant.member.member_id]
        self._release_nick(participant)

    def subscribe(self, dialect: str, connection: ConnectionT) -> None:
        """Register the connection under a dialect, replacing its previous dialect."""
        self.unsubscribe(connection)
        self.subscribers.setdefault(dialect, {})[connection] = None

    def unsubscribe(self, connection: ConnectionT) -> None:
        """Remove the connection from its dialect.

        Without effect if the connection is not subscribed; a dialect without subscribers is removed from `subscribers`.
        """
        for dialect, subscribers in self.subscribers.items():
            if connection in subscribers:
                del subscribers[connection]
                if not subscribers:
                    del self.subscribers[dialect]
                return

    def _release_nick(self, participant: Participant[ConnectionT]) -> None:
        if self._nick_owners.get(participant.nick_key) == participant.member.member_id:
            del self._nick_owners[participant.nick_key]
            self._next_suffix.clear()


@dataclass(frozen=True, slots=True)
class JoinResult(Generic[ConnectionT]):
    """Result of a join.

    Attributes:
        room: Joined room.
        participant: Participant of the connection.
        is_new: The member had no connection in the room before.
        old_nick: Previous nickname of a present member, None if its canonical key is unchanged.
        client_changed: The client kind of a present member changed.
    """

    room: LiveRoom[ConnectionT]
    participant: Participant[ConnectionT]
    is_new: bool
    old_nick: str | None
    client_changed: bool = False


@dataclass(frozen=True, slots=True)
class LeaveResult(Generic[ConnectionT]):
    """Result of a leave.

    Attributes:
        room: Room of the removed connection.
        participant: Participant of the removed connection.
        is_last: No connection of the member remains in the room.
    """

    room: LiveRoom[ConnectionT]
    participant: Participant[ConnectionT]
    is_last: bool


class RoomRegistry(Generic[ConnectionT]):
    """Registry of all live rooms.

    Attributes:
        rooms: Live rooms by canonical key.
    """

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
        """Add a connection to a room; creates the room and the participant on demand.

        A repeated join replaces the dialect of the connection, and the client kind and nickname of the participant.
        `account` is stored only for a new participant.

        Args:
            connection: Joining connection.
            room_name: Validated room name.
            member_id: Member of the connection.
            nick_name: Requested nickname; the assigned nickname may have a suffix.
            account: Account name of the member, None for guests.
            dialect: Dialect in which the connection receives the events of the room.
            client_kind: Dialect shown to other members as `via`, None for a native client.

        Raises:
            BadRequest: The connection has reached `ROOMS_PER_CONNECTION`, or is in the room as a different member.
        """
        room_key = names.canonical_key(room_name)
        joined_rooms = self._rooms_by_connection.setdefault(connection, {})
        if room_key not in joined_rooms and len(joined_rooms) >= limits.ROOMS_PER_CONNECTION:
            raise errors.BadRequest("too_many_joined_rooms", limit=limits.ROOMS_PER_CONNECTION)
        room = self.rooms.get(room_key)
        if room is None:
            room = self.rooms[room_key] = LiveRoom(room_key, room_name)
        existing = room.connections.get(connection)
        if existing is not None and existing.member.member_id != member_id:
            raise errors.BadRequest("joined_as_other_member")
        nick, nick_key = room.available_nick(nick_name, member_id)
        participant = room.participants.get(member_id)
        is_new = participant is None
        if participant is None:
            participant = room.participants[member_id] = Participant(
                events.Member(member_id=member_id, nick_name=nick, role="member", account=account, via=client_kind),
                nick_key,
            )
        old_member = participant.member
        old_nick = old_member.nick_name if participant.nick_key != nick_key else None
        participant.member = replace(old_member, via=client_kind)
        room.assign_nick(participant, nick, nick_key)
        participant.connections.add(connection)
        room.connections[connection] = participant
        room.subscribe(dialect, connection)
        joined_rooms[room_key] = room
        return JoinResult(room, participant, is_new, old_nick, client_changed=old_member.via != client_kind)

    def leave(self, connection: ConnectionT, room_name: str) -> LeaveResult[ConnectionT]:
        """Remove a connection from one room.

        The participant leaves with its last connection, and the live room ends with its last connection.

        Raises:
            NotJoined: The connection is not in the room.
        """
        room, _ = self.require_membership(connection, room_name)
        return self._remove_connection(connection, room)

    def leave_all(self, connection: ConnectionT) -> list[LeaveResult[ConnectionT]]:
        """Remove a connection from all of its rooms, and return one result per room.

        The list is empty for a connection without rooms.
        """
        return [
            self._remove_connection(connection, room)
            for room in list(self._rooms_by_connection.get(connection, {}).values())
        ]

    def require_membership(
        self, connection: ConnectionT, room_name: str
    ) -> tuple[LiveRoom[ConnectionT], Participant[ConnectionT]]:
        """Return the room and the participant of a connection.

        Raises:
            NotJoined: The connection is not in the room.
        """
        room = self._rooms_by_connection.get(connection, {}).get(names.canonical_key(room_name))
        if room is None:
            raise errors.NotJoined("room_not_joined")
        return room, room.connections[connection]

    def change_nick(
        self, room: LiveRoom[ConnectionT], participant: Participant[ConnectionT], requested: str
    ) -> str | None:
        """Assign a requested nickname, or its next free suffix.

        A change of case alone is a change; the own nickname is always available.

        Returns:
            The previous nickname, or None if the nickname is unchanged.
        """
        nick, nick_key = room.available_nick(requested, participant.member.member_id)
        old_nick = participant.member.nick_name
        if nick == old_nick:
            return None
        room.assign_nick(participant, nick, nick_key)
        return old_nick

    def count_members(self, room_key: str) -> int:
        """Return the number of members present in a room; 0 for a room that is not live."""
        return len(self.rooms[room_key].participants) if room_key in self.rooms else 0

    def get_joined_rooms(self, connection: ConnectionT) -> Iterable[LiveRoom[ConnectionT]]:
        """Return a snapshot of the rooms of a connection."""
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
