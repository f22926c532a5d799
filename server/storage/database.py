"""The database behind the chat: opened, made or migrated, watched, closed."""

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, delete, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from server.storage import schema
from server.storage.backfill import backfill
from server.storage.executor import Executor, ThreadExecutor
from server.storage.faults import StorageError, is_outage, reason
from server.storage.journal import WAITING_LIMIT, Journal
from server.storage.ownership import Ownership
from server.storage.queries import Reader
from server.storage.room_rows import RoomRows
from server.storage.schema import State
from server.storage.search_index import SearchIndex
from server.storage.sqlite import copy, make_file, open_engine
from server.storage.statements import Statements, insert_for
from server.storage.tables import settings

READERS = 3
"""Reads at once: enough that a slow one holds up nobody, few enough to leave the cores to the chat."""

BUSY_TIMEOUT = 2_000
"""Milliseconds to wait while another program holds the database's lock."""

CHECKED_FOR = 1_000
"""Milliseconds for which the answer of a health check is good."""

PROBE_PATIENCE = 3.0
"""Seconds after which a disk that has not answered is called silent: longer than a lock is waited for."""

SECRET_BYTES = 32

_PROBE = "probe"
_PROBE_BYTES = 16 * 1024
"""More than a page, so that a full disk shows."""

_log = logging.getLogger(__name__)


class Database:
    """An open database.

    Made by `open_database`.

    Attributes:
        journal: The one way to write into a room's log.
        reader: Everything that is read.
        rooms: The list of rooms, as people keep it.
    """

    def __init__(
        self,
        journal: Journal,
        reader: Reader,
        executors: tuple[Executor, Executor],
        clock: Callable[[], int],
        *,
        owned: Ownership | None,
        index: SearchIndex,
    ) -> None:
        self.journal = journal
        self.reader = reader
        self._owned = owned
        self._writer, self._readers = executors
        self.rooms = RoomRows(self._writer, clock)
        self._clock = clock
        self._checked_at: int | None = None
        self._check: asyncio.Task[None] | None = None
        self._check_began = 0.0
        loop = asyncio.get_running_loop()
        self._backfill = loop.create_task(backfill(self._writer, index, loop.time), name="search backfill")
        self._backfill.add_done_callback(_log_a_failed_backfill)

    async def secret(self, name: str) -> bytes:
        """32 random bytes that stay the same for as long as the database lives.

        Raises:
            StorageError: The database cannot be written.
        """
        try:
            return await self._writer.run(lambda connection: _secret(connection, name))
        except Exception as error:
            if not is_outage(error):
                raise
            raise StorageError(f"the server's secret cannot be kept: {reason(error)}") from error

    async def healthy(self) -> str | None:
        """Why nothing can be written now, in a few words, or None when all is well.

        It writes something to find out, at most once a second, and waits no longer
        than `PROBE_PATIENCE` for that.
        """
        loop = asyncio.get_running_loop()
        fresh = self._checked_at is not None and 0 <= self._clock() - self._checked_at < CHECKED_FOR
        if self._check is None and not fresh:
            self._check_began = loop.time()
            self._check = loop.create_task(self._write_probe(), name="health check")
        if self._check is not None:
            check, patience = self._check, max(0.0, self._check_began + PROBE_PATIENCE - loop.time())
            await asyncio.wait({check}, timeout=patience)
            if not check.done():
                return self.journal.outage or f"the disk has not answered for {PROBE_PATIENCE:g} seconds"
            check.result()
        return self.journal.outage

    async def _write_probe(self) -> None:
        try:
            await self._writer.run(_probe)
        except Exception as error:
            if not is_outage(error):
                raise
            self.journal.note_outage(reason(error))
            await self._writer.reconnect()
        else:
            self.journal.note_recovery()
        finally:
            self._checked_at = self._clock()
            self._check = None

    async def close(self) -> None:
        """Write and publish what waits, then close everything. Closing twice is closing once."""
        self._backfill.cancel()
        await asyncio.wait({self._backfill})
        await self.journal.close()
        if self._check is not None:
            await asyncio.wait({self._check})
        await self._readers.close()
        await self._writer.close()
        if self._owned is not None:
            self._owned.release()


async def open_database(
    target: str | Path,
    *,
    clock: Callable[[], int],
    busy_timeout: int = BUSY_TIMEOUT,
    waiting_limit: int = WAITING_LIMIT,
) -> Database:
    """Open the database, making or migrating it first where needed.

    Before an existing SQLite database is migrated, a copy of it is kept beside
    it, named after the revision to come (`chat.db.before-0002`).

    Args:
        target: A file's path, or a URL: `sqlite:///…`, `postgresql://…`.
        clock: Milliseconds since the epoch.
        busy_timeout: Milliseconds to wait for another program's lock.
        waiting_limit: Drafts that may wait in the journal.

    Raises:
        StorageError: It cannot be opened; the text is for the operator.
    """
    path, url = _place(target)
    owned: Ownership | None = None
    if path is not None:
        make_file(path)
        try:
            owned = Ownership(path)
        except StorageError as error:
            raise StorageError(f"the database {path} cannot be opened: {error}") from None
        writing = open_engine(path, writes=True, connections=1, busy_timeout=busy_timeout)
        reading = open_engine(path, writes=False, connections=READERS, busy_timeout=busy_timeout)
        writer: Executor = ThreadExecutor(writing, 1, "journal")
        readers: Executor = ThreadExecutor(reading, READERS, "reader")
        statements = Statements(writing.dialect)
        shown = str(path)
    else:
        # Here and not above: it brings all of SQLAlchemy's ORM, as slow to import as the rest of the server.
        from server.storage.postgresql import open_executor  # noqa: PLC0415

        writer = open_executor(url, connections=1)
        readers = open_executor(url, connections=READERS, isolation_level="REPEATABLE READ")
        statements = Statements(writer.dialect)
        shown = url.render_as_string(hide_password=True)
    try:
        await _bring_up_to_date(writer, path)
    except (StorageError, SQLAlchemyError, sqlite3.Error, OSError) as error:
        await readers.close()
        await writer.close()
        if owned is not None:
            owned.release()
        raise StorageError(f"the database {shown} cannot be opened: {reason(error)}") from error
    journal = Journal(writer, statements, clock, waiting_limit)
    return Database(journal, Reader(readers, clock), (writer, readers), clock, owned=owned, index=statements.search)


def _place(target: str | Path) -> tuple[Path | None, URL]:
    """Where it is: a file's path, or None and the URL of a server."""
    if isinstance(target, Path) or "://" not in target:
        return Path(target), URL.create("sqlite")
    try:
        url = make_url(target)
    except ArgumentError:
        raise StorageError("the database's address is not a URL like sqlite:///chat.db") from None
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise StorageError("the database needs a file, as in sqlite:///chat.db")
            return Path(url.database), url
        case "postgresql" | "postgres":
            return None, url.set(drivername="postgresql+asyncpg")
        case other:
            raise StorageError(f"the database cannot be a {other} one; it can be sqlite or postgresql")


async def _bring_up_to_date(writer: Executor, path: Path | None) -> None:
    if await writer.run(schema.prepare) is State.CURRENT:
        return
    if path is not None:
        kept = path.with_name(f"{path.name}.before-{schema.HEAD}")
        await asyncio.to_thread(copy, path, kept)
        _log.info("the database is migrated to revision %s; what it was is kept as %s", schema.HEAD, kept)
    await writer.run(schema.migrate)


def _log_a_failed_backfill(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (failure := task.exception()) is not None:
        _log.error("older messages cannot be indexed for the search: %s", reason(failure))


def _secret(connection: Connection, name: str) -> bytes:
    fresh = {"key": name, "value": secrets.token_bytes(SECRET_BYTES)}
    connection.execute(insert_for(connection.dialect)(settings).values(fresh).on_conflict_do_nothing())
    return connection.execute(select(settings.c.value).where(settings.c.key == name)).scalar_one()


def _probe(connection: Connection) -> None:
    connection.execute(settings.insert().values(key=_PROBE, value=bytes(_PROBE_BYTES)))
    connection.execute(delete(settings).where(settings.c.key == _PROBE))
