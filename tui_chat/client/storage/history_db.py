"""Local message history: immediate room display and offline access.

- Bound: the oldest messages of a room above the limit are pruned, at the first write of this process to the room and
  whenever `PRUNE_THRESHOLD` of the limit was written.
- Disposable: a corrupt file is renamed (`SqliteFile`), and messages are fetched from the server again.
"""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tui_chat.client.log import log
from tui_chat.client.search_page import Position
from tui_chat.client.storage import history_tables as tables, local_search
from tui_chat.client.storage.sqlite_file import CorruptDatabase, SqliteFile
from tui_chat.client.sync.log_segment import LogSegment
from tui_chat.protocol.errors import ChatError, Unavailable
from tui_chat.protocol.events import Message
from tui_chat.protocol.search_query import SearchQuery

T = TypeVar("T")

FILE_NAME = "history.db"
MAX_MESSAGES_PER_ROOM = 50_000
PRUNE_THRESHOLD = 0.02
"""Share of the message limit that may be written between two prune operations."""


@dataclass(frozen=True, slots=True)
class RoomKey:
    """Key of a cached room.

    Attributes:
        server_url: Base URL of the server.
        room: Canonical key of the room name.
        nick: Canonical key of the requested nickname.
    """

    server_url: str
    room: str
    nick: str


@dataclass(frozen=True, slots=True)
class CachedRoom:
    """Cached state of a room.

    Attributes:
        name: Room name in the server's spelling.
        topic: Room topic, may be empty.
        title: Display name of a private or direct room, otherwise empty.
        member_id: User's member id under the requested nickname, empty without an earlier join.
        log_id: Identifier of the server's log with the cached entries, empty if unknown.
        segment: Newest messages, and the changes and ranges from the first of them.
    """

    name: str
    topic: str
    title: str
    member_id: str
    log_id: str
    segment: LogSegment


class LocalHistory:
    """Message history of all rooms in one SQLite file; an async context manager that closes the file.

    All operations raise `LocalStorageError` for an inaccessible file. An operation that finds a corrupt file runs again
    on an empty one, and `on_problem` is called.

    Args:
        directory: Private directory of the user; created by the first operation.
        max_messages_per_room: Message limit of each room.

    Attributes:
        on_problem: Called with the error "history_damaged" after a corrupt file was renamed; a log warning by default.
    """

    def __init__(self, directory: Path, max_messages_per_room: int = MAX_MESSAGES_PER_ROOM) -> None:
        self.on_problem: Callable[[ChatError], None] = log.warning
        self._file = SqliteFile(directory / FILE_NAME, tables.SCHEMA, self._on_corrupt)
        self._max_messages = max_messages_per_room
        self._written_since_prune: dict[int, int] = {}  # messages per room id

    async def __aenter__(self) -> "LocalHistory":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish all operations and close the file. Later operations raise `LocalStorageError`."""
        await self._file.close()

    async def check(self) -> None:
        """Verify the integrity of the file (`PRAGMA quick_check`), created if absent.

        A corrupt file is renamed, replaced and reported to `on_problem`, without an error.
        """

        def check(connection: sqlite3.Connection) -> None:
            (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if result != "ok":
                raise CorruptDatabase(result)

        await self._file.run(check)

    async def read_room(self, room_key: RoomKey, limit: int) -> CachedRoom | None:
        """Read a room with at most `limit` newest messages; None if the room is not cached."""

        def read(connection: sqlite3.Connection, room_id: int) -> CachedRoom:
            name, topic, title, member_id, log_id = connection.execute(
                "SELECT name, topic, title, coalesce(member_id, ''), log_id FROM rooms "
                "LEFT JOIN memberships ON room = id AND nick = ? WHERE id = ?",
                (room_key.nick, room_id),
            ).fetchone()
            segment = tables.read_segment(connection, room_id, 0, 2**63 - 1, limit)
            return CachedRoom(name, topic, title, member_id, log_id, segment)

        return await self._read(room_key, read)

    async def read_before(self, room_key: RoomKey, seq: int, limit: int, *, allow_gap: bool) -> LogSegment | None:
        """Read the messages before an entry, as `history_tables.read_segment_before`; None for an unknown room."""
        return await self._read(
            room_key,
            lambda connection, room_id: tables.read_segment_before(
                connection, room_id, seq, limit, allow_gap=allow_gap
            ),
        )

    async def read_around(
        self, room_key: RoomKey, *, seq: int | None = None, at: int | None = None, limit: int
    ) -> LogSegment | None:
        """Read the messages around an entry or a time, as `history_tables.read_segment_around`.

        Args:
            room_key: Room to read.
            seq: Entry at the center; ignored if `at` is set.
            at: Time at the center in milliseconds since the epoch, as for `local_search.find_seq_at`.
            limit: Maximum number of messages.

        Returns:
            None if the center is not cached.
        """

        def read(connection: sqlite3.Connection, room_id: int) -> LogSegment | None:
            center_seq = seq if at is None else local_search.find_seq_at(connection, room_id, at)
            return None if center_seq is None else tables.read_segment_around(connection, room_id, center_seq, limit)

        return await self._read(room_key, read)

    async def search(
        self, server_url: str, query: SearchQuery, room_key: str | None, before: Position | None, limit: int
    ) -> tuple[list[Message], Position | None]:
        """Search the cached messages of a server, as `local_search.search_messages`."""
        return await self._file.run(
            lambda connection: local_search.search_messages(
                connection, server_url, query, room_key=room_key, before=before, limit=limit
            )
        )

    async def write(self, room_key: RoomKey, segment: LogSegment, log_id: str) -> None:
        """Add a log segment to a room.

        An unknown room is created, with its canonical key as name. Stored entries of a log with another `log_id` are
        deleted first. `history_tables.write_segment` merges the segment. The oldest messages above the room limit may
        be deleted.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR IGNORE INTO rooms (server, key, name, topic) VALUES (?, ?, ?, '')",
                (room_key.server_url, room_key.room, room_key.room),
            )
            room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
            assert room_id is not None
            if connection.execute(
                "UPDATE rooms SET log_id = ? WHERE id = ? AND log_id <> ?", (log_id, room_id, log_id)
            ).rowcount:
                tables.clear_log(connection, room_id)
            tables.write_segment(connection, room_id, segment)
            written_count = self._written_since_prune.get(room_id, self._max_messages) + len(segment.messages)
            if written_count >= self._max_messages * PRUNE_THRESHOLD:
                written_count = 0
                tables.prune(connection, room_id, self._max_messages)
            self._written_since_prune[room_id] = written_count

        await self._file.run(write, write=True)

    async def save_room_info(
        self, room_key: RoomKey, name: str, topic: str, member_id: str, nick_keys: Iterable[str], *, title: str
    ) -> None:
        """Store the name, topic and title of a room, and the user's member id under each nickname.

        An unknown room is created; existing values are replaced. Member ids of other nicknames remain.

        Args:
            room_key: Room to update.
            name: Room name in the server's spelling.
            topic: Room topic.
            member_id: User's member id.
            nick_keys: Canonical keys of the nicknames.
            title: Display name of a private or direct room, otherwise empty.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO rooms (server, key, name, topic, title) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (server, key) DO UPDATE SET name = excluded.name, topic = excluded.topic, "
                "title = excluded.title",
                (room_key.server_url, room_key.room, name, topic, title),
            )
            room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
            connection.executemany(
                "INSERT OR REPLACE INTO memberships (room, nick, member_id) VALUES (?, ?, ?)",
                [(room_id, nick_key, member_id) for nick_key in nick_keys],
            )

        await self._file.run(write, write=True)

    async def rename_room(self, room_key: RoomKey, new_key: str, new_name: str) -> None:
        """Move a room to a new name, possibly another spelling; no effect for an unknown room.

        A stored room under the new name with the same log id, which another process has moved, remains, and the one
        under the previous name is deleted. Any other room under the new name is deleted.

        Args:
            room_key: Room under its previous name.
            new_key: Canonical key of the new name.
            new_name: New name in the server's spelling.
        """

        def write(connection: sqlite3.Connection) -> None:
            rooms = {
                key: (room_id, log_id)
                for key, room_id, log_id in connection.execute(
                    "SELECT key, id, log_id FROM rooms WHERE server = ? AND key IN (?, ?)",
                    (room_key.server_url, room_key.room, new_key),
                )
            }
            if room_key.room not in rooms:
                return
            room_id, log_id = rooms[room_key.room]
            if new_key != room_key.room:
                existing_id, existing_log_id = rooms.get(new_key, (None, ""))
                is_moved = existing_id is not None and existing_log_id == log_id
                tables.delete_room(connection, room_id if is_moved else existing_id)
            connection.execute("UPDATE rooms SET key = ?, name = ? WHERE id = ?", (new_key, new_name, room_id))

        await self._file.run(write, write=True)

    async def clear_room(self, room_key: RoomKey) -> None:
        """Delete the entries and the member ids of all nicknames of a room after a replacement of the server log.

        Name, topic, title and log id remain, so the room still counts as cached. An unknown room is ignored.
        """

        def write(connection: sqlite3.Connection) -> None:
            room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
            connection.execute("DELETE FROM memberships WHERE room = ?", (room_id,))
            tables.clear_log(connection, room_id)

        await self._file.run(write, write=True)

    async def _read(self, room_key: RoomKey, operation: Callable[[sqlite3.Connection, int], T]) -> T | None:
        """Run an operation with the row id of a room in a read transaction; None if the room is not stored."""

        def read(connection: sqlite3.Connection) -> T | None:
            room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
            return None if room_id is None else operation(connection, room_id)

        return await self._file.run(read)

    def _on_corrupt(self, backup_path: Path) -> None:
        self._written_since_prune.clear()
        self.on_problem(Unavailable("history_damaged", file=str(backup_path)))
