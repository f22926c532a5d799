"""Removal of log entries: retention of rooms, and the logs of deleted rooms.

- Slices: a transaction removes at most `SLICE_ENTRIES` entries of one room, with their index rows, reactions, mentions
  and references to files. Messages are written between two slices.
- First entry: a slice raises `first_seq` in the same transaction, so that each response is consistent. `seq`, `n` and
  the counts of unread messages stay.
- Deleted rooms: the row of a deleted room is removed after its last entry.
- Cost: an index contains only the rooms with a retention or a deletion.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from server.observability.supervision import Supervisor
from server.storage.executor import Executor, TransactionRunner
from server.storage.job_permit import JobPermit
from server.storage.row_mapping import KIND_MESSAGE
from server.storage.search import find_first_seq
from server.storage.search_index import SearchIndex
from server.storage.tables import (
    DELETED,
    attachments,
    entries,
    has_expiring_entries,
    mentions,
    noop_changes,
    reaction_counts,
    reactions,
    rooms,
)
from tui_chat.protocol.errors import Unavailable

SLICE_ENTRIES = 200
"""Maximum number of entries removed by one transaction."""

_INTERVAL = 60.0  # seconds between two rounds over all rooms
_SLICE_PAUSE = 0.02  # seconds between two slices
_DAY_MS = 24 * 3600 * 1000


class RetentionJob:
    """Background task that removes expired entries."""

    def __init__(self, writer: Executor, clock: Callable[[], int], supervisor: Supervisor, permit: JobPermit) -> None:
        self._writes = TransactionRunner.for_writes(writer, "expired entries")
        self._permit = permit
        self._clock = clock
        self._search_index = SearchIndex(writer.dialect)
        self._task = supervisor.supervise("retention", self._run)

    async def remove_expired(self) -> None:
        """Remove all entries that have expired by now, in slices, and the rows of deleted rooms without entries.

        Raises:
            Unavailable: The database is not writable; earlier slices stay removed.
        """
        for room_id in await self._writes.run(_find_rooms):
            has_more = True
            while has_more:
                has_more = await self._writes.run(
                    partial(_remove_slice, room_id=room_id, now=self._clock(), search_index=self._search_index)
                )
                await asyncio.sleep(_SLICE_PAUSE)

    async def close(self) -> None:
        """Cancel the task and wait for its end; a started transaction commits or is rolled back as a whole."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        """Remove expired entries, first after `_INTERVAL`, while the permit is granted; never returns.

        `_INTERVAL` separates the end of a round from the next one. `Unavailable` ends a round without an error.
        """
        while True:
            await asyncio.sleep(_INTERVAL)
            await self._permit.wait()
            with suppress(Unavailable):  # the next round repeats the slice
                await self.remove_expired()


def _find_rooms(connection: Connection) -> Sequence[int]:
    return connection.execute(select(rooms.c.id).where(has_expiring_entries).order_by(rooms.c.id)).scalars().all()


def _remove_slice(connection: Connection, *, room_id: int, now: int, search_index: SearchIndex) -> bool:
    """Remove at most `SLICE_ENTRIES` of the oldest expired entries of a room; return False if none existed.

    Without expired entries, the row of a deleted room is deleted. An unknown room yields False.
    """
    room = connection.execute(select(rooms).where(rooms.c.id == room_id).with_for_update()).one_or_none()
    if room is None:
        return False
    first_seq = _find_cutoff(connection, room, now)
    in_room = entries.c.room_id == room_id
    oldest = connection.execute(select(func.min(entries.c.seq)).where(in_room)).scalar_one()
    if oldest is None or oldest >= first_seq:
        if room.visibility == DELETED:
            connection.execute(delete(noop_changes).where(noop_changes.c.room_id == room_id))
            connection.execute(delete(rooms).where(rooms.c.id == room_id))
        return False
    end = min(first_seq, oldest + SLICE_ENTRIES)
    connection.execute(update(rooms).where(rooms.c.id == room_id).values(first_seq=max(room.first_seq, end)))
    removed = connection.execute(
        select(entries.c.id, entries.c.text).where(
            in_room, entries.c.seq < end, entries.c.kind == KIND_MESSAGE, entries.c.deleted.is_(False)
        )
    )
    search_index.update(connection, [(row.id, room_id, row.text, None) for row in removed])
    connection.execute(delete(entries).where(in_room, entries.c.seq < end))
    for table, column in (
        (reactions, reactions.c.target),
        (reaction_counts, reaction_counts.c.target),
        (mentions, mentions.c.seq),
        (attachments, attachments.c.seq),
        (noop_changes, noop_changes.c.revision),
    ):
        connection.execute(delete(table).where(table.c.room_id == room_id, column < end))
    return True


def _find_cutoff(connection: Connection, room: Row[Any], now: int) -> int:
    """Return the `seq` of the first entry that has not expired, at least `first_seq`; `last_seq + 1` if all have.

    An entry expires by its age or by the number of newer messages, whichever comes first.
    """
    cutoffs = [room.first_seq]
    if room.keep_days is not None:
        cutoffs.append(find_first_seq(connection, room, entries.c.ts, now - room.keep_days * _DAY_MS))
    if room.keep_messages is not None:
        cutoffs.append(find_first_seq(connection, room, entries.c.n, room.last_n - room.keep_messages + 1))
    return max(cutoffs)
