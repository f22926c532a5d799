"""How the log is searched, newest first, in bounded work.

The index gives candidates, and each is compared with the query as it reads now.
A query that is all punctuation has nothing to look up: the log itself is walked.

Rule 1  One search looks at no more than `CANDIDATES` entries, and begins no new
        chunk of them after `PATIENCE`. What it did not get to is behind `next`,
        also when nothing was found yet.
Rule 2  Nothing is found in a room that the searcher could not read.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    bindparam,
    column,
    literal_column,
    select,
    table,
)

from server.protocol.answers import Found
from server.protocol.entries import Message
from server.protocol.errors import NotFound
from server.protocol.search_terms import Query
from server.storage.places import first_seq
from server.storage.rows import MESSAGE, by_target, message
from server.storage.search_index import UNINDEXED_COUNTER, room_token, token
from server.storage.tables import PUBLIC, counters, entries, reactions, rooms

CANDIDATES = 2_000
"""Entries that one search looks at."""

PATIENCE = 250
"""Milliseconds; a chunk takes one or two."""

_CHUNK = 250
"""Candidates read at once: most searches find enough among the first."""

_fts = table("search", column("rowid", Integer), column("search", Text))
_gin = table("search", column("id", Integer), column("numbers", ARRAY(Integer)))
_wanted = select(entries, rooms.c.key, rooms.c.visibility, rooms.c.name.label("room_name"))
_log = entries.join(rooms, rooms.c.id == entries.c.room_id)


def search(
    connection: Connection,
    *,
    text: str,
    room_key: str | None,
    joined: Collection[str],
    before: int | None,
    limit: int,
    clock: Callable[[], int],
) -> Found:
    """Messages that a query finds, newest first.

    Args:
        text: The query.
        room_key: Only in this room; otherwise in all public ones and those joined.
        joined: The keys of the rooms that the searcher is in.
        before: Only messages with a lesser id.
        limit: No more than this many.
        clock: Milliseconds.

    Raises:
        NotFound: There is no such room, or none that the searcher may see.
    """
    room: Row[Any] | None = None
    if room_key is not None:
        room = connection.execute(select(rooms).where(rooms.c.key == room_key)).one_or_none()
        if room_key not in joined and (room is None or room.visibility != PUBLIC):
            raise NotFound("there is no such room")
        if room is None:
            return Found(messages=[], has_more=False)
    query = Query(text)
    candidates, order = _candidates(connection, query, room)
    below = before
    if room is not None and order is entries.c.seq and before is not None:
        below = first_seq(connection, room.id, room.last_seq, entries.c.id, before)
    found: list[Row[Any]] = []
    looked_at, more, until = 0, True, clock() + PATIENCE
    while more and len(found) <= limit and looked_at < CANDIDATES and clock() <= until:
        older = candidates if below is None else candidates.where(order < below)
        chunk = connection.execute(older).all()
        looked_at += len(chunk)
        more = len(chunk) == _CHUNK
        if chunk:
            before = chunk[-1].id
            below = chunk[-1].seq if order is entries.c.seq else before
        found += [row for row in chunk if _is_readable(row, joined) and query.found_in(row.text)]
    if len(found) > limit:
        found, more = found[:limit], True
        before = found[-1].id
    return Found(
        messages=_messages(connection, found),
        has_more=more,
        next=before if more else None,
        incomplete=bool(query.numbers) and _unindexed(connection) > 0,
    )


def _is_readable(row: Row[Any], joined: Collection[str]) -> bool:
    return row.kind == MESSAGE and not row.deleted and (row.visibility == PUBLIC or row.key in joined)


def _candidates(connection: Connection, query: Query, room: Row[Any] | None) -> tuple[Select[Any], ColumnElement[int]]:
    """Entries that may be found, newest first, a chunk of them; and what they are ordered by."""
    if not query.numbers:
        order: ColumnElement[int] = entries.c.id if room is None else entries.c.seq
        walked = _wanted.select_from(_log)
        found = walked if room is None else walked.where(entries.c.room_id == room.id)
    elif connection.dialect.name == "sqlite":
        order = _fts.c.rowid
        tokens = [token(number) for number in query.numbers]
        tokens += [] if room is None else [room_token(room.id)]
        every = " AND ".join(f'"{each}"' for each in tokens)
        found = _wanted.select_from(_fts.join(_log, entries.c.id == order)).where(_fts.c.search.op("MATCH")(every))
    else:
        order = _gin.c.id
        numbers = [*query.numbers, *([] if room is None else [-room.id])]
        has_all = _gin.c.numbers.op("@>")(bindparam("numbers", numbers, type_=ARRAY(Integer)))
        found = _wanted.select_from(_gin.join(_log, entries.c.id == order)).where(has_all)
    return found.order_by(order.desc()).limit(_CHUNK), order


def _messages(connection: Connection, found: Iterable[Row[Any]]) -> list[Message]:
    by_room: dict[int, list[Row[Any]]] = {}
    for row in found:
        by_room.setdefault(row.room_id, []).append(row)
    standing: dict[tuple[int, int], dict[str, list[str]]] = {}
    for room_id, rows in by_room.items():
        chosen = (
            select(reactions)
            .where(reactions.c.room_id == room_id, reactions.c.target.in_([row.seq for row in rows]))
            .order_by(reactions.c.target, reactions.c.began, reactions.c.seq)
        )
        for target, emoji in by_target(connection.execute(chosen).all()).items():
            standing[room_id, target] = emoji
    return [message(row.room_name, row, standing.get((row.room_id, row.seq))) for row in found]


def _unindexed(connection: Connection) -> int:
    unindexed = select(counters.c.last).where(counters.c.name == literal_column(f"'{UNINDEXED_COUNTER}'"))
    return connection.execute(unindexed).scalar_one_or_none() or 0
