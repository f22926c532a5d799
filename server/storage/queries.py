"""What is read from storage: a room's log, and lists of rooms.

Rule 1  Each answer is read from one snapshot: its entries, the state they show,
        its `last_seq` and its room fit together.
Rule 2  Pages hold entries of all kinds, so that `seq` has no holes in them;
        messages are in their present state, as of `last_seq`.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, select

from server.protocol import names
from server.protocol.answers import Found, Page
from server.protocol.entries import Entry
from server.protocol.errors import Unavailable
from server.storage.executor import Executor
from server.storage.faults import is_outage, reason
from server.storage.places import first_seq
from server.storage.rows import by_target, entry
from server.storage.searching import search
from server.storage.tables import PUBLIC, REMOVED, entries, reactions, rooms

WAITING_LIMIT = 2_000
"""Reads that may wait for their turn: a disk that hangs must not gather requests without end."""

PAGE_BYTES = 256 * 1024
"""A page ends early at about so many: the bytes that a connection may be behind are bounded, and past
them it is cut. One that is slow would be cut at each attempt to read on."""

ENTRY_BYTES = 256
"""What an entry takes besides its text, and each choice of a reaction under it."""

SEARCHES_WAITING = 50
"""Searches that may wait: one runs at a time, so that the others' reads always find a way."""

RETRY_AFTER = 2.0
"""Seconds that a client is told to wait when the database cannot be read."""

_log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

_room = select(rooms).where(rooms.c.key == bindparam("key"))
_between = (
    select(entries)
    .where(entries.c.room_id == bindparam("room"), entries.c.seq.between(bindparam("first"), bindparam("last")))
    .order_by(entries.c.seq)
)
_reactions = (
    select(reactions)
    .where(reactions.c.room_id == bindparam("room"), reactions.c.target.between(bindparam("first"), bindparam("last")))
    .order_by(reactions.c.target, reactions.c.began, reactions.c.seq)
)


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room in which something was written.

    Attributes:
        id: Stays the same when the room is renamed.
        key: What tells rooms apart.
        name: As it is shown.
        last_seq: The `seq` of its newest entry.
        created_at: When its first entry was written, in milliseconds since the epoch.
        active_at: The `ts` of its newest entry.
    """

    id: int
    key: str
    name: str
    topic: str
    visibility: str
    last_seq: int
    created_at: int
    active_at: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What somebody who comes into a room is shown.

    Attributes:
        room: The room, or None when nothing was ever written in it.
        entries: Ascending, with no hole up to the room's newest.
        has_more: There are entries between `since` (or the beginning) and the first of these.
    """

    room: RoomRow | None
    entries: list[Entry]
    has_more: bool


class Reader:
    """Reads snapshots, several at once.

    Every method raises `Unavailable` when the database cannot be read.

    Args:
        clock: Milliseconds.
    """

    def __init__(self, executor: Executor, clock: Callable[[], int]) -> None:
        self._executor = executor
        self._clock = clock
        self._one_search = asyncio.Semaphore(1)
        self._searches = 0
        self._failing = False
        self._waiting = 0

    async def backlog(self, room_key: str, *, since: int | None, limit: int) -> Backlog:
        """The newest entries of a room.

        Args:
            since: Only entries with a greater `seq`.
            limit: No more than this many.
        """
        return await self._run(partial(_backlog, key=room_key, since=since or 0, limit=limit))

    async def page(
        self,
        room_key: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        at: int | None = None,
        limit: int,
    ) -> Page:
        """A piece of a room's log, ascending; empty for a room that was never written in.

        Args:
            before: The newest entries with a lesser `seq` than this, or
            after: the oldest with a greater one, or
            around: those about this one, itself among them, or
            at: those about the first of this time or later (milliseconds since the
                epoch), or about the last: exactly one of the four.
            limit: No more than this many.

        Raises:
            ValueError: Not exactly one of the three places was given.
        """
        if sum(place is not None for place in (before, after, around, at)) != 1:
            raise ValueError("a page takes exactly one of before, after, around and at")
        page = partial(_page, key=room_key, before=before, after=after, around=around, at=at, limit=limit)
        return await self._run(page)

    async def search(
        self, text: str, *, room_key: str | None, joined: Collection[str], before: int | None, limit: int
    ) -> Found:
        """See `server.storage.searching`.

        Raises:
            NotFound: There is no such room, or none that the searcher may see.
        """
        if self._searches >= SEARCHES_WAITING:
            raise Unavailable("too many searches are waiting", RETRY_AFTER)
        self._searches += 1
        try:
            async with self._one_search:
                found = partial(search, text=text, room_key=room_key, joined=joined, before=before, limit=limit)
                return await self._run(partial(found, clock=self._clock))
        finally:
            self._searches -= 1

    async def entry(self, room_key: str, seq: int) -> Entry | None:
        """One entry in its present state, or None."""
        return await self._run(partial(_entry, key=room_key, seq=seq))

    async def rooms(self, query: str | None, limit: int) -> list[RoomRow]:
        """Public rooms, those with the newest activity first.

        Args:
            query: Only rooms whose name contains this; width, case and spacing do not matter.
        """
        wanted = None
        if query:
            try:
                wanted = names.key(query)
            except UnicodeEncodeError:  # no name can contain it
                return []
        return await self._run(partial(_rooms, wanted=wanted, limit=limit))

    async def room(self, room_id: int) -> RoomRow | None:
        """One public room, or None."""
        return await self._run(partial(_room_of_id, room_id=room_id))

    async def _run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        if self._waiting >= WAITING_LIMIT:
            raise Unavailable("too many requests are waiting to be read", RETRY_AFTER)
        self._waiting += 1
        try:
            found = await self._executor.run(work)
        except Exception as error:
            if not is_outage(error):
                raise
            if not self._failing:
                _log.error("the database cannot be read: %s", reason(error))
                self._failing = True
            await self._executor.reconnect()
            raise Unavailable("the server cannot read its storage right now", RETRY_AFTER) from error
        finally:
            self._waiting -= 1
        if self._failing:
            _log.warning("the database can be read again")
            self._failing = False
        return found


def _backlog(connection: Connection, *, key: str, since: int, limit: int) -> Backlog:
    room = _find(connection, key)
    if room is None:
        return Backlog(None, [], has_more=False)
    first = max(since + 1, room.last_seq - limit + 1)
    found = _read(connection, room, first, room.last_seq, near=room.last_seq)
    first = found[0].seq if found else first
    return Backlog(room_row(room), found, has_more=first > since + 1)


def _page(
    connection: Connection,
    *,
    key: str,
    before: int | None,
    after: int | None,
    around: int | None,
    at: int | None,
    limit: int,
) -> Page:
    room = _find(connection, key)
    if room is None:
        return Page(messages=[], has_more=False, last_seq=0)
    if before is not None:
        last = near = min(before - 1, room.last_seq)
        first = max(1, last - limit + 1)
    elif after is not None:
        first = near = after + 1
        last = min(after + limit, room.last_seq)
    else:
        if at is not None:
            around = first_seq(connection, room.id, room.last_seq, entries.c.ts, at)
        near = around or 1
        first = max(1, min(near - limit // 2, room.last_seq - limit + 1))
        last = min(first + limit - 1, room.last_seq)
    found = _read(connection, room, first, last, near=near)
    if found:
        first, last = found[0].seq, found[-1].seq
    older, newer = first > 1, last < room.last_seq
    has_more = older if before is not None else newer if after is not None else older or newer
    return Page(messages=found, has_more=has_more, last_seq=room.last_seq)


def _entry(connection: Connection, *, key: str, seq: int) -> Entry | None:
    room = _find(connection, key)
    found = [] if room is None else _read(connection, room, seq, seq, near=seq)
    return found[0] if found else None


def _rooms(connection: Connection, *, wanted: str | None, limit: int) -> list[RoomRow]:
    found = select(rooms).where(rooms.c.visibility == PUBLIC)
    if wanted is not None:
        found = found.where(rooms.c.key.contains(wanted, autoescape=True))
    newest_first = found.order_by(rooms.c.active_at.desc(), rooms.c.id.desc()).limit(limit)
    return [room_row(row) for row in connection.execute(newest_first)]


def _room_of_id(connection: Connection, *, room_id: int) -> RoomRow | None:
    found = connection.execute(select(rooms).where(rooms.c.id == room_id, rooms.c.visibility == PUBLIC)).one_or_none()
    return None if found is None else room_row(found)


def _find(connection: Connection, key: str) -> Row[Any] | None:
    return connection.execute(_room, {"key": key}).one_or_none()


def _read(connection: Connection, room: Row[Any], first: int, last: int, *, near: int) -> list[Entry]:
    """The entries from `first` to `last`; of many bytes only those nearest to `near`, at least one."""
    if first > last:
        return []
    place = {"room": room.id, "first": first, "last": last}
    rows: Sequence[Row[Any]] = connection.execute(_between, place).all()
    standing = by_target(connection.execute(_reactions, place).all())
    sizes = [len(row.text.encode()) + ENTRY_BYTES * (1 + _choices(standing.get(row.seq, {}))) for row in rows]
    low, high, size = 0, len(rows) - 1, sum(sizes)
    while size > PAGE_BYTES and low < high:
        if near - rows[low].seq >= rows[high].seq - near:
            size -= sizes[low]
            low += 1
        else:
            size -= sizes[high]
            high -= 1
    return [entry(room.name, row, standing.get(row.seq)) for row in rows[low : high + 1]]


def _choices(reactions_under: dict[str, list[str]]) -> int:
    return sum(len(members) for members in reactions_under.values())


def room_row(row: Row[Any]) -> RoomRow:
    """A row of `rooms`; one that was removed is, to whoever finds it, an empty public room."""
    return RoomRow(
        id=row.id,
        key=row.key,
        name=row.name,
        topic=row.topic,
        visibility=PUBLIC if row.visibility == REMOVED else row.visibility,
        last_seq=row.last_seq,
        created_at=row.created_at,
        active_at=row.active_at,
    )
