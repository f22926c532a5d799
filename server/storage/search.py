"""Message search, newest first, with bounded work per request.

The index yields candidates, and the current text of each candidate is compared with the query. A query of
punctuation only has no index terms and scans the log.

- Bound: a search examines at most `MAX_CANDIDATES` entries, and starts no new chunk after `TIME_LIMIT_MS`.
- Paging: the entry id orders the messages. An id is allocated under the lock of the room until the commit, so a message
  that is committed after a page has a greater id than all messages of the room on that page.
- Visibility: results come only from rooms that the searcher can read.
- Positions: `id`, `ts` and `n` never decrease with increasing `seq`, so a binary search finds the `seq` of a value.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    or_,
    select,
)

from server.domain.permissions import Action, require
from server.domain.room_access import Requester
from server.storage.access_reader import find_room_row, read_access, read_banned_rooms
from server.storage.page_size import MAX_PAGE_BYTES, estimate_size
from server.storage.reaction_reader import Summaries, add_names, read_counts
from server.storage.row_mapping import KIND_MESSAGE, entry_from_row
from server.storage.search_index import encode_hash_token, encode_room_number, encode_room_token, fts_table, gin_table
from server.storage.tables import PUBLIC, entries, memberships, rooms
from tui_chat.protocol import errors, events, search_query

MAX_CANDIDATES = 2_000  # maximum number of entries examined by one search

TIME_LIMIT_MS = 250  # time limit of a search in milliseconds; one chunk takes 1 to 2 ms

_CHUNK_SIZE = 250  # candidates per query; the first chunk suffices for most searches

_select_entries = select(entries, rooms.c.key, rooms.c.visibility, rooms.c.first_seq, rooms.c.name.label("room_name"))
_entries_with_rooms = entries.join(rooms, rooms.c.id == entries.c.room_id)
select_entries_with_rooms = _select_entries.select_from(_entries_with_rooms)
"""Query of entries with key, visibility and display name (`room_name`) of their rooms."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Messages found by one search.

    Attributes:
        messages: Matching messages, newest first.
        next_before: Upper bound of the entry id for the next search, which may find nothing; None if no further matches
            exist.
    """

    messages: list[events.Message]
    next_before: int | None


def search(
    connection: Connection,
    *,
    text: str,
    room_key: str | None,
    joined: Collection[str],
    searcher: Requester,
    before: int | None,
    limit: int,
    clock: Callable[[], int],
) -> SearchResult:
    """Return the messages that match a query, newest first.

    The work of a call is bounded, so the result may have fewer than `limit` messages, or none, although `next_before`
    is set. The size of the result is limited as in `messages_from_rows`. Deleted messages never match. A joined room
    without a stored log yields an empty result.

    Args:
        text: Query text (`tui_chat.protocol.search_query`).
        room_key: Canonical key of the room to search; None for all public rooms, all rooms with a durable membership
            of the searcher, and all of `joined`, except rooms from which the searcher is banned.
        joined: Canonical keys of the rooms joined by the searcher.
        searcher: Person whose rooms are searched, also for `own` of reactions.
        before: Exclusive upper bound of the entry id, None for no bound.

    Raises:
        NotFound: The room is not joined, and does not exist, is removed or is not visible to the searcher.
        Forbidden: The room is not joined, and the searcher is banned from the room.
    """
    room: Row[Any] | None = None
    if room_key is not None:
        if room_key not in joined:
            _require_readable(connection, room_key, searcher, clock())
        room = find_room_row(connection, room_key)
        if room is None:
            return SearchResult([], None)
    query = search_query.SearchQuery(text)
    candidates, order_column = _build_candidate_query(connection, query, room)
    if room is None:
        candidates = candidates.where(_build_readable_condition(connection, searcher, joined, clock()))
    upper_bound = before
    if room is not None and order_column is entries.c.seq and before is not None:
        upper_bound = find_first_seq(connection, room, entries.c.id, before)
    matching_rows: list[Row[Any]] = []
    examined, has_more, deadline = 0, True, clock() + TIME_LIMIT_MS
    while (
        has_more and len(matching_rows) <= limit and examined < MAX_CANDIDATES and (clock() <= deadline or not examined)
    ):
        chunk = connection.execute(
            candidates if upper_bound is None else candidates.where(order_column < upper_bound)
        ).all()
        examined += len(chunk)
        has_more = len(chunk) == _CHUNK_SIZE
        if chunk:
            before = chunk[-1].id
            upper_bound = chunk[-1].seq if order_column is entries.c.seq else before
        matching_rows += [row for row in chunk if _is_searchable(row) and query.matches(row.text)]
    messages = messages_from_rows(connection, matching_rows[:limit], searcher.member_id or None)
    if len(messages) < len(matching_rows):
        before, has_more = messages[-1].id, True
    return SearchResult(messages, before if has_more else None)


def _require_readable(connection: Connection, room_key: str, searcher: Requester, now: int) -> None:
    """Raise `NotFound` for an unknown, removed or invisible room, and `Forbidden` for a banned person."""
    access, standing, _ = read_access(connection, key=room_key, requester=searcher, now=now)
    if not access.is_stored:
        raise errors.NotFound("room_not_found")
    require(Action.READ, access.policy, standing)


def _build_readable_condition(
    connection: Connection, searcher: Requester, joined: Collection[str], now: int
) -> ColumnElement[bool]:
    """Return the condition of rooms that a person may read.

    The database filters by the condition, so that messages of other rooms do not count as examined.
    """
    is_member = rooms.c.id.in_(select(memberships.c.room_id).where(memberships.c.member_id == searcher.member_id))
    is_readable = or_(rooms.c.visibility == PUBLIC, rooms.c.key.in_(joined), is_member)
    return and_(is_readable, rooms.c.id.not_in(read_banned_rooms(connection, searcher, now)))


def _is_searchable(row: Row[Any]) -> bool:
    return row.kind == KIND_MESSAGE and not row.deleted and row.seq >= row.first_seq


def _build_candidate_query(
    connection: Connection, query: search_query.SearchQuery, room: Row[Any] | None
) -> tuple[Select[Any], ColumnElement[int]]:
    """Return the query for one chunk of candidates, newest first, and the sort column for the caller's upper bound.

    The query filters by room and index terms only; without terms, by room only. The caller checks kind, visibility,
    deletion and text. The sort column is `entries.c.seq` for one room without terms, otherwise a column of the entry
    id.
    """
    if not query.term_hashes:
        order_column: ColumnElement[int] = entries.c.id if room is None else entries.c.seq
        candidate_query = select_entries_with_rooms
        if room is not None:
            candidate_query = candidate_query.where(entries.c.room_id == room.id)
    elif connection.dialect.name == "sqlite":
        order_column = fts_table.c.rowid
        tokens = [encode_hash_token(term_hash) for term_hash in query.term_hashes]
        tokens += [] if room is None else [encode_room_token(room.id)]
        candidate_query = _select_entries.select_from(
            fts_table.join(_entries_with_rooms, entries.c.id == order_column)
        ).where(fts_table.c.search.op("MATCH")(" AND ".join(f'"{fts_token}"' for fts_token in tokens)))
    else:
        order_column = gin_table.c.id
        required_hashes = [*query.term_hashes, *([] if room is None else [encode_room_number(room.id)])]
        candidate_query = _select_entries.select_from(
            gin_table.join(_entries_with_rooms, entries.c.id == order_column)
        ).where(gin_table.c.numbers.op("@>")(bindparam("numbers", required_hashes, type_=ARRAY(Integer))))
    return candidate_query.order_by(order_column.desc()).limit(_CHUNK_SIZE), order_column


def messages_from_rows(
    connection: Connection, message_rows: Sequence[Row[Any]], reader: str | None
) -> list[events.Message]:
    """Return the messages in rows of `select_entries_with_rooms`, in their current state.

    Above `MAX_PAGE_BYTES`, the last messages are omitted; at least one message remains.

    Args:
        message_rows: Rows of messages in any order, which the result keeps.
        reader: Member id for `own` of reactions; None for a reader whose `own` is always False.
    """
    seqs_by_room: dict[int, list[int]] = {}
    for row in message_rows:
        seqs_by_room.setdefault(row.room_id, []).append(row.seq)
    summaries: dict[int, Summaries] = {}
    for room_id, seqs in seqs_by_room.items():  # one query for all rooms would not use the index
        summaries[room_id] = read_counts(connection, room_id, seqs, reader)
        add_names(connection, room_id, summaries[room_id])
    found: list[events.Entry] = []
    size = 0
    for row in message_rows:
        reactions = summaries[row.room_id].get(row.seq, {})
        size += estimate_size(row, row.room_name, reactions)
        if found and size > MAX_PAGE_BYTES:
            break
        found.append(entry_from_row(row.room_name, row, reactions))
    return cast("list[events.Message]", found)


def find_first_seq(connection: Connection, room: Row[Any], column: ColumnElement[int], minimum: int) -> int:
    """Return the first `seq` with a column value of at least `minimum`, or `last_seq + 1` if none exists.

    The result is at least `first_seq`.

    Args:
        column: `entries.c.id`, `entries.c.ts` or `entries.c.n`, whose values never decrease with increasing `seq`.
        minimum: Lower bound of the column value.
    """
    select_value = select(column).where(entries.c.room_id == room.id, entries.c.seq == bindparam("seq"))

    def read_value(seq: int) -> int:
        return connection.execute(select_value, {"seq": seq}).scalar_one()

    stored_seqs = range(room.first_seq, room.last_seq + 1)
    return room.first_seq + bisect_left(stored_seqs, minimum, key=read_value)
