"""Read markers of accounts, and the mentions of an account in all rooms.

- Unread messages: the difference of two ordinals (`rooms.last_n`, `memberships.read_n`), without a row per recipient.
- Mentions: rows of `mentions` after the read marker. Mentions by blocked members do not count.
- Group commit: moves within `COMMIT_INTERVAL` share one transaction, so that readers do not delay the logs.
"""

import asyncio
from functools import partial
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)

from server.storage.executor import Executor, TransactionRunner
from server.storage.row_mapping import KIND_MESSAGE
from server.storage.search import SearchResult, messages_from_rows, select_entries_with_rooms
from server.storage.statements import move_marker
from server.storage.tables import ALL_MEMBERS, blocks, entries, memberships, mentions, rooms
from tui_chat.protocol.limits import SEQ_MAX
from tui_chat.protocol.responses import ReadState

COMMIT_INTERVAL = 0.05
"""Maximum delay of the write of a marker, in seconds."""

MAX_SCANNED_MENTIONS = 2_000
"""Maximum number of mentions of all members, in any rooms, that one page examines."""

_ALL_MEMBERS = literal_column(f"'{ALL_MEMBERS}'", Text)


def _is_author_blocked() -> ColumnElement[bool]:
    """Return a condition on `mentions` and `memberships`: the durable member has blocked the author of the mention."""
    return (
        select(literal_column("1", Integer))
        .where(blocks.c.member_id == memberships.c.member_id, blocks.c.blocked_id == mentions.c.author_id)
        .correlate(memberships, mentions)
        .exists()
    )


READ_COLUMNS: tuple[ColumnElement[int], ...] = (
    memberships.c.read_seq,
    (rooms.c.last_n - memberships.c.read_n).label("unread"),
    select(func.count())
    .where(
        mentions.c.member_id.in_((memberships.c.member_id, _ALL_MEMBERS)),
        mentions.c.room_id == memberships.c.room_id,
        mentions.c.seq > memberships.c.read_seq,
        ~_is_author_blocked(),
    )
    .correlate(memberships)
    .scalar_subquery()
    .label("mentions"),
)
"""Columns of a read marker (`to_read_state`), for queries of `memberships` joined with `rooms`."""

_MARKER_COLUMNS: list[ColumnElement[Any]] = [
    *(rooms.c.id, rooms.c.name, rooms.c.first_seq, rooms.c.last_seq, rooms.c.last_n),
    *READ_COLUMNS,
]
_select_marker: Select[Any] = (
    select(*_MARKER_COLUMNS)
    .join(memberships, memberships.c.room_id == rooms.c.id)
    .where(rooms.c.key == bindparam("key"), memberships.c.member_id == bindparam("member"))
)
_select_ordinal = select(entries.c.n, entries.c.kind).where(
    entries.c.room_id == bindparam("room"), entries.c.seq == bindparam("seq")
)


class MarkerMove(Struct, frozen=True):
    """Result of a request to move a read marker.

    Attributes:
        read: Read marker after the request.
        is_moved: The marker has changed.
    """

    room: str
    read: ReadState
    is_moved: bool


class ReadMarkerRepository:
    """Repository of read markers and mentions.

    All methods raise `Unavailable` if the database fails.
    """

    def __init__(self, writer: Executor, readers: Executor) -> None:
        self._writes = TransactionRunner.for_writes(writer, "read markers")
        self._reads = TransactionRunner.for_reads(readers, "read markers")
        self._pending: list[dict[str, Any]] = []  # parameters of `move_marker`
        self._commit: asyncio.Task[None] | None = None  # of the pending moves
        self._commits = set[asyncio.Task[None]]()  # with the running ones

    async def move(self, room_key: str, member_id: str, seq: int, *, may_decrease: bool) -> MarkerMove | None:
        """Move the read marker of a durable member, and return it after the commit; None without a membership.

        The commit begins within `COMMIT_INTERVAL`, with the moves of other callers. A request for the current `seq`, or
        for a lower one without `may_decrease`, writes nothing.

        Args:
            seq: `seq` of the newest read entry, limited to the range from `first_seq - 1` to `last_seq` of the room.
            may_decrease: Move the marker to a lower `seq` too.
        """
        before = await self._reads.run(partial(_read_marker, key=room_key, member=member_id))
        if before is None:
            return None
        seq = max(before.first_seq - 1, min(seq, before.last_seq))
        if seq > before.read_seq or (may_decrease and seq != before.read_seq):
            n = await self._reads.run(partial(_read_ordinal, room=before, seq=seq))
            bound = SEQ_MAX if may_decrease else seq
            await self._write({"new_seq": seq, "new_n": n, "room": before.id, "member": member_id, "bound": bound})
        after = await self._reads.run(partial(_read_marker, key=room_key, member=member_id))
        if after is None:
            return None
        return MarkerMove(after.name, to_read_state(after), is_moved=after.read_seq != before.read_seq)

    async def list_mentions(self, member_id: str, *, before: int | None, limit: int) -> SearchResult:
        """Return the mentions of an account in the rooms of its memberships, including read ones, newest first.

        Mentions by the account itself and by members that the account has blocked are omitted, as are mentions of all
        members before the start of the membership. A page may be empty although further mentions exist, because a call
        examines at most `MAX_SCANNED_MENTIONS` mentions of all members. Above `MAX_PAGE_BYTES`, a page ends earlier.

        Args:
            before: Exclusive upper bound of the entry id, None for no bound.
        """
        bound = SEQ_MAX if before is None else before
        return await self._reads.run(partial(_list_mentions, member=member_id, before=bound, limit=limit))

    async def close(self) -> None:
        """Wait for the commits of all queued moves; their failures are raised by `move` only."""
        if self._commits:
            await asyncio.wait(self._commits)

    async def _write(self, parameters: dict[str, Any]) -> None:
        """Queue a move for the next group commit, and wait for its end; a cancelled caller does not cancel the commit.

        Raises:
            Unavailable: The database is not writable; no move of the group is written.
        """
        self._pending.append(parameters)
        if self._commit is None:
            self._commit = asyncio.get_running_loop().create_task(self._commit_pending(), name="read markers")
            self._commits.add(self._commit)
            self._commit.add_done_callback(self._commits.discard)
        await asyncio.shield(self._commit)

    async def _commit_pending(self) -> None:
        """Write all moves that are queued by the end of `COMMIT_INTERVAL`; a failure is raised to all their callers."""
        await asyncio.sleep(COMMIT_INTERVAL)
        moves, self._pending, self._commit = self._pending, [], None
        await self._writes.run(lambda connection: connection.execute(move_marker, moves))


def find_read_state(connection: Connection, room_key: str, member_id: str) -> ReadState | None:
    """Return the read marker of a durable member, None without a membership."""
    row = _read_marker(connection, key=room_key, member=member_id)
    return None if row is None else to_read_state(row)


def to_read_state(row: Row[Any]) -> ReadState:
    """Return the read marker in a row with `READ_COLUMNS`."""
    return ReadState(seq=row.read_seq, unread=row.unread, mentions=row.mentions)


def _read_marker(connection: Connection, *, key: str, member: str) -> Row[Any] | None:
    return connection.execute(_select_marker, {"key": key, "member": member}).one_or_none()


def _read_ordinal(connection: Connection, *, room: Row[Any], seq: int) -> int:
    """Return the number of messages up to an entry, or before the next entry if the entry is removed.

    Without both entries, all messages of the room count.
    """
    row = connection.execute(_select_ordinal, {"room": room.id, "seq": seq}).one_or_none()
    if row is not None:
        return row.n
    oldest = connection.execute(_select_ordinal, {"room": room.id, "seq": seq + 1}).one_or_none()
    return room.last_n if oldest is None else oldest.n - (oldest.kind == KIND_MESSAGE)


def _list_mentions(connection: Connection, *, member: str, before: int, limit: int) -> SearchResult:
    newest_first = mentions.c.entry_id.desc()
    in_membership = and_(memberships.c.room_id == mentions.c.room_id, memberships.c.member_id == member)
    personal_ids = connection.execute(
        select(mentions.c.entry_id)
        .join(memberships, in_membership)
        .where(mentions.c.member_id == member, mentions.c.entry_id < before, ~_is_author_blocked())
        .order_by(newest_first)
        .limit(limit + 1)
    ).scalars()
    is_listed = and_(
        memberships.c.joined_at <= entries.c.ts, mentions.c.author_id != member, ~_is_author_blocked()
    ).label("is_listed")
    common_rows = connection.execute(
        select(mentions.c.entry_id, is_listed)
        .join(entries, entries.c.id == mentions.c.entry_id)
        .outerjoin(memberships, in_membership)
        .where(mentions.c.member_id == _ALL_MEMBERS, mentions.c.entry_id < before)
        .order_by(newest_first)
        .limit(MAX_SCANNED_MENTIONS)
    ).all()
    end = common_rows[-1].entry_id if len(common_rows) == MAX_SCANNED_MENTIONS else None
    common_ids = [row.entry_id for row in common_rows if row.is_listed]
    merged = merge(personal_ids, common_ids, reverse=True)
    page = list(islice((entry_id for entry_id in merged if end is None or entry_id >= end), limit + 1))
    if len(page) > limit:
        page, end = page[:limit], page[limit - 1]
    rows = connection.execute(select_entries_with_rooms.where(entries.c.id.in_(page))).all()
    found = sorted(rows, key=attrgetter("id"), reverse=True)
    messages = messages_from_rows(connection, found, member)
    return SearchResult(messages, messages[-1].id if len(messages) < len(found) else end)
