"""SQLite files: how they are made, opened and copied.

Rule 1  Only the server's user can read what it makes: files 0600, folders 0700.
        SQLite gives its -wal and -shm files the mode of the database.
Rule 2  A commit is on the disk when it returns (WAL with synchronous=FULL).
Rule 3  What is overwritten or deleted is zeroed in the file (secure_delete).
Rule 4  After the file was opened it is never made again: when somebody moves or
        removes it, writing fails, rather than going on in a file without a name.
"""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, text

from server.storage.errors import StorageError, describe_error
from server.storage.prepared_statement import PreparedStatement

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON")
_FILE_IDENTITY = "file"


def create_file(path: Path) -> None:
    """Make the database's file and the folders it lies in, unless they are there.

    Raises:
        StorageError: They cannot be made, or something else lies there.
    """
    try:
        for directory in (*reversed(path.parent.parents), path.parent):
            directory.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            _create_private_file(path)
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            os.close(os.open(path, os.O_RDONLY))
    except FileExistsError as error:
        raise StorageError(f"the database {path} cannot be made: {error.filename} is not a directory") from None
    except OSError as error:
        raise StorageError(f"the database {path} cannot be opened: {describe_error(error)}") from None
    if not stat.S_ISREG(mode):
        file_type = "a directory" if stat.S_ISDIR(mode) else "not a file"
        raise StorageError(f"the database {path} cannot be opened: it is {file_type}")


def open_engine(path: Path, *, writable: bool, pool_size: int, busy_timeout: int) -> Engine:
    """Connections to a file that exists.

    Args:
        writes: Transactions take the write lock at their start; otherwise they only read, a snapshot each.
        connections: How many there may be.
        busy_timeout: Milliseconds to wait for a lock.
    """

    def connect() -> sqlite3.Connection:
        path.stat()  # says that the file is gone, where SQLite only says that it cannot be opened
        uri = f"{path.absolute().as_uri()}?mode=rw"
        timeout = busy_timeout / 1000
        connection = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
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

    begin_statement = PreparedStatement(text("BEGIN IMMEDIATE" if writable else "BEGIN"), engine.dialect, ())

    def on_connect(_: Any, record: Any) -> None:
        record.info[_FILE_IDENTITY] = _file_identity(path)

    def on_begin(connection: Connection) -> None:
        if connection.info[_FILE_IDENTITY] != _file_identity(path):
            raise StorageError("its file was replaced")
        begin_statement.execute(connection)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def copy_database(path: Path, destination: Path) -> None:
    """A consistent copy of a database that may be in use, complete or not there at all.

    Raises:
        StorageError: The copy cannot be made.
    """
    temporary = destination.with_name(f"{destination.name}.unfinished")
    try:
        temporary.unlink(missing_ok=True)
        _create_private_file(temporary)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(temporary)) as target:
            source.backup(target)
        temporary.replace(destination)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"the database cannot be copied to {destination}: {describe_error(error)}") from None


def _create_private_file(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _file_identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
