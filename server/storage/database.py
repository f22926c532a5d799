"""Database lifecycle: open or create, health check, close."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Connection, delete, exc, make_url, select

from server.observability.supervision import Supervisor
from server.storage import schema
from server.storage.account_repository import AccountRepository
from server.storage.direct_rooms import DirectRoomRepository
from server.storage.erasure_repository import ErasureRepository
from server.storage.errors import StorageError, describe_error, is_outage
from server.storage.executor import Executor, ThreadExecutor, run_or_reconnect
from server.storage.group_repository import GroupRepository
from server.storage.hook_repository import HookReader
from server.storage.invite_repository import InviteReader
from server.storage.job_permit import JobPermit
from server.storage.journal import MAX_QUEUE_DEPTH, Journal
from server.storage.log_reader import LogReader
from server.storage.log_tail_reader import LogTailReader
from server.storage.moderation_reader import ModerationReader
from server.storage.node_repository import NodeRepository
from server.storage.read_markers import ReadMarkerRepository
from server.storage.restore_detection import RestoreDetector
from server.storage.retention import RetentionJob
from server.storage.room_repository import RoomRepository
from server.storage.sqlite import create_file, lock_database, open_engine
from server.storage.statements import BatchStatements, get_insert_construct
from server.storage.tables import settings
from server.storage.upload_repository import UploadRepository
from tui_chat.protocol.errors import Unavailable

_READER_COUNT = 3  # number of concurrent read transactions; leaves CPU time for the event loop

BUSY_TIMEOUT = 2_000
"""Milliseconds to wait for a database lock of another program."""

HEALTH_CACHE_MS = 1_000
"""Milliseconds for which the result of a health check is reused."""

PROBE_TIMEOUT = 3.0
"""Seconds until an unfinished health check counts as a failure; longer than `BUSY_TIMEOUT`."""

PROBE_KEY = "probe"
"""Key of the row of a health check in the table of settings."""

_PROBE_BYTES = 16 * 1024  # larger than a page, so that a full disk is detected


class Database:
    """Open database with its journal and its repositories, created by `open_database`.

    Attributes:
        path: Path of a SQLite file, None for PostgreSQL.
        log_tail: Reader of log ends, for the nodes of a PostgreSQL database.
        nodes: Repository of the nodes of a PostgreSQL database.
    """

    def __init__(
        self,
        writer: Executor,
        readers: Executor,
        *,
        clock: Callable[[], int],
        max_queue_depth: int,
        supervisor: Supervisor,
        resources: AsyncExitStack,
        path: Path | None,
    ) -> None:
        self.path = path
        self.journal = Journal(writer, BatchStatements(writer.dialect), clock, max_queue_depth, supervisor)
        self.reader = LogReader(readers, clock)
        self.job_permit = JobPermit()
        self.retention = RetentionJob(writer, clock, supervisor, self.job_permit)
        self.rooms = RoomRepository(writer, clock)
        self.accounts = AccountRepository(writer, readers, clock)
        self.erasures = ErasureRepository(writer, readers)
        self.read_markers = ReadMarkerRepository(writer, readers)
        self.direct_rooms = DirectRoomRepository(writer, readers, clock)
        self.invites = InviteReader(readers, clock)
        self.hooks = HookReader(readers)
        self.groups = GroupRepository(writer, readers)
        self.moderation = ModerationReader(readers, clock)
        self.uploads = UploadRepository(writer, readers, clock)
        self.log_tail = LogTailReader(self.reader)
        self.nodes = NodeRepository(writer)
        self._writer = writer
        self._resources = resources
        self._clock = clock
        self._probed_at: int | None = None  # wall clock, in milliseconds
        self._probe_task: asyncio.Task[None] | None = None
        self._probe_started_at = 0.0  # event loop time, in seconds

    async def load_secrets(self, *names: str) -> list[bytes]:
        """Return persistent random secrets of 32 bytes in the order of `names`, created on first use.

        Raises:
            StorageError: The database is not writable.
        """
        try:
            return await self._writer.run(partial(_load_secrets, names=names))
        except Exception as error:
            if not is_outage(error):
                raise
            raise StorageError(f"cannot store the server secrets: {describe_error(error)}") from error

    async def health_problem(self) -> str | None:
        """Return the reason of current write failures, or None if the database is healthy.

        The check writes and deletes a probe row, at most once per `HEALTH_CACHE_MS`; concurrent callers share one
        check. A check without a result after `PROBE_TIMEOUT` seconds is reported as a failure and continues, and
        further calls return immediately until its end. A failed check reconnects the writer and starts an outage of the
        journal; a successful one ends the outage. Failures of the journal and an overloaded queue are reported too,
        even between two checks.
        """
        loop = asyncio.get_running_loop()
        is_cached = self._probed_at is not None and 0 <= self._clock() - self._probed_at < HEALTH_CACHE_MS
        if self._probe_task is None and not is_cached:
            self._probe_started_at = loop.time()
            self._probe_task = loop.create_task(self._write_probe(), name="health check")
        if (probe_task := self._probe_task) is not None:
            await asyncio.wait({probe_task}, timeout=max(0.0, self._probe_started_at + PROBE_TIMEOUT - loop.time()))
            if not probe_task.done():
                return self.journal.outage or f"no response from the disk for {PROBE_TIMEOUT:g} seconds"
            probe_task.result()
        return self.journal.outage

    async def _write_probe(self) -> None:
        """Check that a row can be written, and report the start or the end of an outage to the journal; runs as a task.

        An outage is not raised, other errors are. The task and the time of its end are recorded in any case.
        """
        try:
            with suppress(Unavailable):
                await run_or_reconnect(self._writer, _write_probe_row, self.journal.report_outage, "storage_unwritable")
                self.journal.report_recovery()
        finally:
            self._probed_at = self._clock()
            self._probe_task = None

    async def close(self) -> None:
        """Commit and publish queued commands, then release all resources; idempotent.

        A running health check ends before the release. Later reads and writes raise `Unavailable`.
        """
        await self.retention.close()
        await self.journal.close()
        await self.read_markers.close()
        if self._probe_task is not None:
            await asyncio.wait({self._probe_task})
        await self._resources.aclose()


async def open_database(
    target: str | Path,
    *,
    clock: Callable[[], int],
    busy_timeout: int = BUSY_TIMEOUT,
    max_queue_depth: int = MAX_QUEUE_DEPTH,
    supervisor: Supervisor | None = None,
    must_exist: bool = False,
) -> Database:
    """Open a database, and create the schema of an empty one; the caller closes the database.

    Unless `must_exist` is set, a missing SQLite file is created with mode 0600, and its parent directories with mode
    0700. A SQLite file has at most one server; PostgreSQL has no such lock. A SQLite file whose content was replaced
    receives new log ids (`server.storage.restore_detection`).

    Args:
        target: File path, or URL of the form `sqlite:///…` or `postgresql://…`.
        clock: Source of the current time in milliseconds since the epoch.
        busy_timeout: SQLite lock timeout in milliseconds.
        max_queue_depth: Maximum number of commands in the journal queue.
        supervisor: Owner of the background tasks; None creates one.
        must_exist: Reject a missing SQLite file, and an empty database.

    Raises:
        StorageError: The database is unusable; the message is addressed to the operator. The cause is `DatabaseInUse`
            if another server has locked the file.
    """
    path, url = parse_target(target)
    display_name = describe_url(url) if path is None else path
    async with AsyncExitStack() as resources:
        try:
            if path is not None:
                if must_exist and not path.exists():
                    raise StorageError("file not found")
                create_file(path)
                resources.enter_context(lock_database(path))
                writer, readers = _open_sqlite(path, busy_timeout)
            else:
                writer, readers = _open_postgresql(url)
            resources.push_async_callback(writer.close)
            resources.push_async_callback(readers.close)
            await writer.run(partial(schema.ensure, must_exist=must_exist))
            if path is not None:
                restore_detector = RestoreDetector(path, writer)
                await restore_detector.rotate()
                resources.push_async_callback(restore_detector.close)
        except (StorageError, exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StorageError(f"cannot open the database {display_name}: {describe_error(error)}") from error
        return Database(
            writer,
            readers,
            clock=clock,
            max_queue_depth=max_queue_depth,
            supervisor=supervisor or Supervisor(),
            resources=resources.pop_all(),
            path=path,
        )


def _open_sqlite(path: Path, busy_timeout: int) -> tuple[Executor, Executor]:
    return (
        ThreadExecutor(open_engine(path, writable=True, pool_size=1, busy_timeout=busy_timeout), 1, "journal"),
        ThreadExecutor(
            open_engine(path, writable=False, pool_size=_READER_COUNT, busy_timeout=busy_timeout),
            _READER_COUNT,
            "reader",
        ),
    )


def _open_postgresql(url: URL) -> tuple[Executor, Executor]:
    # Deferred import: the module loads the SQLAlchemy ORM, which doubles the start time of the server.
    from server.storage.postgresql import AsyncExecutor  # noqa: PLC0415

    return (
        AsyncExecutor(url, pool_size=1),
        AsyncExecutor(url, pool_size=_READER_COUNT, is_read_only=True, isolation_level="REPEATABLE READ"),
    )


def parse_target(target: str | Path) -> tuple[Path | None, URL]:
    """Return the path of a SQLite file with a placeholder URL, or None with the URL of a database server.

    A target without `://` is a path, used without expansion. In the URL of a SQLite file, the path may begin with `~`.

    Raises:
        StorageError: The URL is invalid, has an unsupported backend, or has options or no file for SQLite.
    """
    if isinstance(target, Path) or "://" not in target:
        return Path(target), URL.create("sqlite")
    try:
        url = make_url(target)
    except (exc.ArgumentError, ValueError):  # ValueError: the port is not a number
        raise StorageError(
            "the database URL is invalid; use the form sqlite:///chat.db or postgresql://user@host/chat"
        ) from None
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise StorageError("the database URL has no file; use the form sqlite:///chat.db")
            if url.query:
                raise StorageError("the database URL has options, which SQLite files do not support")
            return Path(url.database).expanduser(), url
        case "postgresql" | "postgres":
            return None, url.set(drivername="postgresql+asyncpg")
        case backend:
            raise StorageError(f"the database backend {backend} is not supported; use sqlite or postgresql")


def describe_url(url: URL) -> str:
    """Return the URL of a PostgreSQL database for the operator, without its password and its options."""
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def _load_secrets(connection: Connection, names: Sequence[str]) -> list[bytes]:
    """Return secrets, after the insertion of random ones for those that do not exist."""
    connection.execute(
        get_insert_construct(connection.dialect)(settings).on_conflict_do_nothing(),
        [{"key": name, "value": secrets.token_bytes(32)} for name in names],
    )
    rows = connection.execute(select(settings.c.key, settings.c.value).where(settings.c.key.in_(names)))
    values = {row.key: row.value for row in rows}
    return [values[name] for name in names]


def _write_probe_row(connection: Connection) -> None:
    """Insert and delete the row of a health check."""
    connection.execute(settings.insert().values(key=PROBE_KEY, value=bytes(_PROBE_BYTES)))
    connection.execute(delete(settings).where(settings.c.key == PROBE_KEY))
