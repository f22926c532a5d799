"""Operations on a private SQLite file."""

import asyncio
import sqlite3
import time
from pathlib import Path
from threading import Event

import pytest

from tui_chat.client.storage.sqlite_file import CorruptDatabase, SqliteFile, SqliteSchema

SCHEMA = SqliteSchema(application_id=1, version=1, statements="CREATE TABLE notes (text TEXT)", durable=False)


async def test_a_corrupt_file_is_reported_after_the_cancellation_of_the_caller(tmp_path: Path) -> None:
    reports: list[Path] = []
    running, released = Event(), Event()

    def operation(_: sqlite3.Connection) -> None:
        if not running.is_set():
            running.set()
            released.wait(10)
            raise CorruptDatabase

    notes = SqliteFile(tmp_path / "notes.db", SCHEMA, reports.append)
    task = asyncio.create_task(notes.run(operation))
    assert await asyncio.to_thread(running.wait, 10)
    task.cancel()
    await asyncio.wait({task})
    assert (task.cancelled(), reports) == (True, [])
    released.set()
    await notes.close()
    (report,) = reports
    assert reports == list(tmp_path.glob("notes.db.damaged-*"))
    assert report.read_bytes().startswith(b"SQLite format 3")


async def test_a_corrupt_file_that_another_process_has_removed_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    reports: list[Path] = []
    attempts = 0

    def operation(connection: sqlite3.Connection) -> int:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            path.unlink()
            raise CorruptDatabase
        return connection.execute("SELECT count(*) FROM notes").fetchone()[0]

    notes = SqliteFile(path, SCHEMA, reports.append)
    assert await notes.run(operation) == 0
    await notes.close()
    assert (attempts, reports) == (2, [])


async def test_each_corrupt_file_of_one_second_gets_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000.5)
    path = tmp_path / "notes.db"
    reports: list[Path] = []
    for content in (b"first", b"second"):
        path.write_bytes(content * 1_000)
        notes = SqliteFile(path, SCHEMA, reports.append)
        await notes.run(lambda connection: connection.execute("SELECT * FROM notes").fetchall())
        await notes.close()
        path.unlink()
    assert [(report.name, report.read_bytes()) for report in reports] == [
        ("notes.db.damaged-1000", b"first" * 1_000),
        ("notes.db.damaged-1001", b"second" * 1_000),
    ]
