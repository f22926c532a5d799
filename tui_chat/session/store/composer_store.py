"""SQLite store for drafts, input history, open rooms, read markers and blocked members.

- Scope: every row belongs to one server, one nickname key and, within them, one room. Blocked members belong to one
  account of a server.
- Delay: drafts and read markers are written at most `SAVE_DELAY` seconds after the first unwritten change; an emptied
  draft and all other changes are written without delay, together with the waiting ones.
- Bounds: `MAX_HISTORY` texts per room, `MAX_ROOMS` rooms over all servers. `load_room_names` removes the entries above
  `MAX_ROOMS`.
- Failures: no method raises an exception of a file access. Each failure is logged, and the first one is reported. A
  failed write is not repeated.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tui_chat.client.storage.sqlite_file import SqliteFile, SqliteSchema, log_failure
from tui_chat.protocol import names
from tui_chat.protocol.errors import DECODE_ERRORS
from tui_chat.session.compose_mode import ComposeMode
from tui_chat.session.i18n import tr
from tui_chat.session.input_history import MAX_HISTORY
from tui_chat.session.strings import settings as settings_strings

FILE_NAME = "composer.db"

SAVE_DELAY = 0.5  # delay between a change of a draft or read marker and its write, in seconds

MAX_ROOMS = 300  # maximum number of rooms over all servers, for each kind of state

_BLOCKED_MEMBERS_TABLE = """
    CREATE TABLE blocked_members (
        server TEXT, account TEXT, member_ids BLOB NOT NULL,
        PRIMARY KEY (server, account)
    )
"""
_SCHEMA = SqliteSchema(
    application_id=0x6368_7772,  # "chwr"
    version=3,
    durable=False,
    statements=f"""
        {_BLOCKED_MEMBERS_TABLE};
        CREATE TABLE drafts (
            server TEXT, nick TEXT, room TEXT, text TEXT NOT NULL, compose_mode BLOB NOT NULL,
            PRIMARY KEY (server, nick, room)
        );
        CREATE TABLE sent_texts (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            server TEXT NOT NULL, nick TEXT NOT NULL, room TEXT NOT NULL, text TEXT NOT NULL
        );
        CREATE INDEX sent_texts_by_room ON sent_texts (server, nick, room, position);
        CREATE TABLE rooms (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            server TEXT NOT NULL, nick TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL,
            read_seq INTEGER, has_unsent_mark INTEGER NOT NULL DEFAULT 0, last_use INTEGER NOT NULL DEFAULT 0,
            UNIQUE (server, nick, room)
        )
    """,
    upgrades={
        1: f"""
            {_BLOCKED_MEMBERS_TABLE};
            ALTER TABLE rooms ADD COLUMN has_unsent_mark INTEGER NOT NULL DEFAULT 0
        """,
        2: "ALTER TABLE rooms ADD COLUMN last_use INTEGER NOT NULL DEFAULT 0",
    },
)
_TABLES = ("drafts", "sent_texts", "rooms")

ResultT = TypeVar("ResultT")
_Statement = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SavedRoomState:
    """Composer state of one room.

    Attributes:
        compose_mode: Mode of the draft, None for a message.
        sent_texts: Input history, oldest first.
        read_seq: Read marker, None if unknown.
        has_unsent_mark: As in `ReadTracker`.
    """

    draft: str = ""
    compose_mode: ComposeMode | None = None
    sent_texts: tuple[str, ...] = ()
    read_seq: int | None = None
    has_unsent_mark: bool = False


class ComposerStore:
    """Composer state of one user on one server, as an async context manager.

    A change only schedules its write. The methods that load, and the exit, first perform the scheduled writes.
    `on_problem` is called with a translated sentence for a corrupt file and for the first storage error.
    """

    def __init__(
        self,
        directory: Path,
        server_url: str,
        nick: str,
        *,
        save_history: bool,
        on_problem: Callable[[str], None],
    ) -> None:
        self._on_problem = on_problem
        self._file = SqliteFile(
            directory / FILE_NAME,
            _SCHEMA,
            lambda backup: on_problem(tr(settings_strings.SAVED_DATA_DAMAGED, file=str(backup))),
        )
        self._server_url = server_url
        self._nick = names.canonical_key(nick)
        self._save_history = save_history
        self._drafts: dict[str, tuple[str, ComposeMode | None]] = {}
        self._read_markers: dict[str, tuple[int, bool]] = {}
        self._statements: list[_Statement] = []
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure_reported = False

    async def __aenter__(self) -> "ComposerStore":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._flush()
        await self._file.close()

    async def load_room(self, room: str) -> SavedRoomState:
        """Return draft, compose mode, input history and read marker of a room, after all scheduled writes.

        An absent part has the default of `SavedRoomState`. After a storage error, all parts are absent.
        """
        scope = self._scope(room)
        await self._flush()

        def load(connection: sqlite3.Connection) -> SavedRoomState:
            draft_row = connection.execute(
                "SELECT text, compose_mode FROM drafts WHERE server = ? AND nick = ? AND room = ?", scope
            ).fetchone()
            sent_rows = connection.execute(
                "SELECT text FROM sent_texts WHERE server = ? AND nick = ? AND room = ? ORDER BY position DESC LIMIT ?",
                (*scope, MAX_HISTORY if self._save_history else 0),
            ).fetchall()
            read_row = connection.execute(
                "SELECT read_seq, has_unsent_mark FROM rooms WHERE server = ? AND nick = ? AND room = ?", scope
            ).fetchone() or (None, 0)
            text, mode = (draft_row[0], _decode_mode(draft_row[1])) if draft_row is not None else ("", None)
            sent_texts = tuple(row[0] for row in reversed(sent_rows))
            return SavedRoomState(text, mode, sent_texts, read_row[0], bool(read_row[1]))

        return await self._run(load, SavedRoomState())

    async def load_room_names(self) -> list[str]:
        """Return the saved room names in the order of their first `add_room`, an empty list after a storage error.

        First deletes the least recently used rooms, drafts and input histories above `MAX_ROOMS` over all servers.
        """
        scope = (self._server_url, self._nick)
        await self._flush()

        def load(connection: sqlite3.Connection) -> list[str]:
            _prune(connection)
            rows = connection.execute("SELECT name FROM rooms WHERE server = ? AND nick = ? ORDER BY position", scope)
            return [name for (name,) in rows]

        return await self._run(load, [], write=True)

    def save_draft(self, room: str, text: str, mode: ComposeMode | None) -> None:
        """Schedule the write of a draft; an empty text without a mode deletes the draft."""
        self._drafts[names.canonical_key(room)] = (text, mode)
        self._schedule_flush(SAVE_DELAY if text else 0.0)

    def save_read_marker(self, room: str, seq: int, has_unsent_mark: bool = False) -> None:
        """Schedule the write of a room's read marker.

        The marker of a room that is not saved is dropped. A lower value replaces a higher one.
        """
        self._read_markers[names.canonical_key(room)] = (seq, has_unsent_mark)
        self._schedule_flush(SAVE_DELAY)

    async def load_blocked_members(self, account: str) -> frozenset[str]:
        """Return the member ids of the last `save_blocked_members`; empty before the first call or after an error."""
        scope = (self._server_url, names.canonical_key(account))
        await self._flush()

        def load(connection: sqlite3.Connection) -> frozenset[str]:
            row = connection.execute(
                "SELECT member_ids FROM blocked_members WHERE server = ? AND account = ?", scope
            ).fetchone()
            return frozenset() if row is None else msgspec.json.decode(row[0], type=frozenset[str])

        return await self._run(load, frozenset())

    def save_blocked_members(self, account: str, member_ids: frozenset[str]) -> None:
        """Schedule the replacement of the blocked members of an account."""
        self._execute(
            "INSERT OR REPLACE INTO blocked_members VALUES (?, ?, ?)",
            self._server_url,
            names.canonical_key(account),
            msgspec.json.encode(member_ids),
        )

    def add_sent_text(self, room: str, text: str) -> None:
        """Schedule the addition of a sent message or command to the input history; no effect without `save_history`.

        Above `MAX_HISTORY` texts of a room, the oldest is deleted. A repeated text is added again.
        """
        if not self._save_history:
            return
        scope = self._scope(room)
        self._execute("INSERT INTO sent_texts (server, nick, room, text) VALUES (?, ?, ?, ?)", *scope, text)
        self._execute(
            "DELETE FROM sent_texts WHERE server = ? AND nick = ? AND room = ? AND position <= ("
            "SELECT position FROM sent_texts WHERE server = ? AND nick = ? AND room = ? "
            "ORDER BY position DESC LIMIT 1 OFFSET ?)",
            *scope,
            *scope,
            MAX_HISTORY,
        )

    def add_room(self, room: str) -> None:
        """Schedule the addition of a room at the end of the saved rooms, as the last used one.

        An existing entry keeps its position and read marker, and gets the new spelling.
        """
        self._execute(
            "INSERT INTO rooms (server, nick, room, name, last_use) "
            "VALUES (?, ?, ?, ?, (SELECT coalesce(max(last_use), 0) + 1 FROM rooms)) "
            "ON CONFLICT (server, nick, room) DO UPDATE SET name = excluded.name, last_use = excluded.last_use",
            *self._scope(room),
            room,
        )

    def remove_room(self, room: str) -> None:
        """Schedule the removal of a room and its read marker; the draft and the input history remain."""
        self._execute("DELETE FROM rooms WHERE server = ? AND nick = ? AND room = ?", *self._scope(room))

    def rename_nick(self, nick: str) -> None:
        """Schedule the move of all room states to a new nickname; no effect for an equal nickname.

        A draft or room saved under the new nickname is overwritten; the input histories merge.
        """
        old_key, self._nick = self._nick, names.canonical_key(nick)
        for table in _TABLES if self._nick != old_key else ():
            self._execute(
                f"UPDATE OR REPLACE {table} SET nick = ? WHERE server = ? AND nick = ?",
                self._nick,
                self._server_url,
                old_key,
            )

    def rename_room(self, room: str, new_name: str) -> None:
        """Schedule the move of a room to its new name, as in `rename_nick`; a room that is not saved is added."""
        old_key, new_key = names.canonical_key(room), names.canonical_key(new_name)
        if old_key in self._drafts:
            self._drafts[new_key] = self._drafts.pop(old_key)
        if old_key in self._read_markers:
            self._read_markers[new_key] = self._read_markers.pop(old_key)
        for table in _TABLES if new_key != old_key else ():
            self._execute(
                f"UPDATE OR REPLACE {table} SET room = ? WHERE server = ? AND nick = ? AND room = ?",
                new_key,
                *self._scope(room),
            )
        self.add_room(new_name)

    async def _flush(self) -> None:
        self._start_write()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _scope(self, room: str) -> tuple[str, str, str]:
        return self._server_url, self._nick, names.canonical_key(room)

    def _execute(self, statement: str, *parameters: object) -> None:
        self._statements.append((statement, parameters))
        self._schedule_flush(0.0)

    def _schedule_flush(self, delay: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is None or self._timer.when() > loop.time() + delay:
            self._cancel_timer()
            self._timer = loop.call_later(delay, self._start_write)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start_write(self) -> None:
        """Start to write all scheduled changes in one transaction. No effect without changes."""
        self._cancel_timer()
        # Drafts use the new nickname scope, so a queued rename must run before them.
        statements: list[_Statement] = [
            *self._statements,
            *(
                (
                    "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)",
                    (*self._scope(room), text, msgspec.json.encode(mode)),
                )
                for room, (text, mode) in self._drafts.items()
            ),
            *(
                (
                    "UPDATE rooms SET read_seq = ?, has_unsent_mark = ? WHERE server = ? AND nick = ? AND room = ?",
                    (*marker, *self._scope(room)),
                )
                for room, marker in self._read_markers.items()
            ),
        ]
        self._statements, self._drafts, self._read_markers = [], {}, {}
        if statements:
            task = asyncio.create_task(self._write(statements))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _write(self, statements: list[_Statement]) -> None:
        """Execute the statements, and delete empty drafts without a mode."""

        def write(connection: sqlite3.Connection) -> None:
            for statement, parameters in statements:
                connection.execute(statement, parameters)
            connection.execute("DELETE FROM drafts WHERE text = '' AND compose_mode = ?", (msgspec.json.encode(None),))

        await self._run(write, None, write=True)

    async def _run(
        self, operation: Callable[[sqlite3.Connection], ResultT], default: ResultT, *, write: bool = False
    ) -> ResultT:
        """Return the result of an operation, `default` after an exception. Logs each exception, reports the first."""
        try:
            return await self._file.run(operation, write=write)
        except Exception as error:
            log_failure("drafts", error)
            if not self._failure_reported:
                self._failure_reported = True
                self._on_problem(tr("Drafts cannot be saved: {reason}", reason=str(error)))
            return default


def _prune(connection: sqlite3.Connection) -> None:
    """Delete the least recently used rooms, drafts and input histories above `MAX_ROOMS`."""
    connection.execute(
        "DELETE FROM sent_texts WHERE (server, nick, room) NOT IN ("
        "SELECT server, nick, room FROM sent_texts GROUP BY server, nick, room ORDER BY max(position) DESC LIMIT ?)",
        (MAX_ROOMS,),
    )
    for table, order in (("drafts", "rowid"), ("rooms", "last_use")):
        connection.execute(
            f"DELETE FROM {table} "
            f"WHERE rowid NOT IN (SELECT rowid FROM {table} ORDER BY {order} DESC, rowid DESC LIMIT ?)",
            (MAX_ROOMS,),
        )


def _decode_mode(encoded: bytes) -> ComposeMode | None:
    try:
        return msgspec.json.decode(encoded, type=ComposeMode | None)
    except DECODE_ERRORS:
        return None
