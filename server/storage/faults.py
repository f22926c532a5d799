"""What can be wrong with a database, said in words an operator can act on."""

import errno
import sqlite3

from sqlalchemy.exc import DataError as SqlDataError
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class StorageError(Exception):
    """The database cannot be opened; the text is one sentence that says why."""


_SQLITE = {
    sqlite3.SQLITE_NOTADB: "it is not a database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_PERM: "permission is denied",
    sqlite3.SQLITE_AUTH: "permission is denied",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_BUSY: "another program has it locked",
    sqlite3.SQLITE_LOCKED: "another program has it locked",
    sqlite3.SQLITE_FULL: "there is no space left for it",
    sqlite3.SQLITE_IOERR: "the disk does not read or write it",
    sqlite3.SQLITE_SCHEMA: "its tables are not as they should be",
}
_OS = {
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.EROFS: "it is read-only",
    errno.ENOSPC: "there is no space left for it",
    errno.ENOENT: "its file is gone",
}
_PRIMARY_CODE = 0xFF
"""The low byte of an extended result code (sqlite.org/rescode.html)."""


def reason(error: BaseException) -> str:
    """Why the database refused, without any of the data that was on its way.

    Args:
        error: Whatever a database call raised.
    """
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        known = None if code is None else _SQLITE.get(code & _PRIMARY_CODE)
        return known or f"it answered {getattr(cause, 'sqlite_errorname', type(cause).__name__)}"
    if isinstance(cause, StorageError):
        return str(cause)
    if isinstance(cause, OSError) and cause.strerror:
        return _OS.get(cause.errno or 0, cause.strerror.lower())
    return f"it answered {type(cause).__name__}"


def is_outage(error: BaseException) -> bool:
    """Whether it is the database that fails, and not the data that was given to it."""
    if isinstance(error, DBAPIError):
        if isinstance(error, (IntegrityError, SqlDataError)):
            return False
        return not isinstance(error, ProgrammingError) or error.connection_invalidated
    return isinstance(error, (OSError, PoolTimeout, StorageError, sqlite3.Error))
