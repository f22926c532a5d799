"""A small database file of one user, worked on in a thread of its own.

Rule 1  Everything asked of it is done in the order it was asked, in one thread: the
        event loop never waits for a disk.
Rule 2  The file is only its owner's to read (0600), whatever the umask says.
Rule 3  A file that is damaged, or is no file of this program, is renamed to
        `<name>.damaged-<time>`, never overwritten, and a new one takes its place.
Rule 4  A file of a newer version is left alone, and nothing is kept.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

log = logging.getLogger("chat.client")

T = TypeVar("T")

BUSY_TIMEOUT = 5.0
"""How long one program waits for another that writes the same file."""
BUSY_RETRY_INTERVAL = 0.02

_CORRUPTION_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SIDECAR_SUFFIXES = ("-wal", "-shm", "-journal")


class LocalStorageError(Exception):
    """The file cannot be used now.

    Attributes:
        reason: One sentence for a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CorruptDatabase(Exception):
    """What is in the file cannot be right."""


@dataclass(frozen=True, slots=True)
class SqliteSchema:
    """What a file holds.

    Attributes:
        application: The number by which such a file is known (SQLite's `application_id`).
        version: Of the tables.
        tables: The statements that make them.
        durable: What was written survives a power cut, not only the end of the program.
    """

    application_id: int
    version: int
    statements: str
    durable: bool


class SqliteFile:
    """One file; it is opened when it is first needed.

    Args:
        path: Where it is; the folder is made if it is not there.
        layout: What it holds.
        on_damaged: Told the name under which a damaged file was set aside.
        now: Seconds since the epoch.
    """

    def __init__(
        self,
        path: Path,
        schema: SqliteSchema,
        on_corrupt: Callable[[Path], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._schema = schema
        self._on_corrupt = on_corrupt
        self._now = now
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._executor = ThreadPoolExecutor(1, f"chat {path.name}")
        self._closed = False

    async def run(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Do some work in the thread.

        Args:
            work: Gets the connection, which is in no transaction (see `transaction`).

        Raises:
            StorageFault: It could not be done; nothing of it is in the file.
        """
        if self._closed:
            raise LocalStorageError("the file is closed")
        loop = asyncio.get_running_loop()
        result, backup_path = await loop.run_in_executor(self._executor, self._run_operation, operation)
        if backup_path is not None:
            log.warning("%s was damaged and set aside", self.path.name)
            self._on_corrupt(backup_path)
        if isinstance(result, LocalStorageError):
            raise result
        return result

    async def close(self) -> None:
        """Finish what was asked, and let the file go."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._executor, self._close_connection)
            self._executor.shutdown(wait=False)

    def _run_operation(self, operation: Callable[[sqlite3.Connection], T]) -> tuple[T | LocalStorageError, Path | None]:
        backup_path: Path | None = None
        was_corrupt = False
        while True:
            try:
                if self._connection is None:
                    self._connection = self._open()
                return operation(self._connection), backup_path
            except LocalStorageError as error:
                return error, backup_path
            except (sqlite3.Error, CorruptDatabase, OSError) as error:
                if was_corrupt or not (
                    isinstance(error, CorruptDatabase) or _primary_error_code(error) in _CORRUPTION_CODES
                ):
                    return LocalStorageError(_error_text(error)), backup_path
                was_corrupt = True
            try:
                backup_path = self._quarantine()
            except OSError as error:
                return LocalStorageError(f"the file is damaged and cannot be set aside ({_error_text(error)})"), None

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._inode = os.fstat(fd).st_ino
        os.close(fd)
        if os.name == "posix":
            self.path.chmod(0o600)
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        deadline = time.monotonic() + BUSY_TIMEOUT
        try:
            while True:
                try:
                    self._init_schema(connection)
                    return connection
                except sqlite3.OperationalError as error:
                    # SQLite does not wait for another that changes to WAL at the same moment.
                    if _primary_error_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(BUSY_RETRY_INTERVAL)
        except BaseException:
            connection.close()
            raise

    def _init_schema(self, connection: sqlite3.Connection) -> None:
        schema = self._schema
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute(f"PRAGMA synchronous = {'FULL' if schema.durable else 'NORMAL'}")
        with transaction(connection):
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (table_count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if application_id == schema.application_id and version > schema.version:
                raise LocalStorageError(f"{self.path.name} was made by a newer version")
            if not table_count:
                for statement in schema.statements.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {schema.application_id}")
                connection.execute(f"PRAGMA user_version = {schema.version}")
            elif application_id != schema.application_id or version != schema.version:
                raise CorruptDatabase("this is no file of this program")

    def _quarantine(self) -> Path | None:
        """Rename the file that was opened; None when another program has done so already."""
        self._close_connection()
        if self.path.stat().st_ino != self._inode:
            return None
        backup_path = self.path.with_name(f"{self.path.name}.damaged-{int(self._now())}")
        self.path.replace(backup_path)
        for suffix in _SIDECAR_SUFFIXES:
            with suppress(OSError):
                Path(f"{self.path}{suffix}").replace(f"{backup_path}{suffix}")
        return backup_path

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """All of it or nothing, with nobody else writing meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Generator[None]:
    """Several reads that see one state, whoever writes meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _primary_error_code(error: BaseException) -> int:
    """SQLite's primary result code, 0 for an error that is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _error_text(error: BaseException) -> str:
    if isinstance(error, OSError):
        return error.strerror or "the file cannot be used"
    return str(error)
