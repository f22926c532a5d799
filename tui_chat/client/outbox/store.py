"""SQLite storage of unacknowledged outbox items.

- Durability: `add` returns after the row is on disk (`synchronous=FULL`). Rows survive crashes and reboots.
- Ownership: each row belongs to one running process (`ProcessLock`), the only sender of the row. A process that opens
  the room with the same server and identity claims the rows of ended processes in one transaction.
- Order: items are returned in order of creation.
- Identity: the hash of the account name or of the guest key; before the first key, the requested nickname.
"""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import msgspec

from tui_chat.client.log import log
from tui_chat.client.outbox.process_lock import ProcessLock
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState, OutboxRequest
from tui_chat.client.storage.sqlite_file import LocalStorageError, SqliteFile, SqliteSchema
from tui_chat.protocol.codec import ErrorBody, decode_request
from tui_chat.protocol.errors import BadRequest, ChatError, Unavailable

FILE_NAME = "outbox.db"

_SCHEMA = SqliteSchema(
    application_id=0x6368_6F62,  # "chob"
    version=4,
    durable=True,
    statements="""
        CREATE TABLE outbox_items (
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
            error BLOB,
            files BLOB
        );
        CREATE INDEX outbox_items_by_room ON outbox_items (server, room, position)
    """,
    upgrades={
        1: """
            ALTER TABLE postings RENAME TO outbox_items;
            DROP INDEX postings_of_a_room;
            CREATE INDEX outbox_items_by_room ON outbox_items (server, room, position)
        """,
        2: """
            ALTER TABLE outbox_items ADD COLUMN error BLOB;
            UPDATE outbox_items SET error = json_object('code', 'internal', 'message', problem)
            WHERE problem IS NOT NULL;
            ALTER TABLE outbox_items DROP COLUMN problem
        """,
        3: "ALTER TABLE outbox_items ADD COLUMN files BLOB",
    },
)

_QueuedWrite = tuple[str, tuple[object, ...], asyncio.Future[None]]  # statement, parameters, completed by the commit

_Row = tuple[str, str, bytes, int, bytes | None, bytes | None]
_files_decoder = msgspec.json.Decoder(tuple[OutboxFile, ...])
_error_decoder = msgspec.json.Decoder(ErrorBody)

_SAME_IDENTITY = "((guest <> '' AND guest = ?) OR (guest = '' AND nick = ?))"


@dataclass(frozen=True, slots=True)
class OutboxScope:
    """Selection of outbox rows by destination and sender.

    Attributes:
        server_url: Base URL of the server.
        room: Canonical key of the room name.
        identity_hash: Hash of the account or guest key (`hash_identity`), empty without both.
        nick: Canonical key of the requested nickname.
    """

    server_url: str
    room: str
    identity_hash: str
    nick: str


class Outbox:
    """Outbox of one process in a directory shared with other processes; an async context manager.

    All operations raise `LocalStorageError` for an inaccessible file, and after `close`.

    Args:
        directory: Private directory of the user; created on demand.

    Attributes:
        on_problem: Called with the error "outbox_damaged" after a corrupt file was renamed; a log warning by default.
    """

    def __init__(self, directory: Path) -> None:
        self.on_problem: Callable[[ChatError], None] = log.warning
        self._file = SqliteFile(directory / FILE_NAME, _SCHEMA, self._on_corrupt)
        self._process_lock = ProcessLock(directory / "outbox-owners", uuid4().hex)
        self._queued_writes: list[_QueuedWrite] = []
        self._write_task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Outbox":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish all writes, close the file and release the ownership of the remaining rows; idempotent.

        Remaining rows can be claimed by another process.
        """
        while self._write_task is not None and not self._write_task.done():
            await asyncio.wait({self._write_task})
        await self._file.close()
        self._process_lock.release()

    async def add(self, scope: OutboxScope, item: OutboxItem) -> None:
        """Store the request of an item, without its state; an item with the same `client_id` remains unchanged."""
        await self._write(
            "INSERT OR IGNORE INTO outbox_items (client_id, owner, server, room, guest, nick, event, body, ts, files) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(item.client_id.hex, self._process_lock.name),
                *(scope.server_url, scope.room, scope.identity_hash, scope.nick),
                *(item.request.event, msgspec.json.encode(item.request), item.ts, _encode_files(item.files)),
            ),
        )

    async def delete(self, client_id: UUID) -> None:
        """Delete an acknowledged or dropped item; no effect for an unknown id."""
        await self._write("DELETE FROM outbox_items WHERE client_id = ?", (client_id.hex,))

    async def set_error(self, client_id: UUID, error: ChatError | None) -> None:
        """Store the error of a failed item, which prevents automatic resends; None clears the error.

        No effect for an unknown id.
        """
        body = None if error is None else msgspec.json.encode(ErrorBody.from_error(error))
        await self._write("UPDATE outbox_items SET error = ? WHERE client_id = ?", (body, client_id.hex))

    async def set_files(self, client_id: UUID, files: Sequence[OutboxFile]) -> None:
        """Store the files of an item with the ids of their uploads; no effect for an unknown id."""
        await self._write(
            "UPDATE outbox_items SET files = ? WHERE client_id = ?", (_encode_files(files), client_id.hex)
        )

    async def replace_identity(self, server_url: str, old_hash: str, new_hash: str) -> None:
        """Reassign all rows of this process on a server, and rows of other processes under the old identity.

        Args:
            server_url: Base URL of the server.
            old_hash: Hash of the previous identity (`hash_identity`), empty without one.
            new_hash: Hash of the new identity.
        """
        await self._write(
            "UPDATE outbox_items SET guest = ? WHERE server = ? AND guest <> ? "
            "AND (owner = ? OR (guest <> '' AND guest = ?))",
            (new_hash, server_url, new_hash, self._process_lock.name, old_hash),
        )

    async def rename_room(self, server_url: str, old_room: str, new_room: str) -> None:
        """Reassign the rows of this process to the new name of a room; both names are canonical keys."""
        await self._write(
            "UPDATE outbox_items SET room = ? WHERE server = ? AND room = ? AND owner = ?",
            (new_room, server_url, old_room, self._process_lock.name),
        )

    async def claim_orphans(self, scope: OutboxScope, room_name: str) -> list[OutboxItem]:
        """Claim the rows of ended processes and return all rows of this process in the scope, in order of creation.

        Failed items are included. A row of an earlier version with a lone surrogate is returned as a failed item with
        U+FFFD in its text. Other undecodable rows are logged and skipped, and remain in the file. Lock files of ended
        processes without remaining rows are deleted. The returned items have the given room name.
        """

        def claim(connection: sqlite3.Connection) -> tuple[list[_Row], list[str]]:
            self._process_lock.acquire()
            room_values = (scope.server_url, scope.room)
            owners = connection.execute(
                "SELECT DISTINCT owner FROM outbox_items "
                f"WHERE server = ? AND room = ? AND owner <> ? AND {_SAME_IDENTITY}",
                (*room_values, self._process_lock.name, scope.identity_hash, scope.nick),
            )
            stale_owners = [owner for (owner,) in owners if self._process_lock.is_stale(owner)]
            connection.executemany(
                f"UPDATE outbox_items SET owner = ? WHERE server = ? AND room = ? AND owner = ? AND {_SAME_IDENTITY}",
                [
                    (self._process_lock.name, *room_values, owner, scope.identity_hash, scope.nick)
                    for owner in stale_owners
                ],
            )
            rows = connection.execute(
                "SELECT client_id, event, body, ts, error, files FROM outbox_items "
                f"WHERE server = ? AND room = ? AND owner = ? AND {_SAME_IDENTITY} ORDER BY position",
                (*room_values, self._process_lock.name, scope.identity_hash, scope.nick),
            ).fetchall()
            remaining_owners = {owner for (owner,) in connection.execute("SELECT DISTINCT owner FROM outbox_items")}
            return rows, [owner for owner in stale_owners if owner not in remaining_owners]

        rows, owners_without_rows = await self._file.run(claim, write=True)
        for owner in owners_without_rows:
            self._process_lock.remove_stale(owner)
        return list(_decode_items(rows, room_name))

    async def _write(self, statement: str, parameters: tuple[object, ...]) -> None:
        """Execute a statement together with all queued ones in one transaction (group commit) and wait for the commit.

        A failed transaction raises `LocalStorageError`.
        """
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queued_writes.append((statement, parameters, committed))
        if self._write_task is None or self._write_task.done():
            self._write_task = asyncio.create_task(self._flush_writes(), name="outbox writer")
        await committed

    async def _flush_writes(self) -> None:
        """Execute the queued statements, one transaction per batch, and complete their futures; never raises."""
        while self._queued_writes:
            batch, self._queued_writes = self._queued_writes, []
            error: LocalStorageError | None = None
            try:
                await self._file.run(partial(self._execute, batch), write=True)
            except LocalStorageError as storage_error:
                error = storage_error
            except Exception as unexpected_error:
                log.exception("outbox writer failed: batch not stored")
                error = LocalStorageError(type(unexpected_error).__name__)
            # The future of a cancelled caller is done.
            for committed in [committed for _, _, committed in batch if not committed.done()]:
                if error is None:
                    committed.set_result(None)
                else:
                    committed.set_exception(LocalStorageError(*error.args))

    def _execute(self, batch: Iterable[_QueuedWrite], connection: sqlite3.Connection) -> None:
        self._process_lock.acquire()
        for statement, parameters, _ in batch:
            connection.execute(statement, parameters)

    def _on_corrupt(self, backup_path: Path) -> None:
        self.on_problem(Unavailable("outbox_damaged", file=str(backup_path)))


def hash_identity(identity: str | None) -> str:
    """Return the SHA-256 hash of an account or guest key in hexadecimal, empty without one."""
    return hashlib.sha256(identity.encode()).hexdigest() if identity else ""


def _encode_files(files: Sequence[OutboxFile]) -> bytes | None:
    return msgspec.json.encode(files) if files else None


def _decode_items(rows: Iterable[_Row], room_name: str) -> Iterable[OutboxItem]:
    """Yield the items of rows: failed ones with an error, otherwise pending ones; log and skip undecodable rows."""
    for client_id, event, body, ts, error_body, files_body in rows:
        try:
            request, error = _decode_stored_request(event, body)
            item_id = UUID(client_id)
            if error_body is not None:
                error = _error_decoder.decode(error_body).to_error()
            files = () if files_body is None else _files_decoder.decode(files_body)
        except (ChatError, ValueError):
            log.exception("outbox: undecodable row ignored")
            continue
        state = OutboxItemState.PENDING if error is None else OutboxItemState.FAILED
        yield OutboxItem(room_name, item_id, request, ts, state, persisted=True, error=error, files=files)


def _decode_stored_request(event: str, body: bytes) -> tuple[OutboxRequest, ChatError | None]:
    """Return a stored request and None, or a repaired request and the error of its lone surrogates.

    Raises:
        ChatError, ValueError: The row is undecodable for another reason.
    """
    try:
        return cast(OutboxRequest, decode_request(event, body)), None
    except (ChatError, ValueError):
        fields = json.loads(body.decode("utf-8", "surrogatepass"))
    text = json.dumps(fields, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return cast(OutboxRequest, decode_request(event, text.encode())), BadRequest("text_unencodable")
