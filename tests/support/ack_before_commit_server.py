"""Faulty chat-server: acknowledges messages up to `COMMIT_DELAY` seconds before the commit.

Accepts the flags of `chat-server`. The fault checker must detect the messages that a kill of this server loses;
otherwise its success with the real server proves nothing.
"""

import time
from collections.abc import Callable
from typing import TypeVar
from unittest.mock import patch

from sqlalchemy import Connection, Engine

from server import cli
from server.storage import batch_writer, database
from server.storage.executor import ThreadExecutor

COMMIT_DELAY = 0.25

ResultT = TypeVar("ResultT")


class DelayedCommitExecutor(ThreadExecutor):
    """Executor that keeps the journal transaction open across several batches."""

    def __init__(self, engine: Engine, threads: int, name: str) -> None:
        super().__init__(engine, threads, name)
        self._open_connection: Connection | None = None
        self._commit_due = 0.0

    def _run_transaction(self, work: Callable[[Connection], ResultT]) -> ResultT:
        function: object = getattr(work, "func", None)
        if function is not batch_writer.apply_batch:
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


if __name__ == "__main__":
    with patch.object(database, "ThreadExecutor", DelayedCommitExecutor):
        cli.main()
