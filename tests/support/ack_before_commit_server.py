"""Faulty chat-server: acknowledges messages before the commit.

Accepts the flags of `chat-server`. The fault checker must detect the messages that a kill of this server loses;
otherwise its success with the real server proves nothing.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar
from unittest.mock import patch

from sqlalchemy import URL, Connection, Engine

from server import cli
from server.storage import batch_writer, database
from server.storage.executor import ThreadExecutor
from server.storage.postgresql import AsyncExecutor

COMMIT_DELAY = 0.25
"""Duration of an open journal transaction in seconds, at least until the next transaction with SQLite."""

ResultT = TypeVar("ResultT")


def is_append(work: object) -> bool:
    """Return whether the transaction is a batch of the journal."""
    return getattr(work, "func", None) is batch_writer.apply_batch


class DelayedCommitExecutor(ThreadExecutor):
    """Executor that keeps the journal transaction open across several batches."""

    def __init__(self, engine: Engine, threads: int, name: str) -> None:
        super().__init__(engine, threads, name)
        self._open_connection: Connection | None = None
        self._commit_due = 0.0

    def _run_transaction(self, work: Callable[[Connection], ResultT]) -> ResultT:
        if not is_append(work):
            self._commit()
            return super()._run_transaction(work)
        if self._open_connection is None:
            self._open_connection = self._engine.connect()
            self._open_connection.begin()
            self._commit_due = time.monotonic() + COMMIT_DELAY
        result = work(self._open_connection)
        if time.monotonic() >= self._commit_due:
            self._commit()
        return result

    def _commit(self) -> None:
        if self._open_connection is not None:
            self._open_connection.commit()
            self._open_connection.close()
            self._open_connection = None


class DelayedCommitAsyncExecutor(AsyncExecutor):
    """Executor that commits each journal transaction later, while it returns its result at once."""

    def __init__(self, url: URL, **options: Any) -> None:
        super().__init__(url, **options)
        self._commits: set[asyncio.Task[None]] = set()

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        if not is_append(work):
            return await super().run(work)
        result: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        commit = asyncio.create_task(self._run_with_delay(work, result))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        return await result

    async def _run_with_delay(self, work: Callable[[Connection], ResultT], result: asyncio.Future[ResultT]) -> None:
        try:
            async with self._engine.begin() as connection:
                result.set_result(await connection.run_sync(work))
                await asyncio.sleep(COMMIT_DELAY)
        except Exception as error:
            if not result.done():
                result.set_exception(error)


if __name__ == "__main__":
    with (
        patch.object(database, "ThreadExecutor", DelayedCommitExecutor),
        patch("server.storage.postgresql.AsyncExecutor", DelayedCommitAsyncExecutor),
    ):
        cli.main()
