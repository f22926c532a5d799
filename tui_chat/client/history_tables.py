"""The tables of the local history, and how a room's log is put into them and read back.

Rule 1  A span says: every message of this stretch is here, and every change of this
        stretch is in the message it changes, or waits beside it. Both are written in
        one transaction, so what is lost is a gap that can be seen, never a silent hole.
Rule 2  A message that knows more changes (`as_of`, see `RoomLog`) is never replaced by
        one that knows fewer: several programs write at once.
"""

import sqlite3
from collections.abc import Iterable

import msgspec

from server.protocol.entries import Message
from tui_chat.client import cleaning
from tui_chat.client.present_state import MessageChange
from tui_chat.client.room_log import Stretch
from tui_chat.client.spans import Spans
from tui_chat.client.sqlite_file import Damaged, Layout

LAYOUT = Layout(
    application=0x6368_6869,  # "chhi"
    version=1,
    durable=False,
    tables="""
        CREATE TABLE rooms (
            id INTEGER PRIMARY KEY,
            server TEXT NOT NULL,
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            topic TEXT NOT NULL,
            UNIQUE (server, key)
        );
        CREATE TABLE visits (
            room INTEGER NOT NULL,
            nick TEXT NOT NULL,
            member_id TEXT NOT NULL,
            PRIMARY KEY (room, nick)
        ) WITHOUT ROWID;
        CREATE TABLE messages (
            room INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            as_of INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (room, seq)
        ) WITHOUT ROWID;
        CREATE TABLE changes (
            room INTEGER NOT NULL,
            target INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (room, target, seq)
        ) WITHOUT ROWID;
        CREATE TABLE spans (
            room INTEGER NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            PRIMARY KEY (room, first)
        ) WITHOUT ROWID
    """,
)

_ADD_MESSAGE = (
    "INSERT INTO messages (room, seq, as_of, body) VALUES (?, ?, ?, ?) ON CONFLICT (room, seq) DO UPDATE "
    "SET as_of = excluded.as_of, body = excluded.body WHERE excluded.as_of >= messages.as_of"
)
_NEWEST = "SELECT as_of, body FROM messages WHERE room = ? AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?"

_encoder = msgspec.json.Encoder()
_message = msgspec.json.Decoder(Message)
_change = msgspec.json.Decoder(MessageChange)


def room_number(connection: sqlite3.Connection, server: str, key: str) -> int | None:
    """The number of a room, None when it is not known."""
    row = connection.execute("SELECT id FROM rooms WHERE server = ? AND key = ?", (server, key)).fetchone()
    return None if row is None else row[0]


def read(connection: sqlite3.Connection, room: int, first: int, before: int, limit: int) -> Stretch:
    """The newest messages in a stretch, as far as `limit` reaches."""
    rows = connection.execute(_NEWEST, (room, first, before, limit)).fetchall()
    try:
        messages = [(cleaning.message(_message.decode(body)), as_of) for as_of, body in reversed(rows)]
        low = messages[0][0].seq if len(messages) == limit else first
        waiting = connection.execute(
            "SELECT body FROM changes WHERE room = ? AND target >= ? AND target < ? ORDER BY seq", (room, low, before)
        )
        changes = [cleaning.change(_change.decode(body)) for (body,) in waiting]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Damaged("a row is no message") from None
    spans = spans_of(connection, room)
    spans.cut(low, before)
    return Stretch(tuple(messages), tuple(changes), spans.stretches())


def write(connection: sqlite3.Connection, room: int, stretch: Stretch) -> None:
    """Add what was learnt of a room."""
    connection.executemany(
        _ADD_MESSAGE, [(room, message.seq, as_of, _encoder.encode(message)) for message, as_of in stretch.messages]
    )
    connection.executemany(
        "INSERT OR IGNORE INTO changes (room, target, seq, body) VALUES (?, ?, ?, ?)",
        [(room, change.target, change.seq, _encoder.encode(change)) for change in stretch.changes],
    )
    connection.executemany(
        "DELETE FROM changes WHERE room = ? AND target = ? AND seq <= ?",
        [(room, message.seq, as_of) for message, as_of in stretch.messages if as_of > message.seq],
    )
    spans = spans_of(connection, room)
    before = spans.stretches()
    for first, last in stretch.spans:
        spans.add(first, last)
    if spans.stretches() != before:
        _write_spans(connection, room, spans)


def spans_of(connection: sqlite3.Connection, room: int) -> Spans:
    """What is known of a room."""
    spans = Spans()
    for first, last in connection.execute("SELECT first, last FROM spans WHERE room = ? ORDER BY first", (room,)):
        spans.add(first, last)
    return spans


def _write_spans(connection: sqlite3.Connection, room: int, spans: Spans) -> None:
    rows: Iterable[tuple[int, int, int]] = [(room, first, last) for first, last in spans.stretches()]
    connection.execute("DELETE FROM spans WHERE room = ?", (room,))
    connection.executemany("INSERT INTO spans (room, first, last) VALUES (?, ?, ?)", rows)


def read_before(connection: sqlite3.Connection, room: int, seq: int, limit: int, *, over_gaps: bool) -> Stretch | None:
    """The newest messages before an entry, None when there are none.

    Args:
        connection: In a transaction.
        room: Its number.
        seq: The entry.
        limit: How many messages.
        over_gaps: Whatever is older will do; otherwise only what reaches up to the entry.
    """
    span = connection.execute(
        "SELECT first, last FROM spans WHERE room = ? AND first < ? ORDER BY first DESC LIMIT 1", (room, seq)
    ).fetchone()
    if span is None or (span[1] < seq - 1 and not over_gaps):
        return None
    return read(connection, room, 0 if over_gaps else span[0], seq, limit)


def read_around(connection: sqlite3.Connection, room: int, seq: int, limit: int) -> Stretch | None:
    """The messages about one that is here, as far as what is known of the room reaches without a gap; None elsewhere.

    Args:
        connection: In a transaction.
        room: Its number.
        seq: The message.
        limit: How many messages, half of them before it.
    """
    span = connection.execute(
        "SELECT first, last FROM spans WHERE room = ? AND first <= ? ORDER BY first DESC LIMIT 1", (room, seq)
    ).fetchone()
    if span is None or span[1] < seq:
        return None
    later = connection.execute(
        "SELECT seq FROM messages WHERE room = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
        (room, seq, span[1], limit - limit // 2),
    ).fetchall()
    last = later[-1][0] if later else seq
    return read(connection, room, span[0], last + 1, limit)


def prune(connection: sqlite3.Connection, room: int, bound: int) -> None:
    """Forget the oldest messages of a room, so that `bound` stay."""
    oldest = connection.execute(
        "SELECT seq FROM messages WHERE room = ? ORDER BY seq DESC LIMIT 1 OFFSET ?", (room, bound)
    ).fetchone()
    if oldest is None:
        return
    (gone,) = oldest
    connection.execute("DELETE FROM messages WHERE room = ? AND seq <= ?", (room, gone))
    connection.execute("DELETE FROM changes WHERE room = ? AND target <= ?", (room, gone))
    spans = spans_of(connection, room)
    spans.cut(gone + 1)
    _write_spans(connection, room, spans)
