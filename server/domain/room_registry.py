"""Registry of live rooms, their participants and their connections.

- Lifetime: a live room exists while it contains a connection or an observer; its log stays in storage.
- Multi-session members: all connections of a member in a room form one participant. The first connection is the
  join of the member, and the last departure is the leave.
- Status: the status of a member applies in all rooms of the member; the leave of the last room clears the status.

`ConnectionT` is the connection type of the gateway; the registry requires only hashing.
"""

from collections.abc import Generator, Hashable, Mapping
from contextlib import contextmanager
from typing import Generic, TypeVar

from msgspec.structs import replace

from server.domain.account_directory import AccountDirectory
from server.domain.live_room import JoinResult, LeaveResult, LiveRoom, Participant
from server.domain.log_commands import ROOM_CHANGE_RETRY, RoomRef
from tui_chat.protocol import errors, events, limits, names

ConnectionT = TypeVar("ConnectionT", bound=Hashable)


class RoomRegistry(Generic[ConnectionT]):
    """Registry of all live rooms.

    Args:
        account_directory: Directory of reserved names; None for a registry without accounts.

    Attributes:
        rooms: Live rooms by canonical key.
        cluster_counts: Number of members of each room on all nodes of a cluster, by canonical key.
    """

    def __init__(self, account_directory: AccountDirectory | None = None) -> None:
        self._account_directory = account_directory or AccountDirectory()
        self.rooms: dict[str, LiveRoom[ConnectionT]] = {}
        self.cluster_counts: Mapping[str, int] = {}
        self._rooms_by_connection: dict[ConnectionT, dict[str, LiveRoom[ConnectionT]]] = {}  # joined or observed
        self._rooms_by_member: dict[str, set[LiveRoom[ConnectionT]]] = {}
        self._statuses: dict[str, str] = {}  # `Member.away` of members that are away
        self._locked_keys: set[str] = set()

    @contextmanager
    def lock_rooms(self, conflict_reason: str, *room_keys: str) -> Generator[None]:
        """Keep rooms without participants within the context: `join` and `observe` raise `Unavailable`.

        Present observers stay. The rooms need not be live.

        Args:
            conflict_reason: Reason of `Conflict`.
            room_keys: Canonical keys of the rooms.

        Raises:
            Conflict: A room has participants, or is locked already; this call locks no room then.
        """
        keys = {*room_keys}
        if keys & self._locked_keys or any(self.rooms[key].participants for key in keys & self.rooms.keys()):
            raise errors.Conflict(conflict_reason)
        self._locked_keys |= keys
        try:
            yield
        finally:
            self._locked_keys -= keys

    def join(
        self,
        connection: ConnectionT,
        room_name: str,
        member_id: str,
        nick_name: str,
        *,
        dialect: str = "native",
        client_kind: str | None = None,
        account: str | None = None,
    ) -> JoinResult[ConnectionT]:
        """Add a connection to a room; creates the room and the participant on demand.

        A new participant has the role `member`, and the status of the member in its other rooms. A repeated join
        replaces the dialect of the connection, and the client kind and nickname of the participant. A join ends the
        observation of the room by the connection. Nothing is sent.

        Args:
            connection: Joining connection.
            room_name: Validated room name.
            member_id: Member of the connection.
            nick_name: Requested nickname; the assigned nickname may have a suffix.
            dialect: Dialect in which the connection receives the events of the room.
            client_kind: Dialect shown to other members as `via`, None for a native client.
            account: Account name of the member, None for a guest.

        Raises:
            BadRequest: The connection has `ROOMS_PER_CONNECTION` other rooms, joined or observed, or is in the room as
                a different member.
            Unavailable: The room is locked (`lock_rooms`).
        """
        room = self._open_room(connection, room_name)
        existing = room.connections.get(connection)
        if existing is not None and existing.member.member_id != member_id:
            raise errors.BadRequest("joined_as_other_member")
        participant = room.participants.get(member_id)
        is_new = participant is None
        if participant is None:
            member = events.Member(
                member_id=member_id,
                nick_name=nick_name,
                role="member",
                account=account,
                via=client_kind,
                away=self._statuses.get(member_id),
                bot=self._account_directory.is_bot(member_id),
            )
            participant = self.add_participant(room, Participant[ConnectionT](member, ""))
        client_changed = participant.member.via != client_kind
        participant.member = replace(participant.member, via=client_kind)
        old_nick = self.change_nick(room, participant, nick_name)
        participant.connections.add(connection)
        room.connections[connection] = participant
        self._subscribe(connection, room, dialect)
        return JoinResult(room, participant, is_new, None if is_new else old_nick, client_changed)

    def leave(self, connection: ConnectionT, room_name: str) -> LeaveResult[ConnectionT]:
        """Remove a connection from one room.

        The participant leaves with its last connection, and the live room ends with its last connection or observer.
        Nothing is sent.

        Raises:
            NotJoined, NotFound: As `require_membership`.
        """
        return self._remove_connection(connection, self.require_membership(connection, room_name)[0])

    def observe(self, connection: ConnectionT, room_name: str, dialect: str = "native") -> LiveRoom[ConnectionT]:
        """Subscribe a connection to the pushes of a room without membership; creates the room on demand.

        Without effect on a room that the connection has joined. A repeated observation replaces the dialect.

        Raises:
            BadRequest: The connection has `ROOMS_PER_CONNECTION` other rooms, joined or observed.
            Unavailable: The room is locked (`lock_rooms`).
        """
        room = self._open_room(connection, room_name)
        if connection not in room.connections:
            self._subscribe(connection, room, dialect)
        return room

    def is_observer(self, connection: ConnectionT, room_name: str) -> bool:
        """Return whether a connection observes a room; False for a joined room."""
        room = self.find_room(connection, room_name)
        return room is not None and connection not in room.connections

    def unobserve(self, connection: ConnectionT, room_name: str) -> None:
        """End the observation of a room; without effect if the connection does not observe the room.

        A membership stays. The live room ends with its last connection or observer.
        """
        if self.is_observer(connection, room_name):
            self._unsubscribe(connection, self.require_reader(connection, room_name))

    def rename(self, room: LiveRoom[ConnectionT], new_name: str) -> None:
        """Change the name of a live room; `find_room` and `require_reader` accept the old name from present readers.

        Observers of a room with the new name, which is not stored and has no participants, observe the renamed room
        instead. Nothing is sent.
        """
        new_key = names.canonical_key(new_name)
        observers = {} if new_key == room.key else self.end_observations(new_key)
        del self.rooms[room.key]
        room.key, room.name = new_key, new_name
        self.rooms[new_key] = room
        for subscribers in room.subscribers.values():
            for connection in subscribers:
                self._rooms_by_connection[connection][new_key] = room
        for observer, dialect in observers.items():
            if observer not in room.connections:
                self._subscribe(observer, room, dialect)

    def end_observations(self, room_key: str) -> dict[ConnectionT, str]:
        """End all observations of a room, and return the dialects of the former observers; members stay.

        The result is empty for a room without observers, or with an unknown canonical key. Nothing is sent.
        """
        room = self.rooms.get(room_key)
        if room is None:
            return {}
        observers = {
            subscriber: dialect
            for dialect, subscribers in room.subscribers.items()
            for subscriber in subscribers
            if subscriber not in room.connections
        }
        for observer in observers:
            self._unsubscribe(observer, room)
        return observers

    def count_rooms(self, connection: ConnectionT) -> int:
        """Return the number of rooms that a connection has joined or observes."""
        return len(set(self._rooms_by_connection.get(connection, {}).values()))

    def count_observers(self) -> int:
        """Return the number of observations of all rooms; an observer of two rooms counts twice."""
        subscriptions = sum(len(set(rooms.values())) for rooms in self._rooms_by_connection.values())
        return subscriptions - sum(len(room.connections) for room in self.rooms.values())

    def leave_all(self, connection: ConnectionT) -> list[LeaveResult[ConnectionT]]:
        """Remove a connection from all of its rooms, end its observations, and return one result per joined room.

        The results have the order of `get_joined_rooms`. Nothing is sent.
        """
        leave_results = [self._remove_connection(connection, room) for room in self.get_joined_rooms(connection)]
        for room in set(self._rooms_by_connection.get(connection, {}).values()):
            self._unsubscribe(connection, room)
        return leave_results

    def require_membership(
        self, connection: ConnectionT, room_name: str
    ) -> tuple[LiveRoom[ConnectionT], Participant[ConnectionT]]:
        """Return the joined room and the participant of a connection, even under a former name of the room.

        Raises:
            NotJoined, NotFound: As `require_reader`; `NotJoined` also for an observer.
        """
        room = self.require_reader(connection, room_name)
        if (participant := room.connections.get(connection)) is None:
            raise errors.NotJoined("room_not_joined")
        return room, participant

    def find_participant(self, connection: ConnectionT, room_name: str) -> Participant[ConnectionT] | None:
        """Return the participant of a connection in the room with this current name, None without a join."""
        room = self.rooms.get(names.canonical_key(room_name))
        return None if room is None else room.connections.get(connection)

    def find_room(self, connection: ConnectionT, room_name: str) -> LiveRoom[ConnectionT] | None:
        """Return the room that a connection has joined or observes, even under a former name; None without one."""
        return self._rooms_by_connection.get(connection, {}).get(names.canonical_key(room_name))

    def require_reader(self, connection: ConnectionT, room_name: str) -> LiveRoom[ConnectionT]:
        """Return a room that the connection has joined or observes, even under a former name.

        Raises:
            NotJoined: The connection has neither joined nor observed the room.
            NotFound: The same for an address, which may not exist or not be visible.
        """
        room = self.find_room(connection, room_name)
        if room is None:
            if names.is_room_address(room_name):
                raise errors.NotFound("room_not_found")
            raise errors.NotJoined("room_not_joined")
        return room

    def change_nick(
        self, room: LiveRoom[ConnectionT], participant: Participant[ConnectionT], requested: str
    ) -> str | None:
        """Assign the nickname from `LiveRoom.reserve_nick`: the requested one, or one with a suffix.

        A change of case alone is a change. A repeated request for a nickname in use keeps the assigned suffix and is no
        change. The assignment of a nickname that the participant has lost to another node is a change. Nothing is sent.

        Returns:
            The previous nickname, equal to the assigned one after such a loss; None if nothing changed.
        """
        old_nick = participant.member.nick_name
        is_lost = room.find_by_nick(participant.nick_key) is not participant
        nick, nick_key = room.reserve_nick(requested, participant.member.member_id)
        room.assign_nick(participant, nick, nick_key)
        return old_nick if is_lost or nick != old_nick else None

    def set_status(
        self, connection: ConnectionT, away: str | None
    ) -> list[tuple[LiveRoom[ConnectionT], Participant[ConnectionT]]]:
        """Set `Member.away` of the members of a connection in all of their rooms, and return the changed participants.

        The list is empty without joined rooms. Nothing is sent.
        """
        changed: list[tuple[LiveRoom[ConnectionT], Participant[ConnectionT]]] = []
        for member_id in {room.connections[connection].member.member_id for room in self.get_joined_rooms(connection)}:
            if away is None:
                self._statuses.pop(member_id, None)
            else:
                self._statuses[member_id] = away
            for room in self._rooms_by_member[member_id]:
                participant = room.participants[member_id]
                if participant.member.away != away:
                    participant.member = replace(participant.member, away=away)
                    changed.append((room, participant))
        return changed

    def get_member_rooms(self, member_id: str) -> tuple[LiveRoom[ConnectionT], ...]:
        """Return the rooms in which a member is present, in any order."""
        return tuple(self._rooms_by_member.get(member_id, ()))

    def find_common_rooms(self, member_id: str, other_id: str) -> list[LiveRoom[ConnectionT]]:
        """Return the rooms in which two members are present, other than direct rooms."""
        common_rooms = self._rooms_by_member.get(member_id, set()) & self._rooms_by_member.get(other_id, set())
        return [room for room in common_rooms if room.direct is None]

    def get_ref(self, room_name: str) -> RoomRef:
        """Return the reference to a room for commands of persons who need not be in the room.

        A room that is not live has `room_name` as its name and a new random `log_id`.
        """
        room_key = names.canonical_key(room_name)
        room = self.rooms.get(room_key)
        return RoomRef(key=room_key, name=room_name) if room is None else room.to_ref()

    def count_members(self, room_key: str) -> int:
        """Return the number of members present in a room, without observers.

        The members of a room that is not live on this node are counted by `cluster_counts`; an unknown room has 0.
        """
        room = self.rooms.get(room_key)
        return self.cluster_counts.get(room_key, 0) if room is None else len(room.participants)

    def get_joined_rooms(self, connection: ConnectionT) -> tuple[LiveRoom[ConnectionT], ...]:
        """Return a snapshot of the joined rooms of a connection, without observed rooms.

        The rooms are in order of their first join or observation; the snapshot is empty for an unknown connection.
        """
        rooms = dict.fromkeys(self._rooms_by_connection.get(connection, {}).values())
        return tuple(room for room in rooms if connection in room.connections)

    def add_participant(
        self, room: LiveRoom[ConnectionT], participant: Participant[ConnectionT]
    ) -> Participant[ConnectionT]:
        """Add a participant that is not in the room, as `LiveRoom.add_participant`, and return it."""
        room.add_participant(participant)
        self._rooms_by_member.setdefault(participant.member.member_id, set()).add(room)
        return participant

    def remove_absent(self, room: LiveRoom[ConnectionT], participant: Participant[ConnectionT]) -> bool:
        """Remove a participant without connections to any node, and return whether it was removed.

        The removal from the last room of a member deletes its status.
        """
        if participant.connections or participant.nodes:
            return False
        room.remove_participant(participant)
        member_rooms = self._rooms_by_member[participant.member.member_id]
        member_rooms.discard(room)
        if not member_rooms:
            del self._rooms_by_member[participant.member.member_id]
            self._statuses.pop(participant.member.member_id, None)
        return True

    def _remove_connection(self, connection: ConnectionT, room: LiveRoom[ConnectionT]) -> LeaveResult[ConnectionT]:
        """Remove a connection from a joined room, then a participant without connections and a room without readers."""
        participant = room.connections.pop(connection)
        participant.connections.discard(connection)
        is_last = self.remove_absent(room, participant)
        self._unsubscribe(connection, room)
        return LeaveResult(room, participant, is_last)

    def _open_room(self, connection: ConnectionT, room_name: str) -> LiveRoom[ConnectionT]:
        """Return a live room, created on demand; the connection is not added.

        Raises:
            BadRequest: The connection has `ROOMS_PER_CONNECTION` other rooms.
            Unavailable: The room is locked.
        """
        room_key = names.canonical_key(room_name)
        if room_key in self._locked_keys:
            raise errors.Unavailable("room_changing", retry_after=ROOM_CHANGE_RETRY)
        room = self.rooms.get(room_key)
        is_reader = room is not None and self.find_room(connection, room_key) is room
        if not is_reader and self.count_rooms(connection) >= limits.ROOMS_PER_CONNECTION:
            raise errors.BadRequest("too_many_joined_rooms", limit=limits.ROOMS_PER_CONNECTION)
        if room is None:
            room = LiveRoom[ConnectionT](room_key, room_name, account_directory=self._account_directory)
            self.rooms[room_key] = room
        return room

    def _subscribe(self, connection: ConnectionT, room: LiveRoom[ConnectionT], dialect: str) -> None:
        room.subscribe(dialect, connection)
        self._rooms_by_connection.setdefault(connection, {})[room.key] = room

    def _unsubscribe(self, connection: ConnectionT, room: LiveRoom[ConnectionT]) -> None:
        """Remove a reader from a room; after the last one, the room and its members of other nodes are removed."""
        rooms_by_key = self._rooms_by_connection[connection]
        for key in [key for key, read_room in rooms_by_key.items() if read_room is room]:  # including former names
            del rooms_by_key[key]
        if not rooms_by_key:
            del self._rooms_by_connection[connection]
        room.unsubscribe(connection)
        if not room.subscribers:
            del self.rooms[room.key]
            for participant in list(room.participants.values()):  # members of other nodes
                participant.nodes.clear()
                self.remove_absent(room, participant)
