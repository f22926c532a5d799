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

from server.storage.errors import describe_error, is_outage
from server.storage.executor import Executor
from server.storage.row_mapping import entry_from_row, group_reactions
from server.storage.search import search
from server.storage.seq_search import find_first_seq
from server.storage.tables import PUBLIC, REMOVED, entries, reactions, rooms
from tui_chat.protocol import names
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Entry
from tui_chat.protocol.responses import HistoryPage, SearchResponse

MAX_QUEUED_READS = 2_000
"""Reads that may wait for their turn: a disk that hangs must not gather requests without end."""

MAX_PAGE_BYTES = 256 * 1024
"""A page ends early at about so many: the bytes that a connection may be behind are bounded, and past
them it is cut. One that is slow would be cut at each attempt to read on."""

ENTRY_OVERHEAD_BYTES = 256
"""What an entry takes besides its text, and each choice of a reaction under it."""

MAX_QUEUED_SEARCHES = 50
"""Searches that may wait: one runs at a time, so that the others' reads always find a way."""

RETRY_AFTER = 2.0
"""Seconds that a client is told to wait when the database cannot be read."""

_log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

_select_room = select(rooms).where(rooms.c.key == bindparam("key"))
_select_entries = (
    select(entries)
    .where(entries.c.room_id == bindparam("room"), entries.c.seq.between(bindparam("first"), bindparam("last")))
    .order_by(entries.c.seq)
)
_select_reactions = (
    select(reactions)
    .where(reactions.c.room_id == bindparam("room"), reactions.c.target.between(bindparam("first"), bindparam("last")))
    .order_by(reactions.c.target, reactions.c.began, reactions.c.seq)
)


@dataclass(frozen=True, slots=True)
class RoomRecord:
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
class JoinSnapshot:
    """What somebody who comes into a room is shown.

    Attributes:
        room: The room, or None when nothing was ever written in it.
        entries: Ascending, with no hole up to the room's newest.
        has_more: There are entries between `since` (or the beginning) and the first of these.
    """

    room: RoomRecord | None
    entries: list[Entry]
    has_more: bool


class LogReader:
    """Reads snapshots, several at once.

    Every method raises `Unavailable` when the database cannot be read.

    Args:
        clock: Milliseconds.
    """

    def __init__(self, executor: Executor, clock: Callable[[], int]) -> None:
        self._executor = executor
        self._clock = clock
        self._search_slot = asyncio.Semaphore(1)
        self._queued_searches = 0
        self._failing = False
        self._queued_reads = 0

    async def read_join_snapshot(self, room_key: str, *, since: int | None, limit: int) -> JoinSnapshot:
        """The newest entries of a room.

        Args:
            since: Only entries with a greater `seq`.
            limit: No more than this many.
        """
        return await self._run(partial(_read_join_snapshot, key=room_key, since=since or 0, limit=limit))

    async def read_page(
        self,
        room_key: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        at: int | None = None,
        limit: int,
    ) -> HistoryPage:
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
        if sum(anchor is not None for anchor in (before, after, around, at)) != 1:
            raise ValueError("a page takes exactly one of before, after, around and at")
        work = partial(_read_page, key=room_key, before=before, after=after, around=around, at=at, limit=limit)
        return await self._run(work)

    async def search(
        self, text: str, *, room_key: str | None, joined: Collection[str], before: int | None, limit: int
    ) -> SearchResponse:
        """See `server.storage.search`.

        Raises:
            NotFound: There is no such room, or none that the searcher may see.
        """
        if self._queued_searches >= MAX_QUEUED_SEARCHES:
            raise Unavailable("too many searches are waiting", RETRY_AFTER)
        self._queued_searches += 1
        try:
            async with self._search_slot:
                work = partial(search, text=text, room_key=room_key, joined=joined, before=before, limit=limit)
                return await self._run(partial(work, clock=self._clock))
        finally:
            self._queued_searches -= 1

    async def read_entry(self, room_key: str, seq: int) -> Entry | None:
        """One entry in its present state, or None."""
        return await self._run(partial(_read_entry, key=room_key, seq=seq))

    async def list_rooms(self, query: str | None, limit: int) -> list[RoomRecord]:
        """Public rooms, those with the newest activity first.

        Args:
            query: Only rooms whose name contains this; width, case and spacing do not matter.
        """
        name_filter = None
        if query:
            try:
                name_filter = names.canonical_key(query)
            except UnicodeEncodeError:  # no name can contain it
                return []
        return await self._run(partial(_list_rooms, name_filter=name_filter, limit=limit))

    async def find_room(self, room_id: int) -> RoomRecord | None:
        """One public room, or None."""
        return await self._run(partial(_find_room_by_id, room_id=room_id))

    async def _run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        if self._queued_reads >= MAX_QUEUED_READS:
            raise Unavailable("too many requests are waiting to be read", RETRY_AFTER)
        self._queued_reads += 1
        try:
            result = await self._executor.run(work)
        except Exception as error:
            if not is_outage(error):
                raise
            if not self._failing:
                _log.error("the database cannot be read: %s", describe_error(error))
                self._failing = True
            await self._executor.reconnect()
            raise Unavailable("the server cannot read its storage right now", RETRY_AFTER) from error
        finally:
            self._queued_reads -= 1
        if self._failing:
            _log.warning("the database can be read again")
            self._failing = False
        return result


def _read_join_snapshot(connection: Connection, *, key: str, since: int, limit: int) -> JoinSnapshot:
    room = _find_room_by_key(connection, key)
    if room is None:
        return JoinSnapshot(None, [], has_more=False)
    first = max(since + 1, room.last_seq - limit + 1)
    log_entries = _read_entries(connection, room, first, room.last_seq, center=room.last_seq)
    first = log_entries[0].seq if log_entries else first
    return JoinSnapshot(room_from_row(room), log_entries, has_more=first > since + 1)


def _read_page(
    connection: Connection,
    *,
    key: str,
    before: int | None,
    after: int | None,
    around: int | None,
    at: int | None,
    limit: int,
) -> HistoryPage:
    room = _find_room_by_key(connection, key)
    if room is None:
        return HistoryPage(messages=[], has_more=False, last_seq=0)
    if before is not None:
        last = center = min(before - 1, room.last_seq)
        first = max(1, last - limit + 1)
    elif after is not None:
        first = center = after + 1
        last = min(after + limit, room.last_seq)
    else:
        if at is not None:
            around = find_first_seq(connection, room.id, room.last_seq, entries.c.ts, at)
        center = around or 1
        first = max(1, min(center - limit // 2, room.last_seq - limit + 1))
        last = min(first + limit - 1, room.last_seq)
    log_entries = _read_entries(connection, room, first, last, center=center)
    if log_entries:
        first, last = log_entries[0].seq, log_entries[-1].seq
    has_older, has_newer = first > 1, last < room.last_seq
    has_more = has_older if before is not None else has_newer if after is not None else has_older or has_newer
    return HistoryPage(messages=log_entries, has_more=has_more, last_seq=room.last_seq)


def _read_entry(connection: Connection, *, key: str, seq: int) -> Entry | None:
    room = _find_room_by_key(connection, key)
    log_entries = [] if room is None else _read_entries(connection, room, seq, seq, center=seq)
    return log_entries[0] if log_entries else None


def _list_rooms(connection: Connection, *, name_filter: str | None, limit: int) -> list[RoomRecord]:
    query = select(rooms).where(rooms.c.visibility == PUBLIC)
    if name_filter is not None:
        query = query.where(rooms.c.key.contains(name_filter, autoescape=True))
    ordered_query = query.order_by(rooms.c.active_at.desc(), rooms.c.id.desc()).limit(limit)
    return [room_from_row(row) for row in connection.execute(ordered_query)]


def _find_room_by_id(connection: Connection, *, room_id: int) -> RoomRecord | None:
    row = connection.execute(select(rooms).where(rooms.c.id == room_id, rooms.c.visibility == PUBLIC)).one_or_none()
    return None if row is None else room_from_row(row)


def _find_room_by_key(connection: Connection, key: str) -> Row[Any] | None:
    return connection.execute(_select_room, {"key": key}).one_or_none()


def _read_entries(connection: Connection, room: Row[Any], first: int, last: int, *, center: int) -> list[Entry]:
    """The entries from `first` to `last`; of many bytes only those nearest to `near`, at least one."""
    if first > last:
        return []
    bounds = {"room": room.id, "first": first, "last": last}
    rows: Sequence[Row[Any]] = connection.execute(_select_entries, bounds).all()
    reactions_by_target = group_reactions(connection.execute(_select_reactions, bounds).all())
    sizes = [
        len(row.text.encode()) + ENTRY_OVERHEAD_BYTES * (1 + _count_reactions(reactions_by_target.get(row.seq, {})))
        for row in rows
    ]
    low, high, size = 0, len(rows) - 1, sum(sizes)
    while size > MAX_PAGE_BYTES and low < high:
        if center - rows[low].seq >= rows[high].seq - center:
            size -= sizes[low]
            low += 1
        else:
            size -= sizes[high]
            high -= 1
    return [entry_from_row(room.name, row, reactions_by_target.get(row.seq)) for row in rows[low : high + 1]]


def _count_reactions(reactions_by_emoji: dict[str, list[str]]) -> int:
    return sum(len(members) for members in reactions_by_emoji.values())


def room_from_row(row: Row[Any]) -> RoomRecord:
    """A row of `rooms`; one that was removed is, to whoever finds it, an empty public room."""
    return RoomRecord(
        id=row.id,
        key=row.key,
        name=row.name,
        topic=row.topic,
        visibility=PUBLIC if row.visibility == REMOVED else row.visibility,
        last_seq=row.last_seq,
        created_at=row.created_at,
        active_at=row.active_at,
    )
