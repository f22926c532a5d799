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

from tui_chat.client.outbox.item import OutboxItem, OutboxItemState, OutboxRequest
from tui_chat.client.outbox.process_lock import ProcessLock
from tui_chat.client.storage.sqlite_file import LocalStorageError, SqliteFile, SqliteSchema, transaction
from tui_chat.protocol.codec import decode_request
from tui_chat.protocol.errors import ChatError

log = logging.getLogger("chat.client")

FILE_NAME = "outbox.db"
LOCK_DIRECTORY = "outbox-owners"

_SCHEMA = SqliteSchema(
    application_id=0x6368_6F62,  # "chob"
    version=1,
    durable=True,
    statements="""
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

_INSERT = (
    "INSERT OR IGNORE INTO postings (client_id, owner, server, room, guest, nick, event, body, ts) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = "SELECT client_id, event, body, ts, problem FROM postings WHERE server = ? AND room = ? AND owner = ? "
_SAME_IDENTITY = "((guest <> '' AND guest = ?) OR (guest = '' AND nick = ?))"

_WriteOperation = Callable[[sqlite3.Connection], object]


@dataclass(frozen=True, slots=True)
class OutboxScope:
    """Where something is to be said, and by whom.

    Attributes:
        server: The base URL.
        room: The key of the room's name.
        guest: The hash of the guest key, empty while there is none (`guest_hash`).
        nick: The key of the nickname that was asked for.
    """

    server_url: str
    room: str
    guest_hash: str
    nick: str


class Outbox:
    """The outbox of one running program, in a folder that others may use at the same time; an async context manager.

    Attributes:
        on_problem: Told, in a sentence, when a damaged file was set aside.

    Args:
        folder: The user's own folder for such things; made if it is not there.
        new_owner: Gives a name that no other program ever had.
    """

    def __init__(self, directory: Path, new_owner_id: Callable[[], UUID] = uuid.uuid4) -> None:
        self.on_problem: Callable[[str], None] = log.warning
        self._file = SqliteFile(directory / FILE_NAME, _SCHEMA, self._on_corrupt)
        self._process_lock = ProcessLock(directory / LOCK_DIRECTORY, new_owner_id().hex)
        self._queued_writes: list[tuple[_WriteOperation, asyncio.Future[None]]] = []
        self._write_task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Outbox":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish writing; what is left is for the next program."""
        while self._write_task is not None and not self._write_task.done():
            await asyncio.wait({self._write_task})
        await self._file.close()
        self._process_lock.release()

    async def add(self, scope: OutboxScope, item: OutboxItem) -> None:
        """Put something on disk.

        Raises:
            StorageFault: It is not there.
        """
        request = item.request
        row = (
            *(item.client_id.hex, self._process_lock.name, scope.server_url, scope.room, scope.guest_hash, scope.nick),
            *(request.event, msgspec.json.encode(request), item.ts),
        )

        def insert(connection: sqlite3.Connection) -> None:
            self._process_lock.acquire()
            connection.execute(_INSERT, row)

        await self._enqueue_write(insert)

    async def delete(self, client_id: UUID) -> None:
        """It was acknowledged, or is not wanted any more.

        Raises:
            StorageFault: It is there still; sent again, it will be known for a repeat.
        """
        await self._enqueue_write(lambda connection: connection.execute(_DELETE, (client_id.hex,)))

    async def mark_failed(self, client_id: UUID, problem: str) -> None:
        """It was refused for good, and stays until somebody decides.

        Raises:
            StorageFault: It was not noted.
        """
        await self._enqueue_write(lambda connection: connection.execute(_MARK_FAILED, (problem, client_id.hex)))

    async def update_guest(self, server_url: str, old_guest: str, new_guest: str) -> None:
        """The server has given another guest key: what waits for it belongs to the new one.

        Raises:
            StorageFault: It was not noted.
        """

        def update(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE postings SET guest = ? WHERE server = ? AND guest <> ? "
                "AND (owner = ? OR (guest <> '' AND guest = ?))",
                (new_guest, server_url, new_guest, self._process_lock.name, old_guest),
            )

        await self._enqueue_write(update)

    async def claim_orphans(self, scope: OutboxScope, room_name: str) -> list[OutboxItem]:
        """What waits for this room and identity and belongs to no other program that lives, in order.

        Args:
            place: Where.
            room: The room's name, for the postings.

        Raises:
            StorageFault: It cannot be read.
        """

        def claim(connection: sqlite3.Connection) -> tuple[list[tuple[str, str, bytes, int, str | None]], list[str]]:
            self._process_lock.acquire()
            room_values = (scope.server_url, scope.room)
            owners = connection.execute(
                f"SELECT DISTINCT owner FROM postings WHERE server = ? AND room = ? AND owner <> ? AND {_SAME_IDENTITY}",
                (*room_values, self._process_lock.name, scope.guest_hash, scope.nick),
            )
            dead_owners = [owner for (owner,) in owners if self._process_lock.is_stale(owner)]
            with transaction(connection):
                for owner in dead_owners:
                    connection.execute(
                        f"UPDATE postings SET owner = ? WHERE server = ? AND room = ? AND owner = ? AND {_SAME_IDENTITY}",
                        (self._process_lock.name, *room_values, owner, scope.guest_hash, scope.nick),
                    )
                rows = connection.execute(
                    f"{_SELECT} AND {_SAME_IDENTITY} ORDER BY position",
                    (*room_values, self._process_lock.name, scope.guest_hash, scope.nick),
                ).fetchall()
                remaining_owners = {owner for (owner,) in connection.execute("SELECT DISTINCT owner FROM postings")}
            return rows, [owner for owner in dead_owners if owner not in remaining_owners]

        rows, finished_owners = await self._file.run(claim)
        for owner in finished_owners:
            self._process_lock.remove_stale(owner)
        return list(_decode_items(rows, room_name))

    async def _enqueue_write(self, operation: _WriteOperation) -> None:
        """Do it with all that waits, in one transaction: a burst costs one wait for the disk."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queued_writes.append((operation, committed))
        if self._write_task is None or self._write_task.done():
            self._write_task = asyncio.create_task(self._flush_writes(), name="writing the outbox")
        await committed

    async def _flush_writes(self) -> None:
        while self._queued_writes:
            batch, self._queued_writes = self._queued_writes, []
            error: LocalStorageError | None = None
            try:
                await self._file.run(
                    lambda connection, batch=batch: _run_operations(connection, [operation for operation, _ in batch])
                )
            except LocalStorageError as caught:
                error = caught
            for _, committed in batch:
                if committed.done():
                    continue  # whoever asked was cancelled
                if error is None:
                    committed.set_result(None)
                else:
                    committed.set_exception(LocalStorageError(error.reason))

    def _on_corrupt(self, backup_path: Path) -> None:
        self.on_problem(f"What waited to be sent could not be read, and was set aside as {backup_path}")


_DELETE = "DELETE FROM postings WHERE client_id = ?"
_MARK_FAILED = "UPDATE postings SET problem = ? WHERE client_id = ?"


def hash_guest_key(guest_key: str | None) -> str:
    """What stands for a guest key on disk, empty for none."""
    return hashlib.sha256(guest_key.encode()).hexdigest() if guest_key else ""


def _run_operations(connection: sqlite3.Connection, operations: Iterable[_WriteOperation]) -> None:
    with transaction(connection):
        for operation in operations:
            operation(connection)


def _decode_items(rows: Iterable[tuple[str, str, bytes, int, str | None]], room_name: str) -> Iterable[OutboxItem]:
    for client_id, event, body, ts, problem in rows:
        try:
            request = cast(OutboxRequest, decode_request(event, body))
            item_id = UUID(client_id)
        except (ChatError, ValueError):
            log.exception("something in the outbox could not be read")
            continue
        state = OutboxItemState.PENDING if problem is None else OutboxItemState.FAILED
        yield OutboxItem(room_name, item_id, request, ts, state, persisted=True, problem=problem or "")
