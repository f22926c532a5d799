"""What can be wrong with a database, said in words an operator can act on."""

import errno
import sqlite3

from sqlalchemy.exc import DataError as SqlDataError
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class StorageError(Exception):
    """The database cannot be opened; the text is one sentence that says why."""


_SQLITE_REASONS = {
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
_POSTGRESQL_REASONS = {
    "08": "the connection to it was lost",
    "25": "it is read-only",
    "28": "it does not accept this user or password",
    "3D": "there is no such database",
    "53": "it has no space, memory or connections left",
    "57": "it is starting or stopping",
}
"""By class of SQLSTATE (postgresql.org/docs, "PostgreSQL Error Codes")."""

_POSTGRESQL_DATA_CLASSES = ("22", "23", "42")
"""Classes that blame the data or the statement."""

_OS_REASONS = {
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.EROFS: "it is read-only",
    errno.ENOSPC: "there is no space left for it",
    errno.ENOENT: "its file is gone",
}
_PRIMARY_CODE_MASK = 0xFF
"""The low byte of an extended result code (sqlite.org/rescode.html)."""


def describe_error(error: BaseException) -> str:
    """Why the database refused, without any of the data that was on its way.

    Args:
        error: Whatever a database call raised.
    """
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        description = None if code is None else _SQLITE_REASONS.get(code & _PRIMARY_CODE_MASK)
        return description or f"it answered {getattr(cause, 'sqlite_errorname', type(cause).__name__)}"
    sqlstate = _get_sqlstate(cause)
    if sqlstate is not None:
        return _POSTGRESQL_REASONS.get(sqlstate[:2], f"it answered SQLSTATE {sqlstate}")
    if isinstance(cause, StorageError):
        return str(cause)
    if isinstance(cause, OSError) and cause.strerror:
        return _OS_REASONS.get(cause.errno or 0, cause.strerror.lower())
    return f"it answered {type(cause).__name__}"


def is_outage(error: BaseException) -> bool:
    """Whether it is the database that fails, and not the data that was given to it."""
    if isinstance(error, DBAPIError):
        sqlstate = _get_sqlstate(error.orig)
        if sqlstate is not None:
            return not sqlstate.startswith(_POSTGRESQL_DATA_CLASSES)
        if isinstance(error, (IntegrityError, SqlDataError)):
            return False
        return not isinstance(error, ProgrammingError) or error.connection_invalidated
    return isinstance(error, (OSError, PoolTimeout, StorageError, sqlite3.Error))


def is_serialization_failure(error: BaseException) -> bool:
    """Whether transactions of several nodes got in each other's way, and this one may be tried again."""
    sqlstate = _get_sqlstate(error.orig) if isinstance(error, DBAPIError) else None
    return sqlstate is not None and sqlstate.startswith("40")


def _get_sqlstate(error: BaseException | None) -> str | None:
    """PostgreSQL's code for an error, five characters; None for any other database's."""
    sqlstate = getattr(error, "sqlstate", None)
    return sqlstate if isinstance(sqlstate, str) else None
