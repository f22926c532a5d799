"""SQLite files: creation and connections.

- Permissions: files are created with mode 0600 and directories with 0700. SQLite copies the mode of the database to
  its -wal and -shm files.
- Durability: a commit returns after the data is on disk (WAL with synchronous=FULL).
- Erasure: overwritten and deleted content is zeroed in the file (secure_delete).
- No recreation: an opened file is never created again. If the file is moved, deleted or replaced, transactions fail
  instead of continuing in another file.
- Exclusive use: two servers on the same file would each assign the same `seq`. Symbolic links share the lock of the
  database, on Linux also hard links. The kernel releases the lock at process exit, even after a crash.
"""

import os
import sqlite3
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, text

from server.storage.compiled_statement import CompiledStatement
from server.storage.errors import DatabaseInUse, StorageError, describe_error

try:
    import fcntl
except ImportError:  # Windows has no flock; a second server is not detected there
    fcntl = None

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON")


def create_file(path: Path) -> None:
    """Create an empty database file (mode 0600) and its parent directories (mode 0700) if they do not exist.

    An existing file keeps its content and its mode, and must be readable.

    Raises:
        OSError: The creation fails, or the file is not readable.
        StorageError: A parent is not a directory, or the path is not a regular file.
    """
    try:
        for directory in (*reversed(path.parent.parents), path.parent):
            directory.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise StorageError(f"{error.filename} is not a directory") from None
    if not path.exists():
        path.touch(0o600)
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise StorageError("path is a directory" if stat.S_ISDIR(mode) else "path is not a regular file")
    os.close(os.open(path, os.O_RDONLY))


@contextmanager
def lock_database(path: Path) -> Generator[None]:
    """Hold an exclusive lock on a database file within the context; the call does not wait for the lock.

    A missing file to lock is created with mode 0600, and remains. Systems without `flock` have no lock. SQLite must be
    closed at the end of the context: the close of any descriptor of a file drops the POSIX locks of the process on this
    file.

    On Linux, flock locks and the POSIX locks of SQLite are independent, so the lock is on the database file. On other
    systems, a flock lock would exclude SQLite; the lock is on a file beside the resolved path, with the suffix `.lock`.

    Raises:
        DatabaseInUse: Another server holds the lock.
        StorageError: The file cannot be locked.
    """
    lock_path = path if sys.platform == "linux" else Path(f"{path.resolve()}.lock")
    try:
        fd = os.open(lock_path, os.O_RDONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(f"cannot lock {lock_path}: {describe_error(error)}") from None
    try:
        _lock_exclusively(fd)
        yield
    finally:
        os.close(fd)


def _lock_exclusively(fd: int) -> None:
    """Acquire an exclusive `flock` without waiting; errors as `lock_database`. No effect without `fcntl`."""
    if fcntl is None:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DatabaseInUse("in use by another chat-server") from None
    except OSError as error:
        raise StorageError(f"the file system does not support locks: {describe_error(error)}") from None


def open_engine(path: Path, *, writable: bool, pool_size: int, busy_timeout: int) -> Engine:
    """Create an engine for an existing database file.

    Transactions fail with `StorageError` after a replacement of the file, even on new connections, and with
    `FileNotFoundError` after its removal.

    Args:
        writable: Begin transactions with the write lock; otherwise transactions are read-only snapshots.
        busy_timeout: Milliseconds to wait for a lock.

    Raises:
        FileNotFoundError: The file does not exist.
    """
    opened_file = path.stat()

    def check_file() -> None:
        if not os.path.samestat(opened_file, path.stat()):
            raise StorageError("database file was replaced; restart the server")

    def connect() -> sqlite3.Connection:
        check_file()  # the pragmas would change another file; SQLITE_CANTOPEN has more causes than a missing file
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=busy_timeout / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            for pragma in _PRAGMAS if writable else (*_PRAGMAS, "query_only=ON"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_reset_on_return=None,
        hide_parameters=True,
    )

    begin_statement = CompiledStatement(text("BEGIN IMMEDIATE" if writable else "BEGIN"), engine.dialect, ())

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        check_file()
        begin_statement.execute(connection)

    return engine
