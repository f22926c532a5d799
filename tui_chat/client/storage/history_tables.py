"""Schema and statements of the local history.

- Ranges: table `ranges` lists the cached ranges. Each range contains all of its messages; its changes are applied to
  their target or stored in `changes`. No range is committed before its messages, so that losses become visible gaps.
- Limit: above `MAX_PENDING_CHANGES`, the changes of the least recently changed targets are folded or dropped
  (`RoomLog`).
- Versions: a stored message is only replaced by a base with an equal or higher `as_of` (`RoomLog`),
  because several processes may write concurrently.
- Transactions: the functions require a connection inside a transaction.
"""

import sqlite3
from typing import TypeVar

import msgspec

from tui_chat.client import sanitize
from tui_chat.client.storage.sqlite_file import CorruptDatabase, SqliteSchema
from tui_chat.client.sync.apply_change import apply_change
from tui_chat.client.sync.log_segment import LogSegment
from tui_chat.client.sync.room_log import MAX_PENDING_CHANGES
from tui_chat.client.sync.seq_ranges import SeqRanges
from tui_chat.protocol.errors import DECODE_ERRORS
from tui_chat.protocol.events import Message, MessageChange

T = TypeVar("T")

SCHEMA = SqliteSchema(
    application_id=0x6368_6869,  # "chhi"
    version=4,
    durable=False,
    statements="""
        CREATE TABLE rooms (
            id INTEGER PRIMARY KEY,
            server TEXT NOT NULL,
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            topic TEXT NOT NULL,
            log_id TEXT NOT NULL DEFAULT '',
            title TEXT NOT NULL DEFAULT '',
            UNIQUE (server, key)
        );
        CREATE TABLE memberships (
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
        CREATE TABLE ranges (
            room INTEGER NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            PRIMARY KEY (room, first)
        ) WITHOUT ROWID
    """,
    upgrades={
        1: "ALTER TABLE visits RENAME TO memberships; ALTER TABLE spans RENAME TO ranges",
        2: "ALTER TABLE rooms ADD COLUMN log_id TEXT NOT NULL DEFAULT ''",
        3: "ALTER TABLE rooms ADD COLUMN title TEXT NOT NULL DEFAULT ''",
    },
)

message_decoder = msgspec.json.Decoder(Message)
change_decoder = msgspec.json.Decoder(MessageChange)


def decode(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Decode the body of a row; raise `CorruptDatabase` for an invalid one."""
    try:
        return decoder.decode(body)
    except DECODE_ERRORS:
        raise CorruptDatabase("undecodable row") from None


def find_room_id(connection: sqlite3.Connection, server_url: str, room_key: str) -> int | None:
    """Return the row id of a room, None if the room is not stored."""
    row = connection.execute("SELECT id FROM rooms WHERE server = ? AND key = ?", (server_url, room_key)).fetchone()
    return None if row is None else row[0]


def clear_log(connection: sqlite3.Connection, room_id: int | None) -> None:
    """Delete the messages, changes and ranges of a room; no effect for None."""
    for table in ("messages", "changes", "ranges"):
        connection.execute(f"DELETE FROM {table} WHERE room = ?", (room_id,))


def delete_room(connection: sqlite3.Connection, room_id: int | None) -> None:
    """Delete a room with its memberships and log; no effect for None."""
    clear_log(connection, room_id)
    connection.execute("DELETE FROM memberships WHERE room = ?", (room_id,))
    connection.execute("DELETE FROM rooms WHERE id = ?", (room_id,))


def read_segment(connection: sqlite3.Connection, room_id: int, first: int, before: int, limit: int) -> LogSegment:
    """Read the newest messages of a range, ascending and sanitized.

    The changes and ranges start at the first message if `limit` messages are read, otherwise at `first`.

    Args:
        first: First `seq` of the range.
        before: End of the range, exclusive.
        limit: Maximum number of messages, at least one.

    Raises:
        CorruptDatabase: A row is invalid.
    """
    rows = connection.execute(
        "SELECT as_of, body FROM messages WHERE room = ? AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (room_id, first, before, limit),
    ).fetchall()
    messages = [(sanitize.received(decode(message_decoder, body)), as_of) for as_of, body in reversed(rows)]
    first_read = messages[0][0].seq if len(messages) == limit else first
    pending_changes = connection.execute(
        "SELECT body FROM changes WHERE room = ? AND target >= ? AND target < ? ORDER BY seq",
        (room_id, first_read, before),
    )
    changes = [sanitize.received(decode(change_decoder, body)) for (body,) in pending_changes]
    ranges = read_ranges(connection, room_id)
    ranges.truncate(first_read, before)
    return LogSegment(tuple(messages), tuple(changes), ranges.ranges())


def write_segment(connection: sqlite3.Connection, room_id: int, segment: LogSegment) -> None:
    """Merge a log segment into a room.

    A message with a lower `as_of` than the stored one is ignored; changes up to the new `as_of` are deleted. At most
    `MAX_PENDING_CHANGES` changes remain. Ranges are added to the stored ones.

    Raises:
        CorruptDatabase: A message or change to fold is invalid.
    """
    connection.executemany(
        "INSERT INTO messages (room, seq, as_of, body) VALUES (?, ?, ?, ?) ON CONFLICT (room, seq) DO UPDATE "
        "SET as_of = excluded.as_of, body = excluded.body WHERE excluded.as_of >= messages.as_of",
        [(room_id, message.seq, as_of, msgspec.json.encode(message)) for message, as_of in segment.messages],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO changes (room, target, seq, body) VALUES (?, ?, ?, ?)",
        [(room_id, change.target, change.seq, msgspec.json.encode(change)) for change in segment.changes],
    )
    connection.executemany(
        "DELETE FROM changes WHERE room = ? AND target = ? AND seq <= ?",
        [(room_id, message.seq, as_of) for message, as_of in segment.messages if as_of > message.seq],
    )
    if segment.changes:
        _limit_changes(connection, room_id)
    if segment.ranges:
        ranges = read_ranges(connection, room_id)
        for first, last in segment.ranges:
            ranges.add(first, last)
        _write_ranges(connection, room_id, ranges)


def _limit_changes(connection: sqlite3.Connection, room_id: int) -> None:
    """Fold the changes of the least recently changed targets above the limit; raises as `_fold_changes`."""
    targets = connection.execute(
        "SELECT target, count(*) FROM changes WHERE room = ? GROUP BY target ORDER BY max(seq) DESC", (room_id,)
    ).fetchall()
    count = 0
    for target, target_count in targets:
        count += target_count
        if count > MAX_PENDING_CHANGES:
            _fold_changes(connection, room_id, target)


def _fold_changes(connection: sqlite3.Connection, room_id: int, target: int) -> None:
    """Apply the changes after the `as_of` of their message, raise its `as_of`, and delete all changes of the target.

    The changes of a message that is not stored are only deleted. `own` of new reactions stays unset, because
    `RoomLog.restore` sets it. Raises as `read_segment`.
    """
    segment = read_segment(connection, room_id, target, target + 1, 1)
    for base, base_as_of in segment.messages:
        message, as_of = base, base_as_of
        for change in segment.changes:
            if change.seq > as_of:
                message, as_of = apply_change(message, change, ""), change.seq
        connection.execute(
            "UPDATE messages SET as_of = ?, body = ? WHERE room = ? AND seq = ?",
            (as_of, msgspec.json.encode(message), room_id, target),
        )
    connection.execute("DELETE FROM changes WHERE room = ? AND target = ?", (room_id, target))


def read_ranges(connection: sqlite3.Connection, room_id: int) -> SeqRanges:
    """Read the cached ranges of a room."""
    ranges = SeqRanges()
    for first, last in connection.execute("SELECT first, last FROM ranges WHERE room = ? ORDER BY first", (room_id,)):
        ranges.add(first, last)
    return ranges


def _write_ranges(connection: sqlite3.Connection, room_id: int, ranges: SeqRanges) -> None:
    connection.execute("DELETE FROM ranges WHERE room = ?", (room_id,))
    connection.executemany(
        "INSERT INTO ranges (room, first, last) VALUES (?, ?, ?)",
        [(room_id, first, last) for first, last in ranges.ranges()],
    )


def read_segment_before(
    connection: sqlite3.Connection, room_id: int, seq: int, limit: int, *, allow_gap: bool
) -> LogSegment | None:
    """Read the newest messages before an entry; raises as `read_segment`.

    Args:
        seq: Entry that follows the messages.
        limit: Maximum number of messages.
        allow_gap: Include messages that a gap separates from the entry, instead of only the range directly before.

    Returns:
        None if no stored range precedes the entry or, without `allow_gap`, if the entry directly before is not stored.
    """
    seq_range = connection.execute(
        "SELECT first, last FROM ranges WHERE room = ? AND first < ? ORDER BY first DESC LIMIT 1", (room_id, seq)
    ).fetchone()
    if seq_range is None or (seq_range[1] < seq - 1 and not allow_gap):
        return None
    return read_segment(connection, room_id, 0 if allow_gap else seq_range[0], seq, limit)


def read_segment_around(connection: sqlite3.Connection, room_id: int, seq: int, limit: int) -> LogSegment | None:
    """Read the messages around an entry, within its stored range; raises as `read_segment`.

    Args:
        seq: Entry at the center.
        limit: Maximum number of messages: up to half of them, rounded up, from the center on, and as many before as the
            limit permits; fewer near the start of the range.

    Returns:
        None if no stored range contains the center.
    """
    seq_range = connection.execute(
        "SELECT first, last FROM ranges WHERE room = ? AND first <= ? ORDER BY first DESC LIMIT 1", (room_id, seq)
    ).fetchone()
    if seq_range is None or seq_range[1] < seq:
        return None
    later_rows = connection.execute(
        "SELECT seq FROM messages WHERE room = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
        (room_id, seq, seq_range[1], limit - limit // 2),
    ).fetchall()
    last = later_rows[-1][0] if later_rows else seq
    return read_segment(connection, room_id, seq_range[0], last + 1, limit)


def prune(connection: sqlite3.Connection, room_id: int, max_messages: int) -> None:
    """Delete the oldest messages of a room above the limit with their changes, and truncate the ranges."""
    newest_to_delete = connection.execute(
        "SELECT seq FROM messages WHERE room = ? ORDER BY seq DESC LIMIT 1 OFFSET ?", (room_id, max_messages)
    ).fetchone()
    if newest_to_delete is None:
        return
    (last_pruned,) = newest_to_delete
    connection.execute("DELETE FROM messages WHERE room = ? AND seq <= ?", (room_id, last_pruned))
    connection.execute("DELETE FROM changes WHERE room = ? AND target <= ?", (room_id, last_pruned))
    ranges = read_ranges(connection, room_id)
    ranges.truncate(last_pruned + 1)
    _write_ranges(connection, room_id, ranges)
