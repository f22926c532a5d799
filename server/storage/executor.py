"""Runs a function in a transaction of its own, off the event loop's back.

The functions are plain synchronous SQLAlchemy Core, the same for every
database; only how they are run differs. For SQLite that is a thread: one hop a
transaction, where an async driver makes one for every statement.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine

from server.storage.errors import StorageError

ResultT = TypeVar("ResultT")


class Executor(Protocol):
    """A way to run transactions."""

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """What `work` returns, after its transaction is committed.

        Raises:
            StorageError: It was closed.
            Exception: Whatever `work` or the database raised; nothing is changed then.
        """
        ...

    async def reconnect(self) -> None:
        """Let go of all connections, so that the next transaction opens a new one."""
        ...

    async def close(self) -> None:
        """Wait for what runs, then close everything. Closing twice is closing once."""
        ...


class ThreadExecutor:
    """Transactions in threads, for SQLite.

    Args:
        engine: A synchronous engine.
        threads: How many transactions can run at once; one of them gives a strict order.
        name: Of the threads, for those who look at a running server.
    """

    def __init__(self, engine: Engine, max_threads: int, name: str) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(max_threads, thread_name_prefix=name)
        self._closed = False

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """See `Executor.run`."""
        if self._closed:
            raise StorageError("it is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run_transaction, work)

    async def reconnect(self) -> None:
        """See `Executor.reconnect`."""
        if not self._closed:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._engine.dispose)

    async def close(self) -> None:
        """See `Executor.close`."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)
        self._engine.dispose()

    def _run_transaction(self, work: Callable[[Connection], ResultT]) -> ResultT:
        with self._engine.begin() as connection:
            return work(connection)
