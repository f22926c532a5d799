"""The disk under a server of this process: made slow, read-only or impatient of locks at will."""

import threading
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from server import runtime
from server.storage import database, sqlite

BUSY_TIMEOUT = 100
"""Milliseconds that servers here wait for another program's lock."""


class Disk:
    """What the writer of each database that is opened from now on has to do with.

    Attributes:
        read_only: SQLite refuses every change.
        holding: A commit has begun and is held.
    """

    def __init__(self) -> None:
        self.read_only = False
        self.holding = threading.Event()
        self._passes = threading.Event()
        self._passes.set()

    def hold(self) -> None:
        """Keep the next commit from ending, and all after it, until `release`."""
        self.holding.clear()
        self._passes.clear()

    def release(self) -> None:
        """Let commits end."""
        self._passes.set()

    def open_engine(self, path: Path, *, writable: bool, pool_size: int, busy_timeout: int) -> Engine:
        """The engine as it would be, on this disk."""
        engine = sqlite.open_engine(path, writable=writable, pool_size=pool_size, busy_timeout=busy_timeout)
        if writable:
            event.listen(engine, "begin", self._begin)
            event.listen(engine, "commit", self._commit)
        return engine

    def _begin(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA query_only = {self.read_only:d}")

    def _commit(self, _connection: Connection) -> None:
        if not self._passes.is_set():
            self.holding.set()
        self._passes.wait()


def installed(monkeypatch: pytest.MonkeyPatch, *, max_queue_depth: int = 10_000) -> Disk:
    """Put a disk under the servers that are started from now on.

    Args:
        waiting_limit: Messages that may wait to be saved.
    """
    disk = Disk()
    monkeypatch.setattr(database, "open_engine", disk.open_engine)
    opener = partial(database.open_database, busy_timeout=BUSY_TIMEOUT, max_queue_depth=max_queue_depth)
    monkeypatch.setattr(runtime, "open_database", opener)
    return disk
