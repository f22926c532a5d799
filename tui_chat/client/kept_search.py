"""Searching the messages that are kept on this computer, and finding the place of a time among them.

Rule 1  A message is compared as it reads by now: with the changes that wait beside it.
Rule 2  One search reads no more than `READ_MAX` messages; `next` says how far it came.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from server.protocol.entries import Message
from server.protocol.search_terms import SearchQuery
from tui_chat.client import cleaning
from tui_chat.client.present_state import MessageChange, changed
from tui_chat.client.sqlite_file import Damaged

T = TypeVar("T")

READ_MAX = 100_000
"""About half a second of the file's thread."""

_message = msgspec.json.Decoder(Message)
_change = msgspec.json.Decoder(MessageChange)


def search(
    connection: sqlite3.Connection, server: str, query: SearchQuery, *, room: str | None, before: int | None, limit: int
) -> tuple[list[Message], int | None]:
    """Messages that the query finds, newest first, and the id from which to go on; None when that was all.

    Args:
        connection: In a transaction.
        room: The key of the one room to look in; None for all of the server's.
        before: Only messages with a lesser id.
    """
    rooms = "SELECT id, name FROM rooms WHERE server = ? AND (? IS NULL OR key = ?)"
    logs = [
        _newest_first(connection, number, name, before)
        for number, name in connection.execute(rooms, (server, room, room)).fetchall()
    ]
    found: list[Message] = []
    for read, message in enumerate(heapq.merge(*logs, key=_id, reverse=True)):
        if len(found) == limit or read == READ_MAX:
            return found, message.id + 1
        if not message.deleted and query.matches(message.message):
            found.append(message)
    return found, None


def first_at(connection: sqlite3.Connection, room: int, ts: int) -> int | None:
    """The first message of this time (milliseconds since the epoch) or later; the last one when there is none."""
    later = _first(connection, room, lambda message: message.ts >= ts)
    if later is not None:
        return later
    (last,) = connection.execute("SELECT max(seq) FROM messages WHERE room = ?", (room,)).fetchone()
    return last


def _newest_first(connection: sqlite3.Connection, room: int, name: str, before: int | None) -> Iterator[Message]:
    waiting: dict[int, list[MessageChange]] = {}
    for (body,) in connection.execute("SELECT body FROM changes WHERE room = ? ORDER BY target, seq", (room,)):
        change = _decoded(_change, body)
        waiting.setdefault(change.target, []).append(change)
    below = 2**63 - 1 if before is None else _first(connection, room, lambda message: message.id >= before)
    rows = "SELECT body FROM messages WHERE room = ? AND seq < ? ORDER BY seq DESC"
    for (body,) in connection.execute(rows, (room, 2**63 - 1 if below is None else below)):
        message = _decoded(_message, body)
        for change in waiting.get(message.seq, ()):
            message = changed(message, change)
        yield cleaning.message(msgspec.structs.replace(message, room=name))


def _first(connection: sqlite3.Connection, room: int, reached: Callable[[Message], bool]) -> int | None:
    """The first `seq` from which on this is so: what grows along a log is found by halving."""
    low, high = 0, 2**53
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT seq, body FROM messages WHERE room = ? AND seq >= ? ORDER BY seq LIMIT 1", (room, middle)
        ).fetchone()
        if row is None or reached(_decoded(_message, row[1])):
            high = middle
        else:
            low = row[0] + 1
    row = connection.execute(
        "SELECT seq FROM messages WHERE room = ? AND seq >= ? ORDER BY seq LIMIT 1", (room, low)
    ).fetchone()
    return None if row is None else row[0]


def _decoded(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Damaged("a row is no message") from None


def _id(message: Message) -> int:
    return message.id
