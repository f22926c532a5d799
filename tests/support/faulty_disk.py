"""Disk faults: full, read-only and slow disks."""

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
    """Mount a tmpfs of `size` bytes, or skip the test without the permission."""
    mount_point = directory / "small disk"
    mount_point.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount_point)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("mounting a file system requires root")
    try:
        yield mount_point
    finally:
        subprocess.run(["umount", "--lazy", str(mount_point)], check=True)


def limit_file_size(pid: int, size: int) -> None:
    """Limit the size of files that the process writes, in bytes (`UNLIMITED` removes the limit)."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))


BUSY_TIMEOUT = 100
"""Lock timeout of servers with a faulty disk, in milliseconds."""


class FaultyDisk:
    """Fault injector for the write connections of newly opened databases.

    Attributes:
        is_read_only: True if SQLite rejects writes.
        commit_blocked: Set after a commit has been blocked, until the next `block_commits`.
    """

    def __init__(self) -> None:
        self.is_read_only = False
        self.commit_blocked = threading.Event()
        self._commits_allowed = threading.Event()
        self._commits_allowed.set()

    def block_commits(self) -> None:
        """Block commits until `unblock_commits`."""
        self.commit_blocked.clear()
        self._commits_allowed.clear()

    def unblock_commits(self) -> None:
        """Continue blocked commits and permit further ones."""
        self._commits_allowed.set()

    def open_engine(self, path: Path, *, writable: bool, pool_size: int, busy_timeout: int) -> Engine:
        """Return the regular engine with the fault hooks."""
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
    """Return the disk of all servers in the test process that start later, with a lock timeout of `BUSY_TIMEOUT`.

    Args:
        monkeypatch: Restores the regular databases after the test.
        max_queue_depth: Capacity of the journal queue.
    """
    disk = FaultyDisk()
    monkeypatch.setattr(database, "open_engine", disk.open_engine)
    open_faulty_database = partial(database.open_database, busy_timeout=BUSY_TIMEOUT, max_queue_depth=max_queue_depth)
    monkeypatch.setattr(app, "open_database", open_faulty_database)
    return disk
