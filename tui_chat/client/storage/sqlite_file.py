"""Private SQLite file with a dedicated thread.

- Serialization: operations run in order of submission in one thread; no disk access in the event loop.
- Permissions: mode 0600, independent of the umask.
- Corruption: a corrupt or foreign file is renamed to `<name>.damaged-<time>` and replaced by an empty one.
- Versions: a file of an older schema version is upgraded, one of a newer version is neither read nor changed.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tui_chat.client.log import log

T = TypeVar("T")

BUSY_TIMEOUT = 5.0
"""Maximum wait for a lock of another process, in seconds."""
BUSY_RETRY_INTERVAL = 0.02
"""Interval between attempts to open a locked file, in seconds."""


class LocalStorageError(Exception):
    """Failed operation on a local file; the message is the readable cause."""


class CorruptDatabase(Exception):
    """Invalid content of a file."""


@dataclass(frozen=True, slots=True)
class SqliteSchema:
    """Schema and durability of a SQLite file.

    Attributes:
        application_id: Value of `PRAGMA application_id`, which identifies the file type.
        version: Schema version (`PRAGMA user_version`).
        statements: DDL statements, separated by semicolons.
        durable: True for `synchronous=FULL`: commits survive a power failure.
        upgrades: DDL statements per older schema version, separated by semicolons. Each upgrade leads to the next
            version. A file of an older version without an upgrade is handled as corrupt.
    """

    application_id: int
    version: int
    statements: str
    durable: bool
    upgrades: Mapping[int, str] = field(default_factory=dict[int, str])


class SqliteFile:
    """SQLite file, opened at the first operation.

    Args:
        schema: Expected schema.
        on_corrupt: Callback for the new path of a renamed corrupt file.

    Attributes:
        path: Path of the file; the directory is created on demand.
    """

    def __init__(self, path: Path, schema: SqliteSchema, on_corrupt: Callable[[Path], None]) -> None:
        self.path = path
        self._schema = schema
        self._on_corrupt = on_corrupt
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._executor = ThreadPoolExecutor(1, f"chat {path.name}")
        self._closed = False

    async def run(self, operation: Callable[[sqlite3.Connection], T], *, write: bool = False) -> T:
        """Run an operation as one transaction in the database thread and return its result.

        An exception rolls the transaction back. A corrupt file is renamed, the operation runs again on an empty file,
        and `on_corrupt` is called in the event loop, unless another process has renamed the file. A cancellation ends
        the wait, not a running operation.

        Args:
            operation: Function of the connection.
            write: Take the write lock at the start, within `BUSY_TIMEOUT`. Otherwise, the operation has a consistent
                view of the file.

        Raises:
            LocalStorageError: An SQLite or file error occurred, the second file is corrupt too, the file has a newer
                schema version, or the object is closed.
            Exception: Any other exception of the operation.
        """
        if self._closed:
            raise LocalStorageError("the file is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._run_operation, operation, write, loop)

    async def close(self) -> None:
        """Finish all submitted operations and close the file. Idempotent."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._executor, self._close_connection)
            self._executor.shutdown(wait=False)

    def _run_operation(
        self, operation: Callable[[sqlite3.Connection], T], write: bool, loop: asyncio.AbstractEventLoop
    ) -> T:
        """Run an operation in the database thread, a second time after a corruption; raises as `run`."""
        try:
            try:
                return self._run_transaction(operation, write)
            except CorruptDatabase:
                pass
            except sqlite3.Error as error:
                if _primary_error_code(error) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                    raise
            if (backup_path := self._quarantine()) is not None:
                log.warning("%s is corrupt: renamed to %s", self.path.name, backup_path.name)
                loop.call_soon_threadsafe(self._on_corrupt, backup_path)
            return self._run_transaction(operation, write)
        except (sqlite3.Error, CorruptDatabase, OSError) as error:
            raise LocalStorageError(_error_text(error)) from None

    def _run_transaction(self, operation: Callable[[sqlite3.Connection], T], write: bool) -> T:
        """Open the file if necessary, and run an operation as one transaction; an exception rolls it back."""
        connection = self._connection = self._connection or self._open()
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        with connection:
            return operation(connection)

    def _open(self) -> sqlite3.Connection:
        """Open or create the file with its schema; wait up to `BUSY_TIMEOUT` seconds for a lock of another process."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        self.path.chmod(0o600)
        self._inode = self.path.stat().st_ino
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
                    # The busy timeout does not cover a concurrent switch to WAL by another process.
                    if _primary_error_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(BUSY_RETRY_INTERVAL)
        except BaseException:
            connection.close()
            raise

    def _init_schema(self, connection: sqlite3.Connection) -> None:
        """Set the journal mode, and create or upgrade the schema in one transaction.

        Raises:
            CorruptDatabase: The file belongs to another program, or is of a version without an upgrade.
            LocalStorageError: The file has a newer schema version.
        """
        schema = self._schema
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute(f"PRAGMA synchronous = {'FULL' if schema.durable else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (table_count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            older_versions = set(range(version, schema.version))
            if application_id == schema.application_id and version > schema.version:
                raise LocalStorageError(f"{self.path.name} belongs to a newer version of the program")
            if not table_count:
                statements = schema.statements
            elif application_id != schema.application_id or not schema.upgrades.keys() >= older_versions:
                raise CorruptDatabase("unknown application id or schema version")
            else:
                statements = ";".join(schema.upgrades[older] for older in sorted(older_versions))
            for statement in filter(str.strip, statements.split(";")):
                connection.execute(statement)
            if version != schema.version:
                connection.execute(f"PRAGMA application_id = {schema.application_id}")
                connection.execute(f"PRAGMA user_version = {schema.version}")

    def _quarantine(self) -> Path | None:
        """Close the connection, rename the corrupt file and if possible its journals, and return the new path.

        None if another process has renamed or removed the file; `LocalStorageError` if the file cannot be renamed.
        """
        self._close_connection()
        try:
            if self.path.stat().st_ino != self._inode:
                return None
            timestamp = int(time.time())
            while (backup_path := self.path.with_name(f"{self.path.name}.damaged-{timestamp}")).exists():
                timestamp += 1  # several corruptions in one second
            self.path.replace(backup_path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LocalStorageError(f"the file is corrupt and cannot be renamed ({_error_text(error)})") from None
        for suffix in ("-wal", "-shm", "-journal"):
            with suppress(OSError):
                Path(f"{self.path}{suffix}").replace(f"{backup_path}{suffix}")
        return backup_path

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        with suppress(sqlite3.Error):
            if connection is not None:
                connection.close()


def _primary_error_code(error: BaseException) -> int:
    """Return the primary SQLite result code, 0 for other exceptions."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def log_failure(subject: str, error: Exception) -> None:
    """Log a warning for a failed access, with a traceback unless the error is a `LocalStorageError`."""
    is_expected = isinstance(error, LocalStorageError)
    log.warning("%s: access failed: %s; unsaved data may be lost", subject, error, exc_info=not is_expected)


def _error_text(error: BaseException) -> str:
    return error.strerror or "file access failed" if isinstance(error, OSError) else str(error)
