"""What was seen of rooms, kept on this computer, so that a room is there at once and without a network.

Rule 1  What is here is true, as far as it goes (`history_tables`): what is not, is a gap.
Rule 2  A room holds a bounded number of messages; the oldest go.
Rule 3  It can be lost without harm. A damaged file is set aside (`SqliteFile`), and
        what is on the server comes again.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tui_chat.client.search_page import SearchPage, SearchSource
from tui_chat.client.storage import history_tables as tables
from tui_chat.client.storage import local_search
from tui_chat.client.storage.sqlite_file import CorruptDatabase, SqliteFile, snapshot, transaction
from tui_chat.client.sync.room_log import LogSegment
from tui_chat.protocol.search_query import SearchQuery

log = logging.getLogger("chat.client")

FILE_NAME = "history.db"
MAX_MESSAGES_PER_ROOM = 50_000
PRUNE_THRESHOLD = 0.02
"""The part of a room's bound that may be written before the oldest are looked for."""


@dataclass(frozen=True, slots=True)
class RoomKey:
    """Which room's history it is.

    Attributes:
        server: The base URL.
        room: The key of the room's name.
        nick: The key of the nickname that one asks for.
    """

    server_url: str
    room: str
    nick: str


@dataclass(frozen=True, slots=True)
class CachedRoom:
    """What is known of a room when it is opened.

    Attributes:
        name: As the server writes it.
        member_id: One's own under this nickname, empty when one was never there.
        newest: The newest messages.
    """

    name: str
    topic: str
    member_id: str
    segment: LogSegment


class LocalHistory:
    """The history of all rooms, in one file of this user; an async context manager.

    Attributes:
        on_problem: Told, in a sentence, when a damaged file was set aside.

    Args:
        folder: The user's own folder for such things; made if it is not there.
        messages_a_room: How many are kept of each room.
    """

    def __init__(self, directory: Path, max_messages_per_room: int = MAX_MESSAGES_PER_ROOM) -> None:
        self.on_problem: Callable[[str], None] = log.warning
        self._file = SqliteFile(directory / FILE_NAME, tables.SCHEMA, self._on_corrupt)
        self._max_messages = max_messages_per_room
        self._written_since_prune: dict[int, int] = {}  # by room, since the oldest were looked for

    async def __aenter__(self) -> "LocalHistory":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish writing."""
        await self._file.close()

    async def check(self) -> None:
        """Read all of the file and see whether it can be right; a damaged one is set aside.

        Raises:
            StorageFault: It cannot be read.
        """

        def check(connection: sqlite3.Connection) -> None:
            (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if result != "ok":
                raise CorruptDatabase(result)

        await self._file.run(check)

    async def open(self, room_key: RoomKey, limit: int) -> CachedRoom | None:
        """A room's newest messages, None when the room is not known.

        Raises:
            StorageFault: They cannot be read.
        """

        def read(connection: sqlite3.Connection) -> CachedRoom | None:
            with snapshot(connection):
                row = connection.execute(
                    "SELECT id, name, topic FROM rooms WHERE server = ? AND key = ?",
                    (room_key.server_url, room_key.room),
                ).fetchone()
                if row is None:
                    return None
                room_id, name, topic = row
                membership = connection.execute(
                    "SELECT member_id FROM visits WHERE room = ? AND nick = ?", (room_id, room_key.nick)
                ).fetchone()
                segment = tables.read_segment(connection, room_id, 0, 2**63 - 1, limit)
            return CachedRoom(name, topic, membership[0] if membership else "", segment)

        return await self._file.run(read)

    async def read_before(self, room_key: RoomKey, seq: int, limit: int, *, allow_gap: bool) -> LogSegment | None:
        """What comes before an entry, None when it is not here.

        Args:
            shelf: Which room.
            seq: The entry.
            limit: How many messages.
            over_gaps: Whatever is older will do; otherwise only what reaches up to the entry.

        Raises:
            StorageFault: It cannot be read.
        """

        def read(connection: sqlite3.Connection) -> LogSegment | None:
            with snapshot(connection):
                room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
                if room_id is None:
                    return None
                return tables.read_segment_before(connection, room_id, seq, limit, allow_gap=allow_gap)

        return await self._file.run(read)

    async def read_around(
        self, room_key: RoomKey, *, seq: int | None = None, at: int | None = None, limit: int
    ) -> LogSegment | None:
        """What is here about one message, None when nothing is.

        Args:
            shelf: Which room.
            seq: The message, or
            at: a time, in milliseconds since the epoch: about the first of then or later, or the last one.
            limit: How many messages, half of them before it.

        Raises:
            StorageFault: It cannot be read.
        """

        def read(connection: sqlite3.Connection) -> LogSegment | None:
            with snapshot(connection):
                room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
                center_seq = seq if at is None or room_id is None else local_search.find_seq_at(connection, room_id, at)
                if room_id is None or center_seq is None:
                    return None
                return tables.read_segment_around(connection, room_id, center_seq, limit)

        return await self._file.run(read)

    async def search(
        self, server_url: str, query: SearchQuery, room_key: str | None, before: int | None, limit: int
    ) -> SearchPage:
        """Messages of a server that are here and that a query finds, newest first.

        Args:
            server: The base URL.
            query: What to look for.
            room: The key of the one room to look in; None for all.
            before: Only messages with a lesser id.
            limit: How many.

        Raises:
            StorageFault: They cannot be read.
        """

        def read(connection: sqlite3.Connection) -> SearchPage:
            with snapshot(connection):
                messages, next_before = local_search.search_messages(
                    connection, server_url, query, room_key=room_key, before=before, limit=limit
                )
            return SearchPage(tuple(messages), next_before is not None, next_before, False, SearchSource.LOCAL)

        return await self._file.run(read)

    async def write(self, room_key: RoomKey, segment: LogSegment) -> None:
        """Add what was learnt of a room.

        Raises:
            StorageFault: Nothing of it was.
        """

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "INSERT OR IGNORE INTO rooms (server, key, name, topic) VALUES (?, ?, ?, '')",
                    (room_key.server_url, room_key.room, room_key.room),
                )
                room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
                assert room_id is not None
                tables.write_segment(connection, room_id, segment)
                written_count = self._written_since_prune.get(room_id, self._max_messages) + len(segment.messages)
                if written_count >= self._max_messages * PRUNE_THRESHOLD:
                    written_count = 0
                    tables.prune(connection, room_id, self._max_messages)
                self._written_since_prune[room_id] = written_count

        await self._file.run(write)

    async def save_room_info(
        self, room_key: RoomKey, name: str, topic: str, member_id: str, nick_keys: Iterable[str]
    ) -> None:
        """A room was entered, or is about something else now.

        Args:
            shelf: Which room.
            name: As the server writes it.
            topic: What it is about.
            member_id: One's own.
            nicks: The keys of the nicknames that one asked for and got.

        Raises:
            StorageFault: It was not noted.
        """

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "INSERT INTO rooms (server, key, name, topic) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (server, key) DO UPDATE SET name = excluded.name, topic = excluded.topic",
                    (room_key.server_url, room_key.room, name, topic),
                )
                room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
                connection.executemany(
                    "INSERT OR REPLACE INTO visits (room, nick, member_id) VALUES (?, ?, ?)",
                    [(room_id, nick_key, member_id) for nick_key in nick_keys],
                )

        await self._file.run(write)

    async def clear_room(self, room_key: RoomKey) -> None:
        """The server has another log of this room by now: what was kept of it is gone.

        Raises:
            StorageFault: It is there still.
        """

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                room_id = tables.find_room_id(connection, room_key.server_url, room_key.room)
                for table in ("messages", "changes", "spans", "visits"):
                    connection.execute(f"DELETE FROM {table} WHERE room = ?", (room_id,))

        await self._file.run(write)

    def _on_corrupt(self, backup_path: Path) -> None:
        self._written_since_prune.clear()
        self.on_problem(f"The history kept here could not be read, and was set aside as {backup_path}")
