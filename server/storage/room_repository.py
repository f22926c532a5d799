"""Rooms as a list that people keep: made, renamed and removed on purpose, besides those that talk opens.

Rule 1  A room's `seq` never begins anew while its row is there. So a room in whose
        log something was written is not deleted but taken off the list; the next
        entry, or making it again, puts it back, and its log goes on.
Rule 2  Two rooms never have the same key, whoever makes or renames them at once.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from server.storage.errors import describe_error, is_outage
from server.storage.executor import Executor
from server.storage.log_reader import RETRY_AFTER, RoomRecord, room_from_row
from server.storage.statements import upsert_insert
from server.storage.tables import PUBLIC, REMOVED, entries, rooms
from tui_chat.protocol.errors import Conflict, NotFound, Unavailable

_log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")


class RoomRepository:
    """Every method raises `Unavailable` when the database cannot be written.

    Args:
        writer: Runs one transaction at a time.
        clock: Milliseconds since the epoch.
    """

    def __init__(self, writer: Executor, clock: Callable[[], int]) -> None:
        self._writer = writer
        self._clock = clock

    async def create(self, key: str, name: str, topic: str) -> RoomRecord:
        """A new room on the list.

        Raises:
            Conflict: There is one with this key.
        """
        return await self._run(partial(_create, key=key, name=name, topic=topic, now=self._clock()))

    async def rename(self, room_id: int, key: str, name: str) -> None:
        """Another name for a room.

        Raises:
            NotFound: There is no such room on the list.
            Conflict: There is another one with this key.
        """
        try:
            await self._run(partial(_rename, room_id=room_id, key=key, name=name))
        except IntegrityError:
            raise Conflict("there is a room of this name") from None

    async def delete(self, room_id: int) -> None:
        """Take a room off the list, for good when its log is empty.

        Raises:
            NotFound: There is no such room on the list.
            Conflict: There are messages in it that were not deleted.
        """
        await self._run(partial(_delete, room_id=room_id))

    async def _run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        try:
            return await self._writer.run(work)
        except Exception as error:
            if not is_outage(error):
                raise
            _log.error("the list of rooms cannot be written: %s", describe_error(error))
            await self._writer.reconnect()
            raise Unavailable("the server cannot save anything right now", RETRY_AFTER) from error


def _create(connection: Connection, *, key: str, name: str, topic: str, now: int) -> RoomRecord:
    values = {"name": name, "topic": topic, "visibility": PUBLIC, "created_at": now, "active_at": now}
    insert_room = (
        upsert_insert(connection.dialect)(rooms).values(key=key, last_seq=0, **values).on_conflict_do_nothing()
    )
    restore_room = update(rooms).where(rooms.c.key == key, rooms.c.visibility == REMOVED).values(**values)
    if not connection.execute(insert_room).rowcount and not connection.execute(restore_room).rowcount:
        raise Conflict("there is a room of this name")
    return room_from_row(connection.execute(select(rooms).where(rooms.c.key == key)).one())


def _rename(connection: Connection, *, room_id: int, key: str, name: str) -> None:
    update_name = update(rooms).where(rooms.c.id == room_id, rooms.c.visibility == PUBLIC).values(key=key, name=name)
    if not connection.execute(update_name).rowcount:
        raise NotFound("there is no such room")


def _delete(connection: Connection, *, room_id: int) -> None:
    select_last_seq = (
        select(rooms.c.last_seq).where(rooms.c.id == room_id, rooms.c.visibility == PUBLIC).with_for_update()
    )
    last_seq = connection.execute(select_last_seq).scalar_one_or_none()
    if last_seq is None:
        raise NotFound("there is no such room")
    if last_seq == 0:
        connection.execute(delete(rooms).where(rooms.c.id == room_id))
        return
    count_messages = select(func.count()).where(
        entries.c.room_id == room_id, entries.c.kind == "message", entries.c.deleted.is_(False)
    )
    if connection.execute(count_messages).scalar_one():
        raise Conflict("something was said in the room meanwhile")
    connection.execute(update(rooms).where(rooms.c.id == room_id).values(visibility=REMOVED, topic=""))
