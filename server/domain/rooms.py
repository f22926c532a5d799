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

from server.domain.drafts import Author, RoomRef
from server.protocol import names
from server.protocol.entries import Member
from server.protocol.errors import BadRequest, NotJoined
from server.protocol.limits import ROOMS_PER_CONNECTION

ConnectionT = TypeVar("ConnectionT", bound=Hashable)


@dataclass(slots=True, eq=False)
class Occupant(Generic[ConnectionT]):
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
    via: str | None = None
    connections: set[ConnectionT] = field(default_factory=set[ConnectionT])
    _member: Member | None = None

    def author(self) -> Author:
        """The same person, as an entry names its author."""
        return Author(
            member_id=self.member_id,
            nick_name=self.nick_name,
            account=self.account,
            moderates=self.role != "member",
        )

    def member(self) -> Member:
        """The same person, as the wire shows a member."""
        if self._member is None:
            self._member = Member(
                member_id=self.member_id,
                nick_name=self.nick_name,
                role=self.role,
                account=self.account,
                via=self.via,
            )
        return self._member

    def come_via(self, via: str | None) -> bool:
        """Its client is of this form now; False when it was before."""
        if via == self.via:
            return False
        self.via, self._member = via, None
        return True

    def call(self, nick_name: str, nick_key: str) -> None:
        """It has this nickname from now on."""
        self.nick_name, self.nick_key = nick_name, nick_key
        self._member = None


@dataclass(slots=True, eq=False)
class Room(Generic[ConnectionT]):
    """A room with somebody in it.

    Attributes:
        name: As it is shown; that of storage, once something was said.
        occupants: By member id, in the order they came.
        connections: Every connection in the room, with the member it is of.
        readers: The same connections, by the form in which they read.
    """

    key: str
    name: str
    occupants: dict[str, Occupant[ConnectionT]] = field(default_factory=dict[str, Occupant[ConnectionT]])
    connections: dict[ConnectionT, Occupant[ConnectionT]] = field(
        default_factory=dict[ConnectionT, "Occupant[ConnectionT]"]
    )
    readers: dict[str, dict[ConnectionT, None]] = field(default_factory=dict[str, "dict[ConnectionT, None]"])
    _holders: dict[str, str] = field(default_factory=dict[str, str])
    _next_number: dict[str, int] = field(default_factory=dict[str, int])

    def ref(self) -> RoomRef:
        """The same room, as a draft names it."""
        return RoomRef(key=self.key, name=self.name)

    def members(self) -> list[Member]:
        """Everybody, in the order they came."""
        return [occupant.member() for occupant in self.occupants.values()]

    def free_nick(self, wanted: str, member_id: str) -> tuple[str, str]:
        """The nickname that this member gets, and its key (rule 3)."""
        wanted_key = names.key(wanted)
        if self._holders.get(wanted_key, member_id) == member_id:
            return wanted, wanted_key
        occupant = self.occupants.get(member_id)
        if occupant is not None and names.is_numbered(occupant.nick_name, wanted):
            return occupant.nick_name, occupant.nick_key  # it asked for this one before, and got what it has
        number = self._next_number.get(wanted_key, 2)
        while True:
            nick = names.numbered(wanted, number)
            nick_key = names.key(nick)
            number += 1
            if self._holders.get(nick_key, member_id) == member_id:
                self._next_number[wanted_key] = number
                return nick, nick_key

    def hold_nick(self, occupant: Occupant[ConnectionT], nick_name: str, nick_key: str) -> None:
        """The member is called so from now on."""
        self._let_go(occupant)
        self._holders[nick_key] = occupant.member_id
        occupant.call(nick_name, nick_key)

    def remove(self, occupant: Occupant[ConnectionT]) -> None:
        """The member is not here any more."""
        del self.occupants[occupant.member_id]
        self._let_go(occupant)

    def read_in(self, form: str, connection: ConnectionT) -> None:
        """The connection reads in this form from now on."""
        self.forget_reader(connection)
        self.readers.setdefault(form, {})[connection] = None

    def forget_reader(self, connection: ConnectionT) -> None:
        """The connection reads no more."""
        for form, readers in self.readers.items():
            if connection in readers:
                del readers[connection]
                if not readers:
                    del self.readers[form]
                return

    def _let_go(self, occupant: Occupant[ConnectionT]) -> None:
        if self._holders.get(occupant.nick_key) == occupant.member_id:
            del self._holders[occupant.nick_key]
            self._next_number.clear()


@dataclass(frozen=True, slots=True)
class Arrival(Generic[ConnectionT]):
    """What a join did.

    Attributes:
        came: The member was not in the room before.
        old_nick: The nickname it had, when the join changed it.
        altered: The member was here, by a client of another form.
    """

    room: Room[ConnectionT]
    occupant: Occupant[ConnectionT]
    came: bool
    old_nick: str | None
    altered: bool = False


@dataclass(frozen=True, slots=True)
class Departure(Generic[ConnectionT]):
    """What a leave did.

    Attributes:
        left: The member has no other connection in the room.
    """

    room: Room[ConnectionT]
    occupant: Occupant[ConnectionT]
    left: bool


class Lobby(Generic[ConnectionT]):
    """All rooms with somebody in them."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room[ConnectionT]] = {}
        self._of: dict[ConnectionT, dict[str, Room[ConnectionT]]] = {}

    def join(
        self,
        connection: ConnectionT,
        room_name: str,
        member_id: str,
        nick_name: str,
        account: str | None = None,
        *,
        form: str = "native",
        via: str | None = None,
    ) -> Arrival[ConnectionT]:
        """Put a connection into a room, as a member with a nickname like the one it wants.

        Args:
            form: In which it reads from now on what happens in the room.
            via: What the others are told of its client's form.

        Raises:
            BadRequest: The connection is in too many rooms.
        """
        room_key = names.key(room_name)
        own_rooms = self._of.setdefault(connection, {})
        if room_key not in own_rooms and len(own_rooms) >= ROOMS_PER_CONNECTION:
            raise BadRequest(f"a connection can be in {ROOMS_PER_CONNECTION} rooms")
        room = self.rooms.get(room_key)
        if room is None:
            room = self.rooms[room_key] = Room(room_key, room_name)
        former = room.connections.get(connection)
        if former is not None and former.member_id != member_id:
            raise BadRequest("this connection is in the room as somebody else")
        nick, nick_key = room.free_nick(nick_name, member_id)
        occupant = room.occupants.get(member_id)
        came = occupant is None
        old_nick = None
        if occupant is None:
            occupant = room.occupants[member_id] = Occupant(member_id, nick, nick_key, account=account, via=via)
        elif occupant.nick_key != nick_key:
            old_nick = occupant.nick_name
        room.hold_nick(occupant, nick, nick_key)
        occupant.connections.add(connection)
        room.connections[connection] = occupant
        room.read_in(form, connection)
        own_rooms[room_key] = room
        return Arrival(room, occupant, came, old_nick, occupant.come_via(via))

    def leave(self, connection: ConnectionT, room_name: str) -> Departure[ConnectionT]:
        """Take a connection out of a room.

        Raises:
            NotJoined: It is not in it.
        """
        room, _ = self.place(connection, room_name)
        return self._depart(connection, room)

    def drop(self, connection: ConnectionT) -> list[Departure[ConnectionT]]:
        """Take a connection out of all its rooms."""
        return [self._depart(connection, room) for room in list(self._of.get(connection, {}).values())]

    def place(self, connection: ConnectionT, room_name: str) -> tuple[Room[ConnectionT], Occupant[ConnectionT]]:
        """The room, and who this connection is in it.

        Raises:
            NotJoined: It is not in it.
        """
        room = self._of.get(connection, {}).get(names.key(room_name))
        if room is None:
            raise NotJoined("join the room first")
        return room, room.connections[connection]

    def rename(self, room: Room[ConnectionT], occupant: Occupant[ConnectionT], wanted: str) -> str | None:
        """Give a member the nickname it wants, or the next free one.

        Returns:
            The nickname it had, or None when it stays as it is.
        """
        nick, nick_key = room.free_nick(wanted, occupant.member_id)
        if nick == occupant.nick_name:
            return None
        old = occupant.nick_name
        room.hold_nick(occupant, nick, nick_key)
        return old

    def rooms_of(self, connection: ConnectionT) -> Iterable[Room[ConnectionT]]:
        """The rooms a connection is in."""
        return tuple(self._of.get(connection, {}).values())

    def _depart(self, connection: ConnectionT, room: Room[ConnectionT]) -> Departure[ConnectionT]:
        occupant = room.connections.pop(connection)
        room.forget_reader(connection)
        occupant.connections.discard(connection)
        own_rooms = self._of[connection]
        del own_rooms[room.key]
        if not own_rooms:
            del self._of[connection]
        left = not occupant.connections
        if left:
            room.remove(occupant)
        if not room.connections:
            del self.rooms[room.key]
        return Departure(room, occupant, left)
