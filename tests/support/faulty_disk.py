"""The disk under a server of this process: made slow, read-only or impatient of locks at will."""

import resource
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from server import app
from server.storage import database, sqlite

UNLIMITED = resource.RLIM_INFINITY


@contextmanager
def small_disk(directory: Path, size: int) -> Generator[Path]:
    """A file system of so many bytes, in memory; skips the test where none may be mounted."""
    mount_point = directory / "small disk"
    mount_point.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount_point)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        yield mount_point
    finally:
        subprocess.run(["umount", "--lazy", str(mount_point)], check=True)


def limit_file_size(pid: int, size: int) -> None:
    """From now on no file of the process may grow beyond so many bytes (`ENDLESS`: any size)."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))


BUSY_TIMEOUT = 100
"""Milliseconds that servers here wait for another program's lock."""


class FaultyDisk:
    """What the writer of each database that is opened from now on has to do with.

    Attributes:
        read_only: SQLite refuses every change.
        holding: A commit has begun and is held.
    """

    def __init__(self) -> None:
        self.is_read_only = False
        self.commit_blocked = threading.Event()
        self._commits_allowed = threading.Event()
        self._commits_allowed.set()

    def block_commits(self) -> None:
        """Keep the next commit from ending, and all after it, until `release`."""
        self.commit_blocked.clear()
        self._commits_allowed.clear()

    def unblock_commits(self) -> None:
        """Let commits end."""
        self._commits_allowed.set()

    def open_engine(self, path: Path, *, writable: bool, pool_size: int, busy_timeout: int) -> Engine:
        """The engine as it would be, on this disk."""
        engine = sqlite.open_engine(path, writable=writable, pool_size=pool_size, busy_timeout=busy_timeout)
        if writable:
            event.listen(engine, "begin", self._on_begin)
            event.listen(engine, "commit", self._on_commit)
        return engine

    def _on_begin(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA query_only = {self.is_read_only:d}")

    def _on_commit(self, _connection: Connection) -> None:
        if not self._commits_allowed.is_set():
            self.commit_blocked.set()
        self._commits_allowed.wait()


def install_faulty_disk(monkeypatch: pytest.MonkeyPatch, *, max_queue_depth: int = 10_000) -> FaultyDisk:
    """Put a disk under the servers that are started from now on.

    Args:
        waiting_limit: Messages that may wait to be saved.
    """
    disk = FaultyDisk()
    monkeypatch.setattr(database, "open_engine", disk.open_engine)
    open_faulty_database = partial(database.open_database, busy_timeout=BUSY_TIMEOUT, max_queue_depth=max_queue_depth)
    monkeypatch.setattr(app, "open_database", open_faulty_database)
    return disk
