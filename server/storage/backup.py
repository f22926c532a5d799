"""Copies of a SQLite database that a server writes to.

- Consistency: one read transaction covers the complete copy. Commits continue and are not in the copy.
- Latency: the copy proceeds in slices, with pauses of at least the same duration between them, and is flushed
  regularly.
- Restore: the generation of the copy is a new one, so that a server on the copy always detects the restored backup
  (`server.storage.restore_detection`).
- One file: the copy needs no -wal file, and can be read from a read-only directory.
"""

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from threading import Event

from server.storage.errors import StorageError
from server.storage.private_file import create_private_file
from server.storage.restore_detection import replace_generation

SLICE_PAGES = 64
"""Pages of the database per slice."""

MIN_PAUSE = 0.001
"""Minimum pause between two slices, in seconds."""

_SLICES_PER_SYNC = 16  # a flush of a large file would delay the commits of the journal
_COMPANION_SUFFIXES = ("", "-wal", "-shm", ".generation", ".generation.new", ".lock")


async def back_up(database: Path, path: Path, *, overwrite: bool) -> int:
    """Write a copy of a database to a new file with mode 0600, and return its size in bytes.

    A cancelled or failed call leaves no file; the call may return before the file is removed.

    Args:
        database: File of the database, in WAL mode.
        overwrite: Replace an existing file, but never the database or a file of it.

    Raises:
        StorageError: The file exists and is not to be replaced, belongs to the database, or the copy failed.
    """
    cancelled = Event()
    try:
        return await asyncio.to_thread(_copy_to_file, database, path, overwrite, cancelled)
    finally:
        cancelled.set()


def _copy_to_file(database: Path, path: Path, overwrite: bool, cancelled: Event) -> int:
    """Write a copy to a private file, and return its size in bytes; blocks.

    Raises:
        StorageError: As `back_up`, or the copy was cancelled.
    """
    resolved = database.resolve()
    if path.resolve() in {resolved.with_name(f"{resolved.name}{suffix}") for suffix in _COMPANION_SUFFIXES}:
        raise StorageError(f"cannot write {path}: the file belongs to the database")
    with create_private_file(path, overwrite=overwrite) as copy:
        _copy(database, copy, cancelled)
        return copy.stat().st_size


def _copy(database: Path, copy: Path, cancelled: Event) -> None:
    """Copy a database into an empty file.

    Raises:
        StorageError: The copy was cancelled.
        sqlite3.Error: The database is not readable, or the copy is not writable.
        OSError: The copy is not writable.
    """
    slice_start = time.monotonic()
    slices = 0

    def end_slice(_status: int, remaining: int, _total: int) -> None:
        nonlocal slice_start, slices
        slices += 1
        if slices % _SLICES_PER_SYNC == 0:
            os.fsync(file.fileno())
        if remaining and cancelled.wait(max(time.monotonic() - slice_start, MIN_PAUSE)):
            raise StorageError("cancelled")
        slice_start = time.monotonic()

    with (
        copy.open("r+b") as file,
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as reader,
        closing(sqlite3.connect(copy, isolation_level=None)) as writer,
    ):
        writer.execute("PRAGMA synchronous=OFF")
        reader.execute("BEGIN")
        reader.execute("SELECT 1 FROM sqlite_master").fetchone()  # opens the snapshot
        reader.backup(writer, pages=SLICE_PAGES, progress=end_slice)
        writer.execute("PRAGMA journal_mode=DELETE")
        replace_generation(writer)
