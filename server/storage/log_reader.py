"""Read access to room logs and room lists.

- Snapshot isolation: each response comes from one transaction. Entries, their state, `last_seq` and the room are
  consistent with each other.
- Pages: a page contains entries of all kinds without gaps in `seq`. Messages have their state as of `last_seq`.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, select

from server.domain.room_access import AccessState, Requester, RoomAccess
from server.storage.access_reader import (
    access_from_row,
    find_room_row,
    read_access,
    read_accesses,
    read_restricted_keys,
)
from server.storage.executor import MAX_KEYS_PER_QUERY, RETRY_AFTER, Executor, run_or_reconnect
from server.storage.membership_reader import read_memberships
from server.storage.page_size import trim_page
from server.storage.reaction_reader import add_names, read_counts
from server.storage.read_markers import find_read_state
from server.storage.row_mapping import KIND_MESSAGE, entry_from_row
from server.storage.search import SearchResult, find_first_seq, search
from server.storage.tables import PUBLIC, entries, rooms
from tui_chat.protocol import errors, events, names, responses
from tui_chat.protocol.search_query import fold

_MAX_QUEUED_READS = 2_000  # maximum number of queued reads, so that an unresponsive disk cannot accumulate requests

MAX_QUEUED_SEARCHES = 50
"""Maximum number of queued searches; one search runs at a time, so other reads keep free executor slots."""

log = logging.getLogger("chat.storage")

ResultT = TypeVar("ResultT")

_select_entries = (
    select(entries)
    .where(entries.c.room_id == bindparam("room"), entries.c.seq.between(bindparam("first"), bindparam("last")))
    .order_by(entries.c.seq)
)


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """Stored room.

    Attributes:
        id: Stable identifier, independent of the name.
        title: Display name of a room with an address, otherwise empty.
        topic: Topic, empty if unset.
        access: Policy; a removed room has the default one.
        first_seq: `seq` of the first entry that was not removed; `last_seq + 1` if all were removed.
        last_seq: `seq` of the newest entry, 0 for an empty log.
        created_at: Time of the latest creation, in milliseconds (Unix time).
    """

    id: int
    key: str
    name: str
    title: str
    topic: str
    access: RoomAccess
    log_id: str
    first_seq: int
    last_seq: int
    created_at: int


@dataclass(frozen=True, slots=True)
class JoinSnapshot:
    """Initial state of a room for a joining client.

    Attributes:
        room: Stored room, None if the room does not exist in storage.
        entries: Newest entries in ascending order, without gaps up to `last_seq`.
        has_more: Entries exist between `since` (or the start of the log) and the first returned entry.
        read: Read marker of the requested durable member, otherwise None.
    """

    room: RoomRecord | None
    entries: list[events.Entry]
    has_more: bool
    read: responses.ReadState | None = None


class LogReader:
    """Reader of consistent snapshots on a pool of connections.

    All methods raise `Unavailable` if the database is not readable or too many reads are queued.
    """

    def __init__(self, executor: Executor, clock: Callable[[], int]) -> None:
        self._executor = executor
        self._clock = clock
        self._search_slot = asyncio.Semaphore(1)
        self._queued_searches = 0
        self._failing = False
        self._queued_reads = 0

    async def read_join_snapshot(
        self,
        room_key: str,
        *,
        since: int | None,
        limit: int,
        reader: str | None = None,
        marker_of: str | None = None,
    ) -> JoinSnapshot:
        """Return a room with its newest entries; `JoinSnapshot.room` is None for an unknown room.

        A removed room is an empty public room. A page above `MAX_PAGE_BYTES` loses its oldest entries, and `has_more`
        is True; at least one entry remains. A `since` at or after the newest entry yields no entries.

        Args:
            since: Exclude entries up to this `seq`; None excludes none.
            reader: Member id for `own` of reactions; None for a reader whose `own` is always False.
            marker_of: Member id of the account whose read marker is returned, None for a guest.
        """
        return await self.run(
            partial(
                _read_join_snapshot,
                key=room_key,
                since=since or 0,
                limit=limit,
                reader=reader,
                marker_of=marker_of,
            )
        )

    async def read_page(
        self,
        room_key: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        at: int | None = None,
        limit: int,
        reader: str | None = None,
    ) -> responses.HistoryPage:
        """Return a page of a room log in ascending order; empty, with an empty `log_id`, if the room does not exist.

        One of `before`, `after`, `around` and `at` selects the position (docs/protocol.md, "history"). A position
        outside the log yields the entries that exist, possibly none. `has_more` refers to the direction of `before` or
        `after`, and to both directions otherwise. A page above `MAX_PAGE_BYTES` loses the entries farthest from the
        position; at least one entry remains. A removed room has no entries.

        Args:
            before: Entries directly before this `seq`.
            after: Entries directly after this `seq`.
            around: Entries on both sides of this `seq`, including the entry itself; near an end of the log, more of the
                other side.
            at: Entries around the first entry at or after this time in milliseconds; if none exists, the newest ones.
            reader: Member id for `own` of reactions; None for a reader whose `own` is always False.

        Raises:
            ValueError: Not exactly one position is given.
        """
        if sum(anchor is not None for anchor in (before, after, around, at)) != 1:
            raise ValueError("a page takes exactly one of before, after, around and at")
        return await self.run(
            partial(
                _read_page, key=room_key, before=before, after=after, around=around, at=at, limit=limit, reader=reader
            )
        )

    async def search(
        self,
        text: str,
        *,
        room_key: str | None,
        joined: Collection[str],
        searcher: Requester = Requester(member_id=""),  # noqa: B008 (immutable)
        before: int | None,
        limit: int,
    ) -> SearchResult:
        """Return one page of search results; parameters and result as in `server.storage.search.search`.

        One search runs at a time, further ones wait.

        Raises:
            NotFound: The room is not joined, and does not exist or is not visible to the searcher.
            Forbidden: The room is not joined, and the searcher is banned from the room.
            Unavailable: `MAX_QUEUED_SEARCHES` searches are queued or running, or the database is not readable.
        """
        if self._queued_searches >= MAX_QUEUED_SEARCHES:
            raise errors.Unavailable("searches_waiting", retry_after=RETRY_AFTER)
        self._queued_searches += 1
        try:
            async with self._search_slot:
                return await self.run(
                    partial(
                        search,
                        text=text,
                        room_key=room_key,
                        joined=joined,
                        searcher=searcher,
                        before=before,
                        limit=limit,
                        clock=self._clock,
                    )
                )
        finally:
            self._queued_searches -= 1

    async def read_access(self, room_key: str, requester: Requester) -> AccessState:
        """Read as `server.storage.access_reader.read_access`."""
        return await self.run(partial(read_access, key=room_key, requester=requester, now=self._clock()))

    async def read_accesses(self, room_keys: Collection[str], requester: Requester) -> dict[str, AccessState]:
        """Read as `server.storage.access_reader.read_accesses`."""
        return await self.run(partial(read_accesses, keys=room_keys, requester=requester, now=self._clock()))

    async def list_restricted_keys(self) -> list[str]:
        """Read as `server.storage.access_reader.read_restricted_keys`."""
        return await self.run(read_restricted_keys)

    async def list_memberships(self, member_id: str) -> list[responses.OwnRoom]:
        """Read as `server.storage.membership_reader.read_memberships`."""
        return await self.run(partial(read_memberships, member_id=member_id, now=self._clock()))

    async def list_rooms(self, query: str | None, limit: int, live_keys: Collection[str] = ()) -> list[RoomRecord]:
        """Return public rooms, most recently active first.

        An empty query or None matches all rooms. Matching rooms of `live_keys` beyond the limit follow in any order, so
        the list may have more than `limit` rooms.

        Args:
            query: Part of the room name or of the topic; width and case are ignored.
            limit: Maximum number of rooms in order of their activity.
            live_keys: Keys of public rooms that are listed regardless of their activity.
        """
        return await self.run(partial(_list_rooms, query=query, limit=limit, live_keys=live_keys))

    async def find_room(self, room_id: int) -> RoomRecord | None:
        """Return the public room with an id; None for an unknown id and any other room."""
        return await self.run(partial(_find_room_by_id, room_id=room_id))

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run a function in a read transaction; the start and the end of an outage are logged once each.

        Raises:
            Unavailable: `_MAX_QUEUED_READS` reads are queued or running, or the database is not readable.
            Exception: Any other exception of `work`.
        """
        if self._queued_reads >= _MAX_QUEUED_READS:
            raise errors.Unavailable("reads_waiting", retry_after=RETRY_AFTER)
        self._queued_reads += 1
        try:
            result = await run_or_reconnect(self._executor, work, self._report_outage, "storage_unreadable")
        finally:
            self._queued_reads -= 1
        if self._failing:
            log.warning("database reads resumed")
            self._failing = False
        return result

    def _report_outage(self, reason: str) -> None:
        if not self._failing:
            log.error("database read failed: %s", reason)
        self._failing = True


def _read_join_snapshot(
    connection: Connection, *, key: str, since: int, limit: int, reader: str | None, marker_of: str | None
) -> JoinSnapshot:
    room = find_room_row(connection, key)
    if room is None:
        return JoinSnapshot(None, [], has_more=False)
    oldest = max(since + 1, room.first_seq)
    first = max(oldest, room.last_seq - limit + 1)
    log_entries = _read_entries(connection, room, first, room.last_seq, center=room.last_seq, reader=reader)
    first = log_entries[0].seq if log_entries else first
    read = None if marker_of is None else find_read_state(connection, key, marker_of)
    return JoinSnapshot(room_from_row(room), log_entries, has_more=first > oldest, read=read)


def _read_page(
    connection: Connection,
    *,
    key: str,
    before: int | None,
    after: int | None,
    around: int | None,
    at: int | None,
    limit: int,
    reader: str | None,
) -> responses.HistoryPage:
    room = find_room_row(connection, key)
    if room is None:
        return responses.HistoryPage(messages=[], has_more=False, log_id="", first_seq=1, last_seq=0)
    if before is not None:
        last = center = min(before - 1, room.last_seq)
        first = max(room.first_seq, last - limit + 1)
    elif after is not None:
        first = center = max(after + 1, room.first_seq)
        last = min(first + limit - 1, room.last_seq)
    else:
        if at is not None:
            around = find_first_seq(connection, room, entries.c.ts, at)
        center = around or 1
        first = max(room.first_seq, min(center - limit // 2, room.last_seq - limit + 1))
        last = min(first + limit - 1, room.last_seq)
    log_entries = _read_entries(connection, room, first, last, center=center, reader=reader)
    if log_entries:
        first, last = log_entries[0].seq, log_entries[-1].seq
    has_older, has_newer = first > room.first_seq, last < room.last_seq
    has_more = has_older if before is not None else has_newer if after is not None else has_older or has_newer
    return responses.HistoryPage(
        messages=log_entries,
        has_more=has_more,
        log_id=room.log_id,
        first_seq=room.first_seq,
        last_seq=room.last_seq,
    )


def _list_rooms(
    connection: Connection, *, query: str | None, limit: int, live_keys: Collection[str]
) -> list[RoomRecord]:
    matching = select(rooms).where(rooms.c.visibility == PUBLIC)
    if query:
        matching = matching.where(
            rooms.c.key.contains(names.canonical_key(query), autoescape=True)
            | rooms.c.topic_key.contains(fold(query), autoescape=True)
        )
    newest_first = (rooms.c.active_at.desc(), rooms.c.id.desc())
    rows = list(connection.execute(matching.order_by(*newest_first).limit(limit)))
    listed_keys = {row.key for row in rows}
    other_keys = [key for key in live_keys if key not in listed_keys]
    for first in range(0, len(other_keys), MAX_KEYS_PER_QUERY):
        keys = other_keys[first : first + MAX_KEYS_PER_QUERY]
        rows += connection.execute(matching.where(rooms.c.key.in_(keys)))
    return [room_from_row(row) for row in rows]


def _find_room_by_id(connection: Connection, *, room_id: int) -> RoomRecord | None:
    row = connection.execute(select(rooms).where(rooms.c.id == room_id, rooms.c.visibility == PUBLIC)).one_or_none()
    return None if row is None else room_from_row(row)


def _read_entries(
    connection: Connection, room: Row[Any], first: int, last: int, *, center: int, reader: str | None
) -> list[events.Entry]:
    """Return the entries from `first` to `last`, both inclusive; empty if `first` is greater than `last`.

    Above `MAX_PAGE_BYTES`, entries farthest from `center` are dropped; at least one entry remains.
    """
    if first > last:
        return []
    bounds = {"room": room.id, "first": first, "last": last}
    rows: Sequence[Row[Any]] = connection.execute(_select_entries, bounds).all()
    summaries = read_counts(connection, room.id, [row.seq for row in rows if row.kind == KIND_MESSAGE], reader)
    rows = trim_page(rows, room.name, summaries, center)
    summaries = {row.seq: summaries[row.seq] for row in rows if row.seq in summaries}
    add_names(connection, room.id, summaries)
    rows = trim_page(rows, room.name, summaries, center)
    return [entry_from_row(room.name, row, summaries.get(row.seq)) for row in rows]


def room_from_row(row: Row[Any]) -> RoomRecord:
    """Return a row of `rooms` as a record; a removed room appears as an empty public room."""
    return RoomRecord(
        id=row.id,
        key=row.key,
        name=row.name,
        title=row.title,
        topic=row.topic,
        access=access_from_row(row),
        log_id=row.log_id,
        first_seq=row.first_seq,
        last_seq=row.last_seq,
        created_at=row.created_at,
    )
