"""Transaction executor for PostgreSQL, based on asyncpg."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Dialect
from sqlalchemy.ext.asyncio import create_async_engine

from server.storage.errors import StorageError

_CONNECT_TIMEOUT = 5.0  # seconds until a connection attempt fails

_COMMAND_TIMEOUT = 30.0  # seconds until a statement without a response fails

ResultT = TypeVar("ResultT")


class AsyncExecutor:
    """Executor on the event loop, for a database server; the first transaction connects.

    Args:
        url: URL with the `postgresql+asyncpg` driver.
        pool_size: Maximum number of connections.
        options: Keyword arguments for `create_async_engine` of SQLAlchemy.

    Attributes:
        dialect: SQLAlchemy dialect for compiling statements.

    Raises:
        StorageError: The driver is not installed.
    """

    def __init__(self, url: URL, *, pool_size: int, **options: Any) -> None:
        try:
            self._engine = create_async_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                hide_parameters=True,
                connect_args={"timeout": _CONNECT_TIMEOUT, "command_timeout": _COMMAND_TIMEOUT},
                **options,
            )
        except ModuleNotFoundError:
            raise StorageError("PostgreSQL requires asyncpg; install tui-chat[scale]") from None
        self.dialect: Dialect = self._engine.dialect
        self._closed = False

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Implement `Executor.run`; above `pool_size` transactions, further ones wait for at most 30 seconds.

        A cancelled caller aborts a transaction that is not committed yet.

        Raises:
            StorageError: The executor is closed.
            TimeoutError: No connection became free (`sqlalchemy.exc.TimeoutError`).
            Exception: Any exception of `work` or the database.
        """
        if self._closed:
            raise StorageError("database is closed")
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def reconnect(self) -> None:
        """Implement `Executor.reconnect`."""
        await self._engine.dispose()

    async def close(self) -> None:
        """Implement `Executor.close`; running transactions continue on their connections."""
        self._closed = True
        await self._engine.dispose()
