"""PostgreSQL, for many nodes: the same transactions, on the event loop through asyncpg."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from server.storage.errors import StorageError

CONNECT_TIMEOUT = 5.0
COMMAND_TIMEOUT = 30.0
"""Seconds after which a database server that says nothing counts as gone."""

ResultT = TypeVar("ResultT")


def open_executor(url: URL, *, pool_size: int, **options: Any) -> "AsyncExecutor":
    """Transactions on a database server; nothing is connected yet.

    Args:
        connections: How many there may be.
        options: For SQLAlchemy's `create_async_engine`.

    Raises:
        StorageError: The driver is not installed.
    """
    timeouts = {"timeout": CONNECT_TIMEOUT, "command_timeout": COMMAND_TIMEOUT}
    try:
        engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=0, hide_parameters=True, connect_args=timeouts, **options
        )
    except ModuleNotFoundError:
        raise StorageError("PostgreSQL needs asyncpg: install tui-chat[scale]") from None
    return AsyncExecutor(engine)


class AsyncExecutor:
    """Transactions on the event loop, for databases whose driver is asynchronous.

    Attributes:
        dialect: What statements are compiled for.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.dialect: Dialect = engine.dialect
        self._closed = False

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """See `Executor.run`."""
        if self._closed:
            raise StorageError("it is closed")
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def reconnect(self) -> None:
        """See `Executor.reconnect`."""
        await self._engine.dispose()

    async def close(self) -> None:
        """See `Executor.close`."""
        self._closed = True
        await self._engine.dispose()
