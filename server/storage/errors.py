"""Classification of database errors, and their descriptions for the operator."""

import errno
import sqlite3

from sqlalchemy import exc


class StorageError(Exception):
    """The database is unusable; the message is a one-line reason."""


class DatabaseInUse(StorageError):
    """Another server has locked the database file."""


_SQLITE_REASONS = {
    sqlite3.SQLITE_NOTADB: "not a database",
    sqlite3.SQLITE_CORRUPT: "database file is corrupt",
    sqlite3.SQLITE_READONLY: "database is read-only",
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_AUTH: "permission denied",
    sqlite3.SQLITE_CANTOPEN: "unable to open the file",
    sqlite3.SQLITE_BUSY: "locked by another program",
    sqlite3.SQLITE_LOCKED: "locked by another program",
    sqlite3.SQLITE_FULL: "no space left on device",
    sqlite3.SQLITE_IOERR: "disk I/O error",
    sqlite3.SQLITE_SCHEMA: "unexpected tables",
}
_POSTGRESQL_REASONS = {  # by SQLSTATE or its first two characters (postgresql.org/docs, appendix A)
    "08": "connection lost",
    "28": "user or password rejected",
    "3D": "database does not exist",
    "53": "out of disk space, memory or connections",
    "57": "database server is starting or stopping",
    "22021": "a text contains a character that PostgreSQL cannot store",
    "25006": "database is read-only",
    "25P03": "transaction was idle for too long",
    "55P03": "locked by another transaction",
    "42501": "permission denied",
    "57014": "statement took too long",
}
_DRIVER_REASONS: dict[str, str] = {  # by type name in asyncpg
    "InterfaceError": "connection lost",
    "InternalClientError": "connection lost",
}
_POSTGRESQL_DATA_CLASSES = ("22", "23", "42")  # SQLSTATE classes caused by the data or the statement, not by the server
_OS_REASONS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "database is read-only",
    errno.ENOSPC: "no space left on device",
    errno.ENOENT: "file not found",
    errno.ECONNREFUSED: "connection refused",  # the text of asyncio contains the address as a tuple
}
_PRIMARY_CODE_MASK = 0xFF  # primary result code in an extended result code (sqlite.org/rescode.html)


def describe_error(error: BaseException) -> str:
    """Return a short reason for a database error, without statement parameters or texts of chat messages.

    A `StorageError` is described by its message, and an unknown error by its code or type.
    """
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error
    if isinstance(cause, sqlite3.Error):
        return _SQLITE_REASONS.get(
            getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE_MASK,
            f"error {getattr(cause, 'sqlite_errorname', type(cause).__name__)}",
        )
    sqlstate = _get_sqlstate(cause)
    if sqlstate is not None:
        reason = _POSTGRESQL_REASONS.get(sqlstate) or _POSTGRESQL_REASONS.get(sqlstate[:2])
        return reason or f"error with SQLSTATE {sqlstate}"
    if isinstance(cause, StorageError):
        return str(cause)
    if isinstance(cause, OSError) and cause.strerror:
        return _OS_REASONS.get(cause.errno or 0, cause.strerror.lower())
    return _DRIVER_REASONS.get(type(cause).__name__, f"error {type(cause).__name__}")


def is_outage(error: BaseException) -> bool:
    """Return whether an error is a failure of the database, not of the submitted data.

    Locks of other programs, timeouts, any `OSError`, missing tables of SQLite and closed executors are outages.
    Constraint violations, invalid values, a `ProgrammingError` on an intact connection, and unrelated exceptions
    such as a `ChatError` are not. An error of PostgreSQL is an outage unless its SQLSTATE is of
    `_POSTGRESQL_DATA_CLASSES`.
    """
    if isinstance(error, exc.DBAPIError):
        sqlstate = _get_sqlstate(error.orig)
        if sqlstate is not None:
            return not sqlstate.startswith(_POSTGRESQL_DATA_CLASSES)
        if isinstance(error, (exc.IntegrityError, exc.DataError)):
            return False
        return not isinstance(error, exc.ProgrammingError) or error.connection_invalidated
    return isinstance(error, (OSError, exc.TimeoutError, StorageError, sqlite3.Error))


def is_serialization_failure(error: BaseException) -> bool:
    """Return whether an error is a conflict of concurrent transactions, resolvable by a retry (SQLSTATE class 40).

    Always False for SQLite errors.
    """
    sqlstate = _get_sqlstate(error.orig) if isinstance(error, exc.DBAPIError) else None
    return sqlstate is not None and sqlstate.startswith("40")


def _get_sqlstate(error: BaseException | None) -> str | None:
    """Return the five-character SQLSTATE of a PostgreSQL error, or None for other errors."""
    sqlstate = getattr(error, "sqlstate", None)
    return sqlstate if isinstance(sqlstate, str) else None
