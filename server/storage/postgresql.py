"""Transaction executor for PostgreSQL, based on asyncpg.

The database ends the transaction of a node that stops within the transaction. `TIMEOUT_SETTINGS` ends an idle
transaction earlier than the wait for a lock, so that the transactions of other nodes for the same room succeed.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Dialect, exc, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import greenlet_spawn

from server.storage.errors import StorageError, is_serialization_failure

_CONNECT_TIMEOUT = 5.0  # seconds until a connection attempt fails

_COMMAND_TIMEOUT = 30.0  # seconds until a statement without a response fails

_RETRIES = 3  # of a transaction after a conflict with another one

TIMEOUT_SETTINGS = {
    "idle_in_transaction_session_timeout": 3.0,  # of a transaction that waits for its next statement
    "lock_timeout": 5.0,
    "statement_timeout": 20.0,  # less than `_COMMAND_TIMEOUT`
}
"""Timeouts that the database server applies to each connection, in seconds."""

ResultT = TypeVar("ResultT")


class AsyncExecutor:
    """Executor on the event loop, for a database server; the first transaction connects.

    Args:
        url: URL with the `postgresql+asyncpg` driver.
        is_read_only: The transactions write nothing, so that they may run again after a lost connection.
        options: Keyword arguments for `create_async_engine` of SQLAlchemy.

    Raises:
        StorageError: The driver is not installed.
    """

    def __init__(self, url: URL, *, pool_size: int, is_read_only: bool = False, **options: Any) -> None:
        try:
            self._engine = create_async_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                hide_parameters=True,
                connect_args=_get_connection_settings(),
                **options,
            )
        except ModuleNotFoundError:
            raise StorageError("PostgreSQL requires asyncpg; install tui-chat[scale]") from None
        self.dialect: Dialect = self._engine.dialect
        self._is_read_only = is_read_only
        self._closed = False

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Implement `Executor.run`; above `pool_size` transactions, further ones wait for at most 30 seconds.

        A cancelled caller aborts a transaction that is not committed yet. After a deadlock or a serialization failure,
        `work` runs again in a new transaction, at once and at most `_RETRIES` times; the last error is raised. One of
        these retries may follow the loss of the connection of a read-only transaction.

        Raises:
            StorageError: The executor is closed.
            TimeoutError: No connection became free (`sqlalchemy.exc.TimeoutError`).
            Exception: Any exception of `work` or the database.
        """
        may_reconnect = self._is_read_only
        for _ in range(_RETRIES):
            try:
                return await self._run_once(work)
            except exc.DBAPIError as error:
                if error.connection_invalidated and may_reconnect:
                    may_reconnect = False
                elif not is_serialization_failure(error):
                    raise
        return await self._run_once(work)

    async def reconnect(self) -> None:
        """Implement `Executor.reconnect`."""
        await self._engine.dispose()

    async def close(self) -> None:
        """Implement `Executor.close`; running transactions continue on their connections."""
        self._closed = True
        await self._engine.dispose()

    async def _run_once(self, work: Callable[[Connection], ResultT]) -> ResultT:
        if self._closed:
            raise StorageError("database is closed")
        # One greenlet for the whole transaction: `AsyncEngine.begin` needs six, and four times the CPU.
        return await greenlet_spawn(partial(self._run_transaction, work))

    def _run_transaction(self, work: Callable[[Connection], ResultT]) -> ResultT:
        with self._engine.sync_engine.begin() as connection:
            return work(connection)


def parse_postgresql_url(target: str) -> URL:
    """Return the URL of a database with the driver `asyncpg`; the form `postgresql://…` is not checked."""
    return make_url(target).set(drivername="postgresql+asyncpg")


def get_driver_options(target: str) -> dict[str, Any]:
    """Return the keyword arguments of `asyncpg.connect` for a connection outside of all transactions.

    Args:
        target: URL of the form `postgresql://…`, as for `server.storage.database.open_database`.
    """
    url = parse_postgresql_url(target)
    _, options = url.get_dialect()().create_connect_args(url)
    return {**options, **_get_connection_settings()}


def _get_connection_settings() -> dict[str, Any]:
    """Return the timeouts and server settings of a connection as keyword arguments of `asyncpg.connect`."""
    timeouts = {name: str(round(seconds * 1000)) for name, seconds in TIMEOUT_SETTINGS.items()}
    return {
        "timeout": _CONNECT_TIMEOUT,
        "command_timeout": _COMMAND_TIMEOUT,
        "server_settings": {"application_name": "chat-server", **timeouts},
    }
