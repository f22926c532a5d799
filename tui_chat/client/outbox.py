"""What was written and is not acknowledged, on this computer's disk.

Rule 1  A row is on disk (`synchronous=FULL`) before `keep` returns, and leaves when
        the server has acknowledged it. What is in between survives the end of the
        program, a reboot, a week offline.
Rule 2  A row belongs to one running program (`Owner`). While that lives nobody else
        sends it; when it is dead, the next one of the same server and identity that
        opens the room takes it over, in one transaction, so that one alone has it.
Rule 3  Rows are given back in the order they were written.
Rule 4  An identity is the guest key, kept as its hash; before the server has given
        one, the nickname that was asked for.
"""

import asyncio
import hashlib
import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID

import msgspec

from server.protocol.codec import decode_request
from server.protocol.errors import ChatError
from tui_chat.client.owners import Owner
from tui_chat.client.posting import Postable, Posting, PostState
from tui_chat.client.sqlite_file import Layout, SqliteFile, StorageFault, transaction

log = logging.getLogger("chat.client")

FILE = "outbox.db"
OWNERS = "outbox-owners"

_LAYOUT = Layout(
    application=0x6368_6F62,  # "chob"
    version=1,
    durable=True,
    tables="""
        CREATE TABLE postings (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            client_id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            server TEXT NOT NULL,
            room TEXT NOT NULL,
            guest TEXT NOT NULL,
            nick TEXT NOT NULL,
            event TEXT NOT NULL,
            body BLOB NOT NULL,
            ts INTEGER NOT NULL,
            problem TEXT
        );
        CREATE INDEX postings_of_a_room ON postings (server, room, position)
    """,
)

_ADD = (
    "INSERT OR IGNORE INTO postings (client_id, owner, server, room, guest, nick, event, body, ts) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_READ = "SELECT client_id, event, body, ts, problem FROM postings WHERE server = ? AND room = ? AND owner = ? "
_MINE = "((guest <> '' AND guest = ?) OR (guest = '' AND nick = ?))"

_Write = Callable[[sqlite3.Connection], object]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is to be said, and by whom.

    Attributes:
        server: The base URL.
        room: The key of the room's name.
        guest: The hash of the guest key, empty while there is none (`guest_hash`).
        nick: The key of the nickname that was asked for.
    """

    server: str
    room: str
    guest: str
    nick: str


class Outbox:
    """The outbox of one running program, in a folder that others may use at the same time; an async context manager.

    Attributes:
        on_problem: Told, in a sentence, when a damaged file was set aside.

    Args:
        folder: The user's own folder for such things; made if it is not there.
        new_owner: Gives a name that no other program ever had.
    """

    def __init__(self, folder: Path, new_owner: Callable[[], UUID] = uuid.uuid4) -> None:
        self.on_problem: Callable[[str], None] = log.warning
        self._file = SqliteFile(folder / FILE, _LAYOUT, self._damaged)
        self._owner = Owner(folder / OWNERS, new_owner().hex)
        self._waiting: list[tuple[_Write, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Outbox":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish writing; what is left is for the next program."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})
        await self._file.close()
        self._owner.let_go()

    async def keep(self, place: Place, posting: Posting) -> None:
        """Put something on disk.

        Raises:
            StorageFault: It is not there.
        """
        request = posting.request
        row = (
            *(posting.client_id.hex, self._owner.name, place.server, place.room, place.guest, place.nick),
            *(request.event, msgspec.json.encode(request), posting.ts),
        )

        def add(connection: sqlite3.Connection) -> None:
            self._owner.hold()
            connection.execute(_ADD, row)

        await self._write(add)

    async def forget(self, client_id: UUID) -> None:
        """It was acknowledged, or is not wanted any more.

        Raises:
            StorageFault: It is there still; sent again, it will be known for a repeat.
        """
        await self._write(lambda connection: connection.execute(_FORGET, (client_id.hex,)))

    async def fail(self, client_id: UUID, problem: str) -> None:
        """It was refused for good, and stays until somebody decides.

        Raises:
            StorageFault: It was not noted.
        """
        await self._write(lambda connection: connection.execute(_FAIL, (problem, client_id.hex)))

    async def known_as(self, server: str, old_guest: str, new_guest: str) -> None:
        """The server has given another guest key: what waits for it belongs to the new one.

        Raises:
            StorageFault: It was not noted.
        """

        def rename(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE postings SET guest = ? WHERE server = ? AND guest <> ? "
                "AND (owner = ? OR (guest <> '' AND guest = ?))",
                (new_guest, server, new_guest, self._owner.name, old_guest),
            )

        await self._write(rename)

    async def take_over(self, place: Place, room: str) -> list[Posting]:
        """What waits for this room and identity and belongs to no other program that lives, in order.

        Args:
            place: Where.
            room: The room's name, for the postings.

        Raises:
            StorageFault: It cannot be read.
        """

        def take(connection: sqlite3.Connection) -> tuple[list[tuple[str, str, bytes, int, str | None]], list[str]]:
            self._owner.hold()
            at = (place.server, place.room)
            found = connection.execute(
                f"SELECT DISTINCT owner FROM postings WHERE server = ? AND room = ? AND owner <> ? AND {_MINE}",
                (*at, self._owner.name, place.guest, place.nick),
            )
            dead = [owner for (owner,) in found if self._owner.is_dead(owner)]
            with transaction(connection):
                for owner in dead:
                    connection.execute(
                        f"UPDATE postings SET owner = ? WHERE server = ? AND room = ? AND owner = ? AND {_MINE}",
                        (self._owner.name, *at, owner, place.guest, place.nick),
                    )
                rows = connection.execute(
                    f"{_READ} AND {_MINE} ORDER BY position", (*at, self._owner.name, place.guest, place.nick)
                ).fetchall()
                left = {owner for (owner,) in connection.execute("SELECT DISTINCT owner FROM postings")}
            return rows, [owner for owner in dead if owner not in left]

        rows, buried = await self._file.do(take)
        for owner in buried:
            self._owner.bury(owner)
        return list(_postings(rows, room))

    async def _write(self, write: _Write) -> None:
        """Do it with all that waits, in one transaction: a burst costs one wait for the disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="writing the outbox")
        await done

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            fault: StorageFault | None = None
            try:
                await self._file.do(lambda connection, batch=batch: _run(connection, [write for write, _ in batch]))
            except StorageFault as refused:
                fault = refused
            for _, done in batch:
                if done.done():
                    continue  # whoever asked was cancelled
                if fault is None:
                    done.set_result(None)
                else:
                    done.set_exception(StorageFault(fault.reason))

    def _damaged(self, aside: Path) -> None:
        self.on_problem(f"What waited to be sent could not be read, and was set aside as {aside}")


_FORGET = "DELETE FROM postings WHERE client_id = ?"
_FAIL = "UPDATE postings SET problem = ? WHERE client_id = ?"


def guest_hash(guest_key: str | None) -> str:
    """What stands for a guest key on disk, empty for none."""
    return hashlib.sha256(guest_key.encode()).hexdigest() if guest_key else ""


def _run(connection: sqlite3.Connection, writes: Iterable[_Write]) -> None:
    with transaction(connection):
        for write in writes:
            write(connection)


def _postings(rows: Iterable[tuple[str, str, bytes, int, str | None]], room: str) -> Iterable[Posting]:
    for client_id, event, body, ts, problem in rows:
        try:
            request = cast(Postable, decode_request(event, body))
            number = UUID(client_id)
        except (ChatError, ValueError):
            log.exception("something in the outbox could not be read")
            continue
        state = PostState.PENDING if problem is None else PostState.FAILED
        yield Posting(room, number, request, ts, state, kept=True, problem=problem or "")
