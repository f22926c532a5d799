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

from server.protocol.search_terms import SearchQuery
from tui_chat.client import history_tables as tables
from tui_chat.client import kept_search
from tui_chat.client.results import Results, Source
from tui_chat.client.room_log import Stretch
from tui_chat.client.sqlite_file import Damaged, SqliteFile, snapshot, transaction

log = logging.getLogger("chat.client")

FILE = "history.db"
MESSAGES_A_ROOM = 50_000
PRUNED_EVERY = 0.02
"""The part of a room's bound that may be written before the oldest are looked for."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Which room's history it is.

    Attributes:
        server: The base URL.
        room: The key of the room's name.
        nick: The key of the nickname that one asks for.
    """

    server: str
    room: str
    nick: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a room when it is opened.

    Attributes:
        name: As the server writes it.
        member_id: One's own under this nickname, empty when one was never there.
        newest: The newest messages.
    """

    name: str
    topic: str
    member_id: str
    newest: Stretch


class LocalHistory:
    """The history of all rooms, in one file of this user; an async context manager.

    Attributes:
        on_problem: Told, in a sentence, when a damaged file was set aside.

    Args:
        folder: The user's own folder for such things; made if it is not there.
        messages_a_room: How many are kept of each room.
    """

    def __init__(self, folder: Path, messages_a_room: int = MESSAGES_A_ROOM) -> None:
        self.on_problem: Callable[[str], None] = log.warning
        self._file = SqliteFile(folder / FILE, tables.LAYOUT, self._damaged)
        self._bound = messages_a_room
        self._written: dict[int, int] = {}  # by room, since the oldest were looked for

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
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise Damaged(found)

        await self._file.do(check)

    async def open(self, shelf: Shelf, limit: int) -> Kept | None:
        """A room's newest messages, None when the room is not known.

        Raises:
            StorageFault: They cannot be read.
        """

        def read(connection: sqlite3.Connection) -> Kept | None:
            with snapshot(connection):
                row = connection.execute(
                    "SELECT id, name, topic FROM rooms WHERE server = ? AND key = ?", (shelf.server, shelf.room)
                ).fetchone()
                if row is None:
                    return None
                room, name, topic = row
                own = connection.execute(
                    "SELECT member_id FROM visits WHERE room = ? AND nick = ?", (room, shelf.nick)
                ).fetchone()
                newest = tables.read(connection, room, 0, 2**63 - 1, limit)
            return Kept(name, topic, own[0] if own else "", newest)

        return await self._file.do(read)

    async def before(self, shelf: Shelf, seq: int, limit: int, *, over_gaps: bool) -> Stretch | None:
        """What comes before an entry, None when it is not here.

        Args:
            shelf: Which room.
            seq: The entry.
            limit: How many messages.
            over_gaps: Whatever is older will do; otherwise only what reaches up to the entry.

        Raises:
            StorageFault: It cannot be read.
        """

        def read(connection: sqlite3.Connection) -> Stretch | None:
            with snapshot(connection):
                room = tables.room_number(connection, shelf.server, shelf.room)
                if room is None:
                    return None
                return tables.read_before(connection, room, seq, limit, over_gaps=over_gaps)

        return await self._file.do(read)

    async def around(
        self, shelf: Shelf, *, seq: int | None = None, at: int | None = None, limit: int
    ) -> Stretch | None:
        """What is here about one message, None when nothing is.

        Args:
            shelf: Which room.
            seq: The message, or
            at: a time, in milliseconds since the epoch: about the first of then or later, or the last one.
            limit: How many messages, half of them before it.

        Raises:
            StorageFault: It cannot be read.
        """

        def read(connection: sqlite3.Connection) -> Stretch | None:
            with snapshot(connection):
                room = tables.room_number(connection, shelf.server, shelf.room)
                middle = seq if at is None or room is None else kept_search.first_at(connection, room, at)
                if room is None or middle is None:
                    return None
                return tables.read_around(connection, room, middle, limit)

        return await self._file.do(read)

    async def search(
        self, server: str, query: SearchQuery, room: str | None, before: int | None, limit: int
    ) -> Results:
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

        def read(connection: sqlite3.Connection) -> Results:
            with snapshot(connection):
                found, place = kept_search.search(connection, server, query, room=room, before=before, limit=limit)
            return Results(tuple(found), place is not None, place, False, Source.HERE)

        return await self._file.do(read)

    async def write(self, shelf: Shelf, stretch: Stretch) -> None:
        """Add what was learnt of a room.

        Raises:
            StorageFault: Nothing of it was.
        """

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "INSERT OR IGNORE INTO rooms (server, key, name, topic) VALUES (?, ?, ?, '')",
                    (shelf.server, shelf.room, shelf.room),
                )
                room = tables.room_number(connection, shelf.server, shelf.room)
                assert room is not None
                tables.write(connection, room, stretch)
                written = self._written.get(room, self._bound) + len(stretch.messages)
                if written >= self._bound * PRUNED_EVERY:
                    written = 0
                    tables.prune(connection, room, self._bound)
                self._written[room] = written

        await self._file.do(write)

    async def entered(self, shelf: Shelf, name: str, topic: str, member_id: str, nicks: Iterable[str]) -> None:
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
                    (shelf.server, shelf.room, name, topic),
                )
                room = tables.room_number(connection, shelf.server, shelf.room)
                connection.executemany(
                    "INSERT OR REPLACE INTO visits (room, nick, member_id) VALUES (?, ?, ?)",
                    [(room, nick, member_id) for nick in nicks],
                )

        await self._file.do(write)

    async def drop(self, shelf: Shelf) -> None:
        """The server has another log of this room by now: what was kept of it is gone.

        Raises:
            StorageFault: It is there still.
        """

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                room = tables.room_number(connection, shelf.server, shelf.room)
                for table in ("messages", "changes", "spans", "visits"):
                    connection.execute(f"DELETE FROM {table} WHERE room = ?", (room,))

        await self._file.do(write)

    def _damaged(self, aside: Path) -> None:
        self._written.clear()
        self.on_problem(f"The history kept here could not be read, and was set aside as {aside}")
