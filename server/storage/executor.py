"""Execution of transactions outside the event loop.

Transactions are synchronous functions on SQLAlchemy Core, shared by all databases. For SQLite, a thread runs the whole
transaction, which costs one thread switch.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Dialect, Engine

from server.storage.errors import StorageError, describe_error, is_outage
from tui_chat.protocol.errors import Unavailable

RETRY_AFTER = 2.0
"""`retryAfter` of rejected requests, in seconds."""

MAX_KEYS_PER_QUERY = 500
"""Maximum number of keys in one statement; PostgreSQL permits 32,767 parameters."""

log = logging.getLogger("chat.storage")

ResultT = TypeVar("ResultT")


class Executor(Protocol):
    """Interface for running transactions.

    Attributes:
        dialect: SQLAlchemy dialect for compiling statements.
    """

    dialect: Dialect

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run a function in a separate transaction, and return its result after the commit.

        A failed transaction is retried only after a conflict with a concurrent one, and, if it is read-only, after the
        loss of its connection to PostgreSQL.

        Args:
            work: Function of the connection, which may run several times, so that its only effects are on the database;
                an exception rolls the transaction back.

        Raises:
            StorageError: The executor is closed.
            Exception: Any exception of `work` or the database.
        """
        ...

    async def reconnect(self) -> None:
        """Close all pooled connections; the next transaction opens a new one.

        Running transactions continue on their connections. A failure to connect is raised by the next `run`.
        """

    async def close(self) -> None:
        """Reject further transactions and close all idle connections; idempotent."""


async def run_or_reconnect(
    executor: Executor, work: Callable[[Connection], ResultT], on_outage: Callable[[str], None], reason: str
) -> ResultT:
    """Run a transaction, and reconnect after a failure of the database; the failed transaction is not repeated.

    Args:
        on_outage: Called with the description of a failure (`describe_error`), before the reconnect.
        reason: Reason of `Unavailable`, such as `storage_unwritable`.

    Raises:
        Unavailable: The database failed; other exceptions of `work` propagate.
    """
    try:
        return await executor.run(work)
    except Exception as error:
        if not is_outage(error):
            raise
        on_outage(describe_error(error))
        await executor.reconnect()
        raise Unavailable(reason, retry_after=RETRY_AFTER) from error


class TransactionRunner:
    """Transactions of one repository, which log each failure of the database and reconnect after it.

    Args:
        name: Name of the transactions in the log, such as `read of accounts`.
        reason: As for `run_or_reconnect`.
    """

    def __init__(self, executor: Executor, name: str, reason: str) -> None:
        self._executor = executor
        self._on_outage = partial(log.error, f"{name} failed: %s")
        self._reason = reason

    @classmethod
    def for_reads(cls, readers: Executor, subject: str) -> "TransactionRunner":
        """Return the runner of reads of a subject, such as `accounts`."""
        return cls(readers, f"read of {subject}", "storage_unreadable")

    @classmethod
    def for_writes(cls, writer: Executor, subject: str) -> "TransactionRunner":
        """Return the runner of writes of a subject, such as `accounts`."""
        return cls(writer, f"write of {subject}", "storage_unwritable")

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run a transaction as `run_or_reconnect`."""
        return await run_or_reconnect(self._executor, work, self._on_outage, self._reason)


class ThreadExecutor:
    """Executor on a thread pool, for SQLite.

    Args:
        max_threads: Maximum number of concurrent transactions; 1 runs transactions in order of submission.
    """

    def __init__(self, engine: Engine, max_threads: int, name: str) -> None:
        self._engine = engine
        self.dialect: Dialect = engine.dialect
        self._pool = ThreadPoolExecutor(max_threads, thread_name_prefix=name)
        self._closed = False

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Implement `Executor.run`; above `max_threads` transactions, further ones wait.

        A cancelled caller does not stop a started transaction, which may still commit.
        """
        if self._closed:
            raise StorageError("database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run_transaction, work)

    async def reconnect(self) -> None:
        """Implement `Executor.reconnect`; wait for a free thread first. Without effect after `close`."""
        if not self._closed:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._engine.dispose)

    async def close(self) -> None:
        """Implement `Executor.close`; wait for queued and running transactions first."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)
        self._engine.dispose()

    def _run_transaction(self, work: Callable[[Connection], ResultT]) -> ResultT:
        with self._engine.begin() as connection:
            return work(connection)
