"""Reads of the newest part of room logs, for nodes that follow the commits of other nodes."""

from collections.abc import Collection
from functools import partial

from msgspec import Struct, structs
from sqlalchemy import ColumnElement, Connection, and_, select

from server.storage.executor import MAX_KEYS_PER_QUERY
from server.storage.log_reader import LogReader
from server.storage.row_mapping import entry_from_row
from server.storage.tables import DELETED, REMOVED, entries, rooms
from tui_chat.protocol import events

TAIL_PAGE = 200
"""Maximum number of entries of one read."""


class LogPosition(Struct, frozen=True):
    """End of a room log.

    Attributes:
        last_seq: `seq` of the newest entry, 0 for an empty log.
        last_id: Id of the newest entry, 0 for an empty log or a removed entry.
    """

    room_id: int
    key: str
    name: str
    last_seq: int
    last_id: int


class LogTail(Struct, frozen=True):
    """First entries of a room log after a `seq`.

    Attributes:
        position: End of the room log, possibly after the last entry of `entries`.
        first_seq: `seq` of the first entry that was not removed.
        entries: At most `TAIL_PAGE` entries in ascending order, including stored ones below `first_seq`; messages with
            their current text, without reactions.
    """

    position: LogPosition
    first_seq: int
    entries: list[events.Entry]

    def restore_names(self, key: str) -> list[events.Entry]:
        """Return the entries with the name that the room had at each of them; unchanged if the key is the current one.

        The entries up to that of a rename have the former name, because readers know the room by this name until then.

        Args:
            key: Canonical key of the room before the entries, which is their name up to the first rename.
        """
        if self.position.key == key:
            return self.entries
        name, named = key, list[events.Entry]()
        for entry in self.entries:
            named.append(structs.replace(entry, room=name))
            if isinstance(entry, events.PolicyChange) and entry.new_name is not None:
                name = entry.new_name
        return named


class LogTailReader:
    """Reader of log ends.

    All methods raise `Unavailable` if the database is not readable or too many reads are queued.
    """

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    async def read_positions(self, room_ids: Collection[int], keys: Collection[str]) -> list[LogPosition]:
        """Return the ends of the logs of rooms by id and by canonical key, in any order.

        Unknown, removed and deleted rooms are omitted. A room that is given by id and by key occurs twice.
        """
        positions: list[LogPosition] = []
        for column, values in ((rooms.c.id, list(room_ids)), (rooms.c.key, list(keys))):
            for start in range(0, len(values), MAX_KEYS_PER_QUERY):
                is_room = column.in_(values[start : start + MAX_KEYS_PER_QUERY])
                positions += await self._reader.run(partial(_read_positions, is_room=is_room))
        return positions

    async def read_tail(self, room_id: int, key: str, after: int) -> LogTail | None:
        """Return the first entries after a `seq`, possibly none; None for a room that is removed, deleted or unknown.

        Args:
            room_id: Id of the room, 0 to select by key.
            after: Exclusive lower bound of `seq`.
        """
        is_room = rooms.c.id == room_id if room_id else rooms.c.key == key
        return await self._reader.run(partial(_read_tail, is_room=is_room, after=after))


def _read_positions(connection: Connection, *, is_room: ColumnElement[bool]) -> list[LogPosition]:
    newest = and_(entries.c.room_id == rooms.c.id, entries.c.seq == rooms.c.last_seq)
    statement = (
        select(rooms.c.id, rooms.c.key, rooms.c.name, rooms.c.last_seq, entries.c.id)
        .select_from(rooms.outerjoin(entries, newest))
        .where(is_room, rooms.c.visibility.not_in((DELETED, REMOVED)))
    )
    return [
        LogPosition(room_id, key, name, last_seq, entry_id or 0)
        for room_id, key, name, last_seq, entry_id in connection.execute(statement)
    ]


def _read_tail(connection: Connection, *, is_room: ColumnElement[bool], after: int) -> LogTail | None:
    positions = _read_positions(connection, is_room=is_room)
    if not positions:
        return None
    (position,) = positions
    first_seq = connection.execute(select(rooms.c.first_seq).where(rooms.c.id == position.room_id)).scalar_one()
    statement = (
        select(entries)
        .where(entries.c.room_id == position.room_id, entries.c.seq > after)
        .order_by(entries.c.seq)
        .limit(TAIL_PAGE)
    )
    tail = [entry_from_row(position.name, row) for row in connection.execute(statement)]
    return LogTail(position, first_seq, tail)
