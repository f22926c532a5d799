"""What you write and read, and where, on this computer's disk: drafts, what you sent, open rooms, how far you read.

Rule 1  Everything belongs to one server and to who you are there (your nickname's
        key): nothing of it is ever shown in another room, on another server or
        under another name.
Rule 2  A draft is on disk half a second after a key, so that the end of the program
        costs no more than that; a draft that was sent is gone at once.
Rule 3  It is bounded: 100 texts for each room, and so many rooms.
Rule 4  It can fail without harm: what is wrong is told once, and writing goes on.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from server.protocol import names
from tui_chat.client.sqlite_file import LocalStorageError, SqliteFile, SqliteSchema, snapshot, transaction
from tui_chat.session import setting_words, words
from tui_chat.session.input_history import HISTORY_MAX
from tui_chat.session.writing import Writing

FILE = "writing.db"

DRAFT_DELAY = 0.5
"""Seconds after a key when a draft is written."""

ROOMS_MAX = 300
"""Rooms of which something is kept, over all servers; those used last."""

_LAYOUT = SqliteSchema(
    application_id=0x6368_7772,  # "chwr"
    version=1,
    durable=False,
    statements="""
        CREATE TABLE drafts (
            server TEXT, nick TEXT, room TEXT, text TEXT NOT NULL, writing BLOB NOT NULL,
            PRIMARY KEY (server, nick, room)
        );
        CREATE TABLE sent (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            server TEXT NOT NULL, nick TEXT NOT NULL, room TEXT NOT NULL, text TEXT NOT NULL
        );
        CREATE INDEX sent_by_room ON sent (server, nick, room, position);
        CREATE TABLE rooms (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            server TEXT NOT NULL, nick TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL,
            read INTEGER,
            UNIQUE (server, nick, room)
        )
    """,
)
_TABLES = ("drafts", "sent", "rooms")

_Change = Callable[[sqlite3.Connection], object]


@dataclass(frozen=True, slots=True)
class Left:
    """What you left in a room.

    Attributes:
        draft: What was being written.
        writing: What that was for, None for a plain message.
        sent: What you sent, oldest first.
        read: The `seq` up to which you had read, None when that is not known.
    """

    draft: str = ""
    writing: Writing | None = None
    sent: tuple[str, ...] = ()
    read: int | None = None


class KeptWriting:
    """What one person writes on one server; an async context manager.

    Attributes:
        on_problem: Told, in a sentence, the first time something cannot be kept.

    Args:
        folder: The user's own folder for what must not be lost; made if it is not there.
        server: The base URL.
        nick: Your nickname.
        history: What you send is kept too.
        on_problem: As the attribute.
        delay: Seconds until a draft is written.
    """

    def __init__(
        self,
        folder: Path,
        server: str,
        nick: str,
        *,
        history: bool,
        on_problem: Callable[[str], None],
        delay: float = DRAFT_DELAY,
    ) -> None:
        self.on_problem = on_problem
        self._file = SqliteFile(folder / FILE, _LAYOUT, self._damaged)
        self._server = server
        self._nick = names.canonical_key(nick)
        self._history = history
        self._delay = delay
        self._drafts: dict[str, tuple[str, Writing | None]] = {}
        self._read: dict[str, int] = {}
        self._changes: list[_Change] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: set[asyncio.Task[None]] = set()
        self._told = False

    async def __aenter__(self) -> "KeptWriting":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._settled()
        await self._file.close()

    async def left(self, room: str) -> Left:
        """What was left in this room; nothing when that cannot be read."""
        whose = self._whose(room)
        await self._settled()

        def read(connection: sqlite3.Connection) -> Left:
            with snapshot(connection):
                draft = connection.execute(
                    "SELECT text, writing FROM drafts WHERE server = ? AND nick = ? AND room = ?", whose
                ).fetchone()
                sent = connection.execute(
                    "SELECT text FROM sent WHERE server = ? AND nick = ? AND room = ? ORDER BY position DESC LIMIT ?",
                    (*whose, HISTORY_MAX if self._history else 0),
                ).fetchall()
                read = connection.execute(
                    "SELECT read FROM rooms WHERE server = ? AND nick = ? AND room = ?", whose
                ).fetchone()
            text, writing = (draft[0], _decoded(draft[1])) if draft is not None else ("", None)
            return Left(text, writing, tuple(row[0] for row in reversed(sent)), read[0] if read is not None else None)

        try:
            return await self._file.run(read)
        except LocalStorageError as fault:
            self._failed(fault)
            return Left()

    async def rooms(self) -> list[str]:
        """The names of the rooms that were open, in their order; none when that cannot be read."""
        whose = (self._server, self._nick)
        await self._settled()

        def read(connection: sqlite3.Connection) -> list[str]:
            with transaction(connection):
                _prune(connection)
            found = connection.execute(
                "SELECT name FROM rooms WHERE server = ? AND nick = ? ORDER BY position", whose
            ).fetchall()
            return [name for (name,) in found]

        try:
            return await self._file.run(read)
        except LocalStorageError as fault:
            self._failed(fault)
            return []

    def draft(self, room: str, text: str, writing: Writing | None) -> None:
        """This is being written in a room; an empty text takes it away."""
        self._drafts[names.canonical_key(room)] = (text, writing)
        self._write_in(self._delay if text else 0.0)

    def read(self, room: str, seq: int) -> None:
        """An open room was read up to this entry."""
        self._read[names.canonical_key(room)] = seq
        self._write_in(self._delay)

    def sent(self, room: str, text: str) -> None:
        """This was sent, or the command done."""
        if not self._history:
            return
        whose = self._whose(room)

        def add(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO sent (server, nick, room, text) VALUES (?, ?, ?, ?)", (*whose, text))
            connection.execute(
                "DELETE FROM sent WHERE server = ? AND nick = ? AND room = ? AND position <= ("
                "SELECT position FROM sent WHERE server = ? AND nick = ? AND room = ? "
                "ORDER BY position DESC LIMIT 1 OFFSET ?)",
                (*whose, *whose, HISTORY_MAX),
            )

        self._change(add)

    def opened(self, room: str) -> None:
        """A room is open; it keeps its place when it was before."""
        whose = self._whose(room)
        self._change(
            lambda connection: connection.execute(
                "INSERT INTO rooms (server, nick, room, name) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (server, nick, room) DO UPDATE SET name = excluded.name",
                (*whose, room),
            )
        )

    def closed(self, room: str) -> None:
        """You have left a room."""
        whose = self._whose(room)
        self._change(
            lambda connection: connection.execute("DELETE FROM rooms WHERE server = ? AND nick = ? AND room = ?", whose)
        )

    def known_as(self, nick: str) -> None:
        """You have another nickname: what is kept goes with you."""
        old, new = self._nick, names.canonical_key(nick)
        if old == new:
            return
        self._nick = new

        def rename(connection: sqlite3.Connection) -> None:
            for table in _TABLES:
                connection.execute(
                    f"UPDATE OR REPLACE {table} SET nick = ? WHERE server = ? AND nick = ?", (new, self._server, old)
                )

        self._change(rename)

    async def _settled(self) -> None:
        self._begin()
        while self._writing:
            await asyncio.wait(self._writing)

    def _whose(self, room: str) -> tuple[str, str, str]:
        return self._server, self._nick, names.canonical_key(room)

    def _change(self, change: _Change) -> None:
        self._changes.append(change)
        self._write_in(0.0)

    def _write_in(self, delay: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None and self._timer.when() <= loop.time() + delay:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(delay, self._begin)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        drafts, self._drafts = self._drafts, {}
        changes, self._changes = self._changes, []
        reads, self._read = self._read, {}
        # The drafts last: a change of nickname among the others is to find them under the new one.
        rows = [(*self._whose(room), text, _encoded(writing)) for room, (text, writing) in drafts.items()]
        read = [(seq, *self._whose(room)) for room, seq in reads.items()]
        if rows or changes or read:
            task = asyncio.create_task(self._write(changes, rows, read))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write(
        self,
        changes: list[_Change],
        drafts: list[tuple[str, str, str, str, bytes]],
        read: list[tuple[int, str, str, str]],
    ) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                for change in changes:
                    change(connection)
                connection.executemany("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)", drafts)
                connection.executemany("UPDATE rooms SET read = ? WHERE server = ? AND nick = ? AND room = ?", read)
                connection.execute("DELETE FROM drafts WHERE text = '' AND writing = ?", (_encoded(None),))

        try:
            await self._file.run(write)
        except LocalStorageError as fault:
            self._failed(fault)

    def _failed(self, fault: LocalStorageError) -> None:
        if not self._told:
            self._told = True
            self.on_problem(words.writing_not_kept(fault.reason))

    def _damaged(self, aside: Path) -> None:
        self.on_problem(setting_words.remembered_damaged(str(aside)))


def _prune(connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM sent WHERE (server, nick, room) NOT IN ("
        "SELECT server, nick, room FROM sent GROUP BY server, nick, room ORDER BY max(position) DESC LIMIT ?)",
        (ROOMS_MAX,),
    )
    for table in ("drafts", "rooms"):
        connection.execute(
            f"DELETE FROM {table} WHERE rowid NOT IN (SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT ?)",
            (ROOMS_MAX,),
        )


def _encoded(writing: Writing | None) -> bytes:
    return msgspec.json.encode(writing)


def _decoded(kept: bytes) -> Writing | None:
    try:
        return msgspec.json.decode(kept, type=Writing | None)
    except msgspec.MsgspecError:
        return None
