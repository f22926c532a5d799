"""Search by text and by time in the local history.

- State: messages are matched after their pending changes are applied.
- Order: by `ts` and `id`, because an `id` increases only within a room.
- Bound: one search scans at most `MAX_SCANNED_MESSAGES` messages and returns the position to continue from.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.client.search_page import Position, get_position
from tui_chat.client.storage.history_tables import change_decoder, decode, message_decoder
from tui_chat.client.sync.apply_change import apply_change
from tui_chat.protocol.events import Message, MessageChange
from tui_chat.protocol.search_query import SearchQuery

MAX_SCANNED_MESSAGES = 100_000
"""Scan limit of one search, about half a second in the database thread."""


def search_messages(
    connection: sqlite3.Connection,
    server_url: str,
    query: SearchQuery,
    *,
    room_key: str | None,
    before: Position | None,
    limit: int,
) -> tuple[list[Message], Position | None]:
    """Search the messages of a server, newest first, deleted ones excluded.

    The scan limit can end a page before `limit`, possibly without matches. Results are sanitized.

    Args:
        server_url: Base URL of the server.
        query: Parsed search query.
        room_key: Canonical key of the room to search, None for all rooms.
        before: Exclusive upper bound of the position, None for no bound.
        limit: Maximum number of messages.

    Returns:
        The messages, and the position from which to continue; None after the last message.

    Raises:
        CorruptDatabase: A row is invalid.
    """
    rooms = connection.execute(
        "SELECT id, name FROM rooms WHERE server = ? AND (? IS NULL OR key = ?)", (server_url, room_key, room_key)
    ).fetchall()
    logs = [_iter_newest_first(connection, room_id, room_name, before) for room_id, room_name in rooms]
    return select_page(logs, query, before, limit)


def select_page(
    logs: Iterable[Iterator[Message]], query: SearchQuery, before: Position | None, limit: int
) -> tuple[list[Message], Position | None]:
    """Select the matching messages of several logs, newest first; other arguments and result as for `search_messages`.

    Args:
        logs: Messages of each log before the position `before`, newest first.
    """
    matches: list[Message] = []
    for scanned, message in enumerate(heapq.merge(*logs, key=get_position, reverse=True)):
        if len(matches) == limit or scanned == MAX_SCANNED_MESSAGES:
            return matches, before
        before = get_position(message)
        if not message.deleted and query.matches(message.message):
            matches.append(message)
    return matches, None


def find_seq_at(connection: sqlite3.Connection, room_id: int, ts: int) -> int | None:
    """Return the `seq` of the first stored message at or after a time in milliseconds since the epoch.

    If all are older, that of the last one; None without messages. Raises `CorruptDatabase` for an invalid row.
    """
    if (seq := _bisect_seq(connection, room_id, lambda message: message.ts >= ts)) is not None:
        return seq
    return connection.execute("SELECT max(seq) FROM messages WHERE room = ?", (room_id,)).fetchone()[0]


def _iter_newest_first(
    connection: sqlite3.Connection, room_id: int, room_name: str, before: Position | None
) -> Iterator[Message]:
    """Yield the sanitized messages of a room before a position, with their pending changes and the current name."""
    pending_changes: dict[int, list[MessageChange]] = {}
    for (body,) in connection.execute("SELECT body FROM changes WHERE room = ? ORDER BY target, seq", (room_id,)):
        change = decode(change_decoder, body)
        pending_changes.setdefault(change.target, []).append(change)
    end_seq = (
        None if before is None else _bisect_seq(connection, room_id, lambda message: get_position(message) >= before)
    )
    select_messages = "SELECT as_of, body FROM messages WHERE room = ? AND seq < ? ORDER BY seq DESC"
    for as_of, body in connection.execute(select_messages, (room_id, 2**63 - 1 if end_seq is None else end_seq)):
        message = decode(message_decoder, body)
        for change in pending_changes.get(message.seq, ()):
            if change.seq > as_of:
                message = apply_change(message, change, "")
        yield sanitize.received(replace(message, room=room_name))


def _bisect_seq(connection: sqlite3.Connection, room_id: int, predicate: Callable[[Message], bool]) -> int | None:
    """Return the first stored `seq` that satisfies a monotonic predicate, by binary search, or None."""
    low, high, first_match = 0, 2**53, None
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT seq, body FROM messages WHERE room = ? AND seq >= ? ORDER BY seq LIMIT 1", (room_id, middle)
        ).fetchone()
        if row is None:
            high = middle
        elif predicate(decode(message_decoder, row[1])):
            high, first_match = middle, row[0]
        else:
            low = row[0] + 1
    return first_match
