"""Execution of transactions outside the event loop.

Transactions are synchronous functions on SQLAlchemy Core, shared by all databases. For SQLite, a thread runs the
whole transaction: one thread switch per transaction, compared with one per statement in async drivers.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine

from server.storage.errors import StorageError

ResultT = TypeVar("ResultT")


class Executor(Protocol):
    """Interface for running transactions."""

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run a function in a transaction of its own, and return its result after the commit.

        A failed transaction is not retried.

        Args:
            work: Function of the connection; an exception rolls the transaction back.

        Raises:
            StorageError: The executor is closed.
            Exception: Any exception of `work` or the database.
        """
        ...

    async def reconnect(self) -> None:
        """Close all pooled connections; the next transaction opens a new one.

        Running transactions continue on their connections.
        """
        ...

    async def close(self) -> None:
        """Wait for running transactions, then close all connections; idempotent."""
        ...


class ThreadExecutor:
    """Executor on a thread pool, for SQLite.

    Args:
        engine: Synchronous engine.
        max_threads: Maximum number of concurrent transactions; 1 guarantees submission order.
        name: Thread name prefix.
    """

    def __init__(self, engine: Engine, max_threads: int, name: str) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(max_threads, thread_name_prefix=name)
        self._closed = False

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Implement `Executor.run`.

        A cancelled caller does not stop a started transaction, which may still commit.
        """
        if self._closed:
            raise StorageError("database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run_transaction, work)

    async def reconnect(self) -> None:
        """Implement `Executor.reconnect`."""
        if not self._closed:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._engine.dispose)

    async def close(self) -> None:
        """Implement `Executor.close`."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)
        self._engine.dispose()

    def _run_transaction(self, work: Callable[[Connection], ResultT]) -> ResultT:
        with self._engine.begin() as connection:
            return work(connection)
