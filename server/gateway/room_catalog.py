"""Room management for `resource_crud` clients (docs/dialects.md, "resource_crud").

- Ownership: a guest may update and delete only rooms created on the same connection. Other rooms result in `forbidden`,
  and rooms outside the public list in `not_found`.
- Stability: a guest can neither rename nor delete a room with members present. A join during the change of a room is
  refused with `room_changing`.
- Observers: a rename moves the observers to the new name, and a removal ends their observation; both are pushed.
- Deletion in the log: the deletion of a room appends a deletion for each message, so that clients with cached entries
  reach the same state.
- Rate limits: each write is a separate transaction that delays messages. All connections share `_CATALOG_WRITE_RATE`;
  the limit per address prevents one address from exhausting the shared rate.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from heapq import nlargest
from weakref import WeakKeyDictionary

from server.domain.log_commands import AppendDeletion, AppendTopic, RoomRef
from server.domain.permissions import Action
from server.domain.rate_limits import PerAddressLimiter, Rate, TokenBucket
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.identity import IdentityResolver
from server.gateway.room_access import RoomAccessControl
from server.storage.database import Database
from server.storage.log_reader import RoomRecord
from tui_chat.protocol import errors, events, limits, names, responses

_CATALOG_WRITE_RATE = Rate(100, 10)  # rate of room creations, renames and deletions on this server

MAX_DELETABLE_ENTRIES = 2_000
"""Maximum number of log entries in a room that a guest may delete, to protect the messages of other members."""


class RoomCatalog:
    """Room list and room management; a rejected operation raises a `ChatError`.

    Args:
        database: Storage of rooms and entries.
        identity: Source of member ids for the authors of changes.
        room_registry: Rooms with members.
        access_control: Permission checks.
        monotonic: Monotonic clock, in seconds.
        address_limiter: Rate limit of writes per address; None for the shared rate only.

    Attributes:
        count_cluster_members: Returns the number of members of each room on all nodes, by canonical key; None for a
            single node.
        on_rename: Called after a rename without an entry, with the former key and the new name.
        on_deletion: Called with the canonical key of a deleted room.
    """

    def __init__(
        self,
        database: Database,
        identity: IdentityResolver,
        room_registry: RoomRegistry[ClientConnection],
        access_control: RoomAccessControl,
        *,
        monotonic: Callable[[], float],
        address_limiter: PerAddressLimiter | None,
    ) -> None:
        self._database = database
        self._identity = identity
        self._room_registry = room_registry
        self._access_control = access_control
        self._monotonic = monotonic
        self._write_bucket = TokenBucket(_CATALOG_WRITE_RATE, monotonic())
        self._address_limiter = address_limiter
        self.count_cluster_members: Callable[[], Awaitable[Mapping[str, int]]] | None = None
        self.on_rename: Callable[[str, str], None] = lambda _key, _new_name: None
        self.on_deletion: Callable[[str], None] = lambda _key: None
        self._created_rooms = WeakKeyDictionary[ClientConnection, set[int]]()

    async def create(self, connection: ClientConnection, name: str, topic: str) -> RoomRecord:
        """Create a public room; this connection may update and delete the room.

        The creator does not join the room. A removed room with the same key is restored with its id, `log_id` and
        `seq`, but without its earlier entries.

        Args:
            connection: Owner of the room, until its disconnect.
            name: Validated room name.
            topic: Validated topic, empty for none.

        Raises:
            BadRequest: The connection has created `ROOMS_PER_CONNECTION` rooms that it did not delete.
            RoomInvalid: The name is an address.
            Forbidden: The person may not create rooms.
            Conflict: A room with this key has members, is being changed or is stored; a stored one consumes a token of
                the write rates.
            RateLimited: A write rate is exceeded.
            Unavailable: The database is not writable.
        """
        created_ids = self._created_rooms.setdefault(connection, set())
        if len(created_ids) >= limits.ROOMS_PER_CONNECTION:
            raise errors.BadRequest("too_many_created_rooms", limit=limits.ROOMS_PER_CONNECTION)
        require_no_address(name)
        self._access_control.require_room_creation(connection)
        key = names.canonical_key(name)
        with self._room_registry.lock_rooms("room_exists", key):
            self.acquire_write(connection)
            room = await self._database.rooms.create(key, name, topic)
        created_ids.add(room.id)
        return room

    async def list_summaries(self, query: str | None, limit: int) -> list[responses.RoomSummary]:
        """Return public rooms, stored or with members on this node, largest number of members on all nodes first.

        Rooms without members follow, latest activity first. A room with members that is not stored, or was removed,
        has an empty topic and the `last_seq` 0, and is found by its name only. In a cluster, the call updates
        `RoomRegistry.cluster_counts`.

        Args:
            query: Part of the room name or of the topic; None or an empty query selects all rooms.
            limit: Maximum number of rooms.
        """
        if self.count_cluster_members is not None:
            self._room_registry.cluster_counts = await self.count_cluster_members()
        live_rooms = sorted(
            (
                room
                for room in self._room_registry.rooms.values()
                if room.participants and (room.access is None or room.access.policy.visibility == "public")
            ),
            key=lambda room: -len(room.participants),
        )
        if not query:
            live_rooms = live_rooms[:limit]
        counts = self._room_registry.cluster_counts
        busiest = [room.key for room in live_rooms] + nlargest(limit, counts, key=counts.__getitem__)
        records = await self._database.reader.list_rooms(query, limit, list(dict.fromkeys(busiest)))
        summaries = {
            record.key: responses.RoomSummary(
                name=record.name,
                topic=record.topic,
                members=self._room_registry.count_members(record.key),
                last_seq=record.last_seq,
            )
            for record in records
        }
        key_part = names.canonical_key(query) if query else ""
        for room in live_rooms:
            is_stored = room.access is None or room.access.is_stored
            if key_part in room.key and room.key not in summaries and not is_stored:
                summaries[room.key] = responses.RoomSummary(
                    name=room.name, topic="", members=len(room.participants), last_seq=0
                )
        return sorted(summaries.values(), key=lambda summary: -summary.members)[:limit]

    async def list_public(self) -> list[RoomRecord]:
        """Return up to `ROOM_LIST_PAGE` stored public rooms, latest activity first."""
        return await self._database.reader.list_rooms(None, limits.ROOM_LIST_PAGE)

    async def get(self, room_id: int) -> RoomRecord:
        """Return a stored public room.

        Raises:
            NotFound: No stored public room has this id.
        """
        room = await self._database.reader.find_room(room_id)
        if room is None:
            raise errors.NotFound("room_not_found")
        return room

    async def find(self, room_name: str) -> RoomRecord:
        """Return a stored public room.

        Raises:
            NotFound: No stored public room has this name.
        """
        for room in await self._database.reader.list_rooms(None, 0, [names.canonical_key(room_name)]):
            return room
        raise errors.NotFound("room_not_found")

    async def update(
        self, connection: ClientConnection, room_id: int, name: str | None, topic: str | None
    ) -> RoomRecord:
        """Change the name or the topic of a room, and return the room; None keeps the current value.

        A new name requires a room without members and a token of the write rates; a new topic requires neither. A
        rename moves the observers, who receive `roomRenamed`. A new topic is an entry of the log. A failed topic change
        keeps the new name. A value equal to the current one has no effect.

        Raises:
            NotFound: No public room has this id.
            Forbidden: Another connection created the room, the person is banned from the room, or may not set the
                topic.
            Conflict: The new name belongs to another room, or the room or a room with the new name has members or is
                being changed.
            RoomInvalid: The new name is an address.
            RateLimited: A write rate is exceeded.
            StaleAccess: The access changed between the check and the write of the topic.
            Unavailable: The database failed, or the journal is overloaded.
        """
        room = await self._require_owned(connection, room_id)
        if name is not None and name != room.name:
            require_no_address(name)
            new_key = names.canonical_key(name)
            with self._room_registry.lock_rooms("room_not_empty", room.key, new_key):
                await self._require_empty(room.key, new_key)
                self.acquire_write(connection)
                await self._database.rooms.rename(room_id, new_key, name)
            self.on_rename(room.key, name)
            frame = encode_event(events.ROOM_RENAMED, events.RoomRenamedPush(room=room.name, new_name=name))
            for observer, dialect in self._room_registry.end_observations(room.key).items():
                self._room_registry.observe(observer, name, dialect)
                observer.push(frame)
            room = await self.get(room_id)
        if topic is not None and topic != room.topic:
            await self.set_topic(connection, room.name, topic)
        return await self.get(room_id)

    async def set_topic(self, connection: ClientConnection, room_name: str, topic: str) -> None:
        """Append a new topic by the person of the connection, who need not have joined.

        Raises:
            NotFound: The room is not visible.
            Forbidden: The person may not set the topic, or not create a missing room.
            StaleAccess: The access changed between the check and the write.
        """
        author = self._identity.build_author(connection)
        state = await self._access_control.authorize(connection, room_name, author.member_id, Action.SET_TOPIC)
        await self._database.journal.append(
            AppendTopic(
                room=self._room_registry.get_ref(room_name),
                author=author,
                topic=topic,
                policy_seq=state.access.policy_seq,
            )
        )

    async def delete(self, connection: ClientConnection, room_id: int) -> RoomRecord:
        """Remove a room after a deletion entry for each of its messages, and return the room before the deletion.

        Observers receive `roomRemoved`, and their observation ends. After a failure, the room stays, and a part of the
        messages may be deleted.

        Raises:
            NotFound: No public room has this id.
            Forbidden: Another connection created the room, or the person is banned from the room.
            Conflict: The room has more than `MAX_DELETABLE_ENTRIES` entries, has members or is being changed, or
                received a message during the deletion.
            RateLimited: A write rate is exceeded.
            Unavailable: The database failed, or the journal is overloaded.
        """
        room = await self._require_owned(connection, room_id)
        if room.last_seq > MAX_DELETABLE_ENTRIES:
            raise errors.Conflict("room_too_large", limit=MAX_DELETABLE_ENTRIES)
        with self._room_registry.lock_rooms("room_not_empty", room.key):
            await self._require_empty(room.key)
            self.acquire_write(connection)
            author = self._identity.build_author(connection)
            room_ref = RoomRef(key=room.key, name=room.name)
            after, has_more = 0, True
            while has_more:
                page = await self._database.reader.read_page(room.key, after=after, limit=limits.HISTORY_PAGE)
                await asyncio.gather(
                    *(
                        self._database.journal.append(
                            AppendDeletion(room=room_ref, author=author, target=entry.seq, any_author=True)
                        )
                        for entry in page.messages
                        if isinstance(entry, events.Message) and not entry.deleted
                    )
                )
                after, has_more = page.messages[-1].seq if page.messages else after, page.has_more
            await self._database.rooms.delete(room_id)
        self.on_deletion(room.key)
        frame = encode_event(events.ROOM_REMOVED, events.RoomRemovedPush(room=room.name))
        for observer in self._room_registry.end_observations(room.key):
            observer.push(frame)
        self._created_rooms[connection].discard(room_id)
        return room

    async def read_messages(
        self, connection: ClientConnection, room_id: int, before: int | None, limit: int
    ) -> tuple[RoomRecord, responses.HistoryPage]:
        """Return a room and its newest entries with a `seq` below `before`, if given (`LogReader.read_page`).

        Raises:
            NotFound: No public room has this id.
            Forbidden: The person is banned from the room.
        """
        room = await self.get(room_id)
        await self._require_access(connection, room)
        return room, await self._database.reader.read_page(room.key, before=before or limits.SEQ_MAX, limit=limit)

    def acquire_write(self, connection: ClientConnection) -> None:
        """Acquire a token of the write rate of the address, then one of the write rate of the server.

        Raises:
            RateLimited: A rate is exceeded; above the rate of the server, the token of the address is used up.
        """
        now = self._monotonic()
        retry_after = 0.0 if self._address_limiter is None else self._address_limiter.acquire(connection.address, now)
        if retry_after:
            raise errors.RateLimited("too_many_address_room_changes", retry_after=round(retry_after, 3))
        retry_after = self._write_bucket.acquire(now)
        if retry_after:
            raise errors.RateLimited("too_many_room_changes", retry_after=round(retry_after, 3))

    async def _require_empty(self, *room_keys: str) -> None:
        """Check in a cluster that rooms have no members on any node, by counts that may be a few seconds old.

        Raises:
            Conflict: A room has members.
        """
        if self.count_cluster_members is not None:
            counts = await self.count_cluster_members()
            if any(counts.get(key) for key in room_keys):
                raise errors.Conflict("room_not_empty")

    async def _require_owned(self, connection: ClientConnection, room_id: int) -> RoomRecord:
        """Return a public room that the connection has created.

        Raises:
            NotFound: No public room has this id.
            Forbidden: Another connection created the room, or the person is banned from the room.
        """
        room = await self.get(room_id)
        if room_id not in self._created_rooms.get(connection, ()):
            raise errors.Forbidden("room_not_owner")
        await self._require_access(connection, room)
        return room

    async def _require_access(self, connection: ClientConnection, room: RoomRecord) -> None:
        """Check that the person may read the room.

        Raises:
            NotFound: The room is not visible.
            Forbidden: The person is banned from the room.
        """
        await self._access_control.authorize(connection, room.name, self._identity.get_member_id(connection) or "")


def require_no_address(name: str) -> None:
    """Raise `RoomInvalid` for the address of a private room."""
    if names.is_room_address(name):
        raise errors.RoomInvalid("room_name_reserved", character=name[0])
