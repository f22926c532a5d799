"""Explicit management of rooms: creation, renaming and removal.

- Continuous `seq`: the `seq` of a log never restarts. `RoomRepository.delete` hides a room with entries; the next entry
  or a new creation makes the room visible again and continues the log.
- Unique keys: no two rooms have the same key, even with concurrent writers.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, delete, exc, func, select, update

from server.domain.log_commands import StaleAccess, generate_log_id
from server.storage.executor import Executor, TransactionRunner
from server.storage.group_tables import conversations, groups
from server.storage.log_reader import RoomRecord, room_from_row
from server.storage.statements import get_insert_construct
from server.storage.tables import (
    DELETED,
    PUBLIC,
    REMOVED,
    entries,
    hooks,
    invites,
    memberships,
    rooms,
    sanctions,
    uploads,
)
from tui_chat.protocol.errors import Conflict, NotFound
from tui_chat.protocol.search_query import fold

# Policy columns of a removed room, which a later room of the same name takes over.
_DEFAULT_POLICY = {
    **dict.fromkeys(("speak", "react", "upload"), "everyone"),
    **dict.fromkeys(("topic_policy", "invite_policy"), "members"),
    **{"guest_post": True, "owned": False, "keep_days": None, "keep_messages": None},
}


class RoomRepository:
    """Repository of rooms.

    All methods raise `Unavailable` if the database is not writable.
    """

    def __init__(self, writer: Executor, clock: Callable[[], int]) -> None:
        self._writes = TransactionRunner.for_writes(writer, "the room list")
        self._clock = clock

    async def create(self, key: str, name: str, topic: str) -> RoomRecord:
        """Create a public room with the default policy, or restore a removed one.

        A restored room keeps its id, `log_id` and `seq`. Its name, topic, creation time and activity are replaced, and
        its log starts after the removed entries. The topic is stored without an entry. The room has no owner.

        Raises:
            Conflict: A room with this key exists and is not removed.
        """
        return await self._writes.run(partial(_create, key=key, name=name, topic=topic, now=self._clock()))

    async def rename(self, room_id: int, key: str, name: str) -> None:
        """Change the name of a public room.

        Entries, `log_id` and `seq` are kept, and the rename adds no entry. The same key with another display
        form is permitted.

        Args:
            key: Canonical key of the new name.

        Raises:
            NotFound: No public room has this id.
            Conflict: Another room, possibly a removed one, has this key.
        """
        try:
            await self._writes.run(partial(_rename, room_id=room_id, key=key, name=name))
        except exc.IntegrityError:
            raise Conflict("room_exists") from None

    async def delete(self, room_id: int) -> None:
        """Remove a public room from the list, and delete its row if the log is empty.

        A room with entries keeps its row as `removed`, with the default policy, without a topic and without readable
        entries. Its memberships, sanctions, invites and webhooks are deleted. A later room with this key continues the
        `seq`.

        Raises:
            NotFound: No public room has this id.
            Conflict: The room contains messages that are not deleted.
        """
        await self._writes.run(partial(_delete, room_id=room_id))

    async def delete_with_log(self, key: str, policy_seq: int) -> int:
        """Delete a room with its memberships, sanctions, invites and webhooks, hide its log, and return the last `seq`.

        The name is available immediately, for a room with another `log_id`. The group and its conversations are
        deleted, and its cover is unpinned unless another group has the same. `server.storage.retention` removes the
        entries, and then the row of the room.

        Args:
            key: Canonical key of the name or address.
            policy_seq: `policy_seq` of the permission check.

        Raises:
            StaleAccess: The room has another `policy_seq`, or no longer exists.
        """
        return await self._writes.run(partial(_delete_with_log, key=key, policy_seq=policy_seq))


def _create(connection: Connection, *, key: str, name: str, topic: str, now: int) -> RoomRecord:
    values = {
        **{"name": name, "topic": topic, "topic_key": fold(topic)},
        **{"visibility": PUBLIC, "created_at": now, "active_at": now},
    }
    insert_room = (
        get_insert_construct(connection.dialect)(rooms)
        .values(key=key, log_id=generate_log_id(), first_seq=1, last_seq=0, last_n=0, **values)
        .on_conflict_do_nothing()
    )
    restore_room = update(rooms).where(rooms.c.key == key, rooms.c.visibility == REMOVED).values(**values)
    if not connection.execute(insert_room).rowcount and not connection.execute(restore_room).rowcount:
        raise Conflict("room_exists")
    return room_from_row(connection.execute(select(rooms).where(rooms.c.key == key)).one())


def _rename(connection: Connection, *, room_id: int, key: str, name: str) -> None:
    if not connection.execute(
        update(rooms).where(rooms.c.id == room_id, rooms.c.visibility == PUBLIC).values(key=key, name=name)
    ).rowcount:
        raise NotFound("room_not_found")


def _delete(connection: Connection, *, room_id: int) -> None:
    last_seq = connection.execute(
        select(rooms.c.last_seq).where(rooms.c.id == room_id, rooms.c.visibility == PUBLIC).with_for_update()
    ).scalar_one_or_none()
    if last_seq is None:
        raise NotFound("room_not_found")
    if last_seq == 0:
        connection.execute(delete(rooms).where(rooms.c.id == room_id))
    elif connection.execute(
        select(func.count()).where(
            entries.c.room_id == room_id, entries.c.kind == "message", entries.c.deleted.is_(False)
        )
    ).scalar_one():
        raise Conflict("room_has_messages")
    else:
        connection.execute(
            update(rooms)
            .where(rooms.c.id == room_id)
            .values(visibility=REMOVED, topic="", topic_key="", first_seq=last_seq + 1, **_DEFAULT_POLICY)
        )
        for table in (memberships, sanctions, invites, hooks):
            connection.execute(delete(table).where(table.c.room_id == room_id))


def _delete_with_log(connection: Connection, *, key: str, policy_seq: int) -> int:
    row = connection.execute(
        select(rooms.c.id, rooms.c.last_seq)
        .where(rooms.c.key == key, rooms.c.policy_seq == policy_seq)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise StaleAccess(key)
    room_id, last_seq = row
    connection.execute(
        update(rooms)
        .where(rooms.c.id == room_id)
        .values(
            key=f"&{room_id}",  # no room name starts with this character
            visibility=DELETED,
            first_seq=last_seq + 1,
            direct_key=None,
        )
    )
    cover_id = select(groups.c.cover_id).where(groups.c.room_id == room_id).scalar_subquery()
    other_cover_ids = select(groups.c.cover_id).where(groups.c.room_id != room_id, groups.c.cover_id.is_not(None))
    connection.execute(
        update(uploads).where(uploads.c.id == cover_id, uploads.c.id.not_in(other_cover_ids)).values(is_pinned=False)
    )
    for table in (memberships, sanctions, invites, hooks, groups, conversations):
        connection.execute(delete(table).where(table.c.room_id == room_id))
    return last_seq
