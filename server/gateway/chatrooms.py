"""The list of rooms as clients keep it: make, find, change, remove, and stream what was said (WIRE, section 2.4).

Rule 1  A guest changes and removes only what it made on this connection. What
        others made is `forbidden`, and what is on no list is `not_found`.
Rule 2  Nobody loses a room under their feet: while somebody else is in it, it is
        neither renamed nor removed. Nor does a room go on under a name that those
        who are in it do not know.
Rule 3  Removing a room deletes its messages by entries of its log, so that whoever
        comes back to it with what they had sees the same.
Rule 4  The list is written to at `WRITES` at most, all connections together: each
        time is a transaction of its own, for which messages wait. Before that each
        address has a rate of its own, so that none uses it up for the others.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from server.domain.addresses import PerAddressLimiter
from server.domain.drafts import AppendDeletion, AppendTopic, Author, RoomRef
from server.domain.guests import GuestKeys
from server.domain.rates import Rate, TokenBucket
from server.domain.rooms import RoomRegistry
from server.gateway.connection import Connection
from server.protocol.answers import HistoryPage
from server.protocol.entries import Message
from server.protocol.errors import BadRequest, Conflict, Forbidden, NotFound, RateLimited
from server.protocol.limits import HISTORY_PAGE, ROOM_LIST_PAGE, ROOMS_PER_CONNECTION, SEQ_MAX
from server.protocol.names import canonical_key
from server.storage.database import Database
from server.storage.queries import RoomRecord

WRITES = Rate(100, 10)
"""Rooms made, renamed and removed on this server."""

REMOVABLE_ENTRIES = 2_000
"""A room with a longer log is not removed by a guest: it belongs to those who talked there."""

_NICK_NAME = "guest"
"""Whoever changes a room need not be in one, and so need not have a nickname."""


class Chatrooms:
    """What can be asked of the list. Every command raises the `ChatError` that refuses it.

    Args:
        database: Where rooms are stored.
        guests: Gives ids to those who have joined nowhere.
        lobby: Who is where.
        monotonic: Gives seconds that never go back.
        of_address: How often one address may write to the list; None for as often as all together.
    """

    def __init__(
        self,
        database: Database,
        guests: GuestKeys,
        lobby: RoomRegistry[Connection],
        monotonic: Callable[[], float],
        of_address: PerAddressLimiter | None,
    ) -> None:
        self._database = database
        self._guests = guests
        self._lobby = lobby
        self._monotonic = monotonic
        self._writes = TokenBucket(WRITES, monotonic())
        self._of_address = of_address
        self._made = WeakKeyDictionary[Connection, set[int]]()

    def members(self, room: RoomRecord) -> int:
        """How many are in it now."""
        present = self._lobby.rooms.get(room.key)
        return 0 if present is None else len(present.participants)

    async def make(self, connection: Connection, name: str, topic: str) -> RoomRecord:
        """A new room, which this connection may change."""
        made = self._made.setdefault(connection, set())
        if len(made) >= ROOMS_PER_CONNECTION:
            raise BadRequest(f"a connection can make {ROOMS_PER_CONNECTION} rooms")
        if canonical_key(name) in self._lobby.rooms:
            raise Conflict("there is a room of this name")
        self._count_write(connection)
        room = await self._database.rooms.create(canonical_key(name), name, topic)
        made.add(room.id)
        return room

    async def all(self) -> list[RoomRecord]:
        """Public rooms, those with the newest activity first."""
        return await self._database.reader.list_rooms(None, ROOM_LIST_PAGE)

    async def find(self, room_id: int) -> RoomRecord:
        """One public room."""
        room = await self._database.reader.find_room(room_id)
        if room is None:
            raise NotFound("there is no such room")
        return room

    async def change(self, connection: Connection, room_id: int, name: str | None, topic: str | None) -> RoomRecord:
        """Give a room another name or topic; None leaves it as it is."""
        room = await self._own(connection, room_id)
        if name is not None and name != room.name:
            if room.key in self._lobby.rooms or (
                canonical_key(name) != room.key and canonical_key(name) in self._lobby.rooms
            ):
                raise Conflict("somebody is in the room")
            self._count_write(connection)
            await self._database.rooms.rename(room_id, canonical_key(name), name)
            room = await self.find(room_id)
        if topic is not None and topic != room.topic:
            ref = RoomRef(key=room.key, name=room.name)
            await self._database.journal.append(AppendTopic(room=ref, author=self._author(connection), topic=topic))
        return await self.find(room_id)

    async def remove(self, connection: Connection, room_id: int) -> RoomRecord:
        """Take a room off the list, with all that was said in it.

        Returns:
            The room as it was.
        """
        room = await self._own(connection, room_id)
        if room.key in self._lobby.rooms:
            raise Conflict("somebody is in the room")
        if room.last_seq > REMOVABLE_ENTRIES:
            raise Conflict("too much was said in the room")
        self._count_write(connection)
        author = self._author(connection)
        ref = RoomRef(key=room.key, name=room.name)
        after = 0
        while after < room.last_seq:
            page = await self._database.reader.read_page(room.key, after=after, limit=HISTORY_PAGE)
            standing = [said.seq for said in page.messages if isinstance(said, Message) and not said.deleted]
            drafts = [AppendDeletion(room=ref, author=author, target=seq) for seq in standing]
            await asyncio.gather(*map(self._database.journal.append, drafts))
            after += HISTORY_PAGE
        await self._database.rooms.delete(room_id)
        self._made[connection].discard(room_id)
        return room

    async def messages(self, room_id: int, before: int | None, limit: int) -> tuple[RoomRecord, HistoryPage]:
        """The newest entries of a room with a lesser `seq` than this, ascending."""
        room = await self.find(room_id)
        return room, await self._database.reader.read_page(room.key, before=before or SEQ_MAX, limit=limit)

    async def _own(self, connection: Connection, room_id: int) -> RoomRecord:
        room = await self.find(room_id)
        if room_id not in self._made.get(connection, ()):
            raise Forbidden("a guest can change only a room that it made on this connection")
        return room

    def _count_write(self, connection: Connection) -> None:
        now = self._monotonic()
        wait = 0.0 if self._of_address is None else self._of_address.acquire(connection.address, now)
        if wait:
            raise RateLimited("too many rooms are made or changed from this address", round(wait, 3))
        wait = self._writes.acquire(now)
        if wait:
            raise RateLimited("too many rooms are made or changed", round(wait, 3))

    def _author(self, connection: Connection) -> Author:
        if connection.member_id is None:
            connection.member_id = self._guests.generate_member_id()
        return Author(member_id=connection.member_id, nick_name=_NICK_NAME, is_moderator=True)
