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

from server.domain.connection_limits import PerAddressLimiter
from server.domain.guest_keys import GuestKeys
from server.domain.log_commands import AppendDeletion, AppendTopic, Author, RoomRef
from server.domain.room_registry import RoomRegistry
from server.domain.token_bucket import Rate, TokenBucket
from server.engineio.connection import ClientConnection
from server.storage.database import Database
from server.storage.log_reader import RoomRecord
from tui_chat.protocol.errors import BadRequest, Conflict, Forbidden, NotFound, RateLimited
from tui_chat.protocol.events import Message
from tui_chat.protocol.limits import HISTORY_PAGE, ROOM_LIST_PAGE, ROOMS_PER_CONNECTION, SEQ_MAX
from tui_chat.protocol.names import canonical_key
from tui_chat.protocol.responses import HistoryPage

CATALOG_WRITE_RATE = Rate(100, 10)
"""Rooms made, renamed and removed on this server."""

MAX_DELETABLE_ENTRIES = 2_000
"""A room with a longer log is not removed by a guest: it belongs to those who talked there."""

_DEFAULT_NICK_NAME = "guest"
"""Whoever changes a room need not be in one, and so need not have a nickname."""


class RoomCatalog:
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
        guest_keys: GuestKeys,
        room_registry: RoomRegistry[ClientConnection],
        monotonic: Callable[[], float],
        address_limiter: PerAddressLimiter | None,
    ) -> None:
        self._database = database
        self._guest_keys = guest_keys
        self._room_registry = room_registry
        self._monotonic = monotonic
        self._write_bucket = TokenBucket(CATALOG_WRITE_RATE, monotonic())
        self._address_limiter = address_limiter
        self._created_rooms = WeakKeyDictionary[ClientConnection, set[int]]()

    def count_members(self, room: RoomRecord) -> int:
        """How many are in it now."""
        live_room = self._room_registry.rooms.get(room.key)
        return 0 if live_room is None else len(live_room.participants)

    async def create(self, connection: ClientConnection, name: str, topic: str) -> RoomRecord:
        """A new room, which this connection may change."""
        created_ids = self._created_rooms.setdefault(connection, set())
        if len(created_ids) >= ROOMS_PER_CONNECTION:
            raise BadRequest(f"a connection can make {ROOMS_PER_CONNECTION} rooms")
        if canonical_key(name) in self._room_registry.rooms:
            raise Conflict("there is a room of this name")
        self._acquire_write(connection)
        room = await self._database.rooms.create(canonical_key(name), name, topic)
        created_ids.add(room.id)
        return room

    async def list_public(self) -> list[RoomRecord]:
        """Public rooms, those with the newest activity first."""
        return await self._database.reader.list_rooms(None, ROOM_LIST_PAGE)

    async def get(self, room_id: int) -> RoomRecord:
        """One public room."""
        room = await self._database.reader.find_room(room_id)
        if room is None:
            raise NotFound("there is no such room")
        return room

    async def update(
        self, connection: ClientConnection, room_id: int, name: str | None, topic: str | None
    ) -> RoomRecord:
        """Give a room another name or topic; None leaves it as it is."""
        room = await self._require_owned(connection, room_id)
        if name is not None and name != room.name:
            if room.key in self._room_registry.rooms or (
                canonical_key(name) != room.key and canonical_key(name) in self._room_registry.rooms
            ):
                raise Conflict("somebody is in the room")
            self._acquire_write(connection)
            await self._database.rooms.rename(room_id, canonical_key(name), name)
            room = await self.get(room_id)
        if topic is not None and topic != room.topic:
            room_ref = RoomRef(key=room.key, name=room.name)
            await self._database.journal.append(
                AppendTopic(room=room_ref, author=self._build_author(connection), topic=topic)
            )
        return await self.get(room_id)

    async def delete(self, connection: ClientConnection, room_id: int) -> RoomRecord:
        """Take a room off the list, with all that was said in it.

        Returns:
            The room as it was.
        """
        room = await self._require_owned(connection, room_id)
        if room.key in self._room_registry.rooms:
            raise Conflict("somebody is in the room")
        if room.last_seq > MAX_DELETABLE_ENTRIES:
            raise Conflict("too much was said in the room")
        self._acquire_write(connection)
        author = self._build_author(connection)
        room_ref = RoomRef(key=room.key, name=room.name)
        after = 0
        while after < room.last_seq:
            page = await self._database.reader.read_page(room.key, after=after, limit=HISTORY_PAGE)
            undeleted_seqs = [
                message.seq for message in page.messages if isinstance(message, Message) and not message.deleted
            ]
            commands = [AppendDeletion(room=room_ref, author=author, target=seq) for seq in undeleted_seqs]
            await asyncio.gather(*map(self._database.journal.append, commands))
            after += HISTORY_PAGE
        await self._database.rooms.delete(room_id)
        self._created_rooms[connection].discard(room_id)
        return room

    async def read_messages(self, room_id: int, before: int | None, limit: int) -> tuple[RoomRecord, HistoryPage]:
        """The newest entries of a room with a lesser `seq` than this, ascending."""
        room = await self.get(room_id)
        return room, await self._database.reader.read_page(room.key, before=before or SEQ_MAX, limit=limit)

    async def _require_owned(self, connection: ClientConnection, room_id: int) -> RoomRecord:
        room = await self.get(room_id)
        if room_id not in self._created_rooms.get(connection, ()):
            raise Forbidden("a guest can change only a room that it made on this connection")
        return room

    def _acquire_write(self, connection: ClientConnection) -> None:
        now = self._monotonic()
        retry_after = 0.0 if self._address_limiter is None else self._address_limiter.acquire(connection.address, now)
        if retry_after:
            raise RateLimited("too many rooms are made or changed from this address", round(retry_after, 3))
        retry_after = self._write_bucket.acquire(now)
        if retry_after:
            raise RateLimited("too many rooms are made or changed", round(retry_after, 3))

    def _build_author(self, connection: ClientConnection) -> Author:
        if connection.member_id is None:
            connection.member_id = self._guest_keys.generate_member_id()
        return Author(member_id=connection.member_id, nick_name=_DEFAULT_NICK_NAME, is_moderator=True)
