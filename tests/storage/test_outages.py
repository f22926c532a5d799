"""Failures of the database while it is open, and their reports."""

import asyncio
import sqlite3
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event

from server.storage.database import HEALTH_CACHE_MS, Database, open_database
from server.storage.errors import StorageError
from server.storage.executor import ThreadExecutor
from server.storage.journal import Journal
from server.storage.sqlite import open_engine
from server.storage.statements import BatchStatements
from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.storage import ManualClock, PublishedEntries, build_message, exclusive_lock
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Message


def move(path: Path, target: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        if Path(f"{path}{suffix}").exists():
            Path(f"{path}{suffix}").rename(f"{target}{suffix}")


@contextmanager
def moved_away(path: Path) -> Generator[None]:
    """Move the files of a database within the context."""
    backup = path.with_name("aside.db")
    move(path, backup)
    yield
    move(backup, path)


async def assert_unavailable(database: Database) -> None:
    results = await asyncio.gather(
        *(database.journal.append(build_message("private words")) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [Unavailable] * 3
    assert all(isinstance(result, Unavailable) and result.retry_after for result in results)


async def test_writes_resume_after_a_database_lock_is_released(
    database: Database, path: Path, published: PublishedEntries, caplog: pytest.LogCaptureFixture
) -> None:
    await database.journal.append(build_message())
    with exclusive_lock(path):
        await assert_unavailable(database)
        await assert_unavailable(database)
        assert database.journal.outage == "locked by another program"
    assert (await database.journal.append(build_message())).entry.seq == 2
    assert database.journal.outage is None
    assert [entry.seq for entry in await published.wait_for_entries(2)] == [1, 2]
    assert [record.getMessage() for record in caplog.records] == [
        "database write failed: locked by another program",
        "database writes resumed",
    ]


async def test_a_full_disk_rejects_writes_and_serves_reads(
    database: Database, path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_engine(path, writable=True, pool_size=1, busy_timeout=50)
    with closing(sqlite3.connect(path)) as connection:
        max_pages = connection.execute("PRAGMA page_count").fetchone()[0] + 20

    @event.listens_for(engine, "connect")
    def limit_pages(driver: sqlite3.Connection, _: object) -> None:
        driver.execute(f"PRAGMA max_page_count = {max_pages}")

    writer = ThreadExecutor(engine, 1, "small")
    journal = Journal(writer, BatchStatements(engine.dialect), clock)
    results = [await asyncio.wait({journal.append(build_message("x" * 1000))}) for _ in range(100)]
    accepted = sum(future.exception() is None for done, _ in results for future in done)
    assert 10 < accepted < 90
    with pytest.raises(Unavailable):
        await journal.append(build_message("x" * 1000))
    assert journal.outage == "no space left on device"
    snapshot = await database.reader.read_join_snapshot("lounge", since=None, limit=200)
    assert [entry.seq for entry in snapshot.entries] == list(range(1, accepted + 1))
    max_pages = 1000
    await writer.reconnect()
    assert (await journal.append(build_message())).entry.seq == accepted + 1
    assert [record.getMessage() for record in caplog.records] == [
        "database write failed: no space left on device",
        "database writes resumed",
    ]
    await journal.close()
    await writer.close()


async def test_writes_resume_after_a_missing_file_is_restored(
    database: Database, path: Path, published: PublishedEntries
) -> None:
    await database.journal.append(build_message("kept"))
    with moved_away(path):
        await assert_unavailable(database)
        assert database.journal.outage == "file not found"
        with pytest.raises(Unavailable):
            await database.reader.read_page("lounge", after=0, limit=10)
        assert not path.exists()
    assert (await database.journal.append(build_message())).entry.seq == 2
    page = await database.reader.read_page("lounge", after=0, limit=10)
    assert [entry.seq for entry in page.messages] == [1, 2]
    assert [entry.seq for entry in await published.wait_for_entries(2)] == [1, 2]


async def test_a_file_that_replaces_an_open_database_is_not_used(
    database: Database, path: Path, clock: ManualClock
) -> None:
    await database.journal.append(build_message("kept"))
    with moved_away(path):
        other = await open_database(path, clock=clock)
        for _ in range(2):
            await assert_unavailable(database)
            assert database.journal.outage == "database file was replaced; restart the server"
            with pytest.raises(Unavailable):
                await database.reader.read_page("lounge", after=0, limit=10)
        assert (await other.journal.append(build_message())).entry.seq == 1
        await other.close()
        path.write_text("no database")
        await assert_unavailable(database)
        assert database.journal.outage == "database file was replaced; restart the server"
    assert (await database.journal.append(build_message())).entry.seq == 2


async def test_health_reports_the_cause_of_failed_writes(database: Database, path: Path, clock: ManualClock) -> None:
    assert await database.health_problem() is None
    with exclusive_lock(path):
        assert await database.health_problem() is None
        clock.now += HEALTH_CACHE_MS
        assert await database.health_problem() == "locked by another program"
        assert await database.health_problem() == "locked by another program"
    clock.now += HEALTH_CACHE_MS
    assert await database.health_problem() is None


async def test_health_reports_journal_outages_immediately(database: Database, path: Path) -> None:
    assert await database.health_problem() is None
    with exclusive_lock(path):
        await assert_unavailable(database)
        assert await database.health_problem() == "locked by another program"
    await database.journal.append(build_message())
    assert await database.health_problem() is None


async def test_a_secret_that_cannot_be_saved_raises_an_error(database: Database, path: Path) -> None:
    with exclusive_lock(path), pytest.raises(StorageError):
        await database.load_secrets("guest")


async def test_a_closed_database_rejects_reads_and_writes(database: Database) -> None:
    await database.close()
    with pytest.raises(Unavailable):
        database.journal.append(build_message())
    with pytest.raises(Unavailable):
        await database.reader.read_page("lounge", after=0, limit=10)
    assert await database.health_problem() == "database is closed"


WRITER = """
import asyncio, sys
from uuid import uuid4
from server.storage.database import open_database
from tests.support.storage import build_message

async def main():
    database = await open_database(sys.argv[1], clock=lambda: 5)
    async def send():
        while True:
            client_id = uuid4()
            entry = (await database.journal.append(build_message(client_id.hex, client_id=client_id))).entry
            sys.stdout.write(f"{entry.seq} {entry.id} {client_id.hex}\\n")
            sys.stdout.flush()
    await asyncio.gather(*(send() for _ in range(20)))
asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged", [1, 300, 1000])
async def test_a_killed_process_loses_no_acknowledged_entry(path: Path, clock: ManualClock, acknowledged: int) -> None:
    script = path.with_name("writer.py")
    script.write_text(WRITER)
    command = (sys.executable, str(script), str(path))
    writer = await start_program(command, program_environment(path.parent), stdout=PIPE)
    assert writer.stdout is not None
    lines = [await writer.stdout.readline() for _ in range(acknowledged)]
    writer.kill()
    lines += (await writer.stdout.read()).splitlines(keepends=True)
    await writer.wait()
    acks = [line.decode().split() for line in lines if line.endswith(b"\n")]
    database = await open_database(path, clock=clock)
    stored: dict[int, Message] = {}
    after = 0
    while True:
        page = await database.reader.read_page("lounge", after=after, limit=200)
        stored |= {entry.seq: entry for entry in page.messages if isinstance(entry, Message)}
        if not page.has_more:
            break
        after = page.messages[-1].seq
    assert list(stored) == list(range(1, page.last_seq + 1))
    assert len(acks) >= acknowledged
    for seq, entry_id, client_id in acks:
        entry = stored[int(seq)]
        assert (entry.id, entry.message) == (int(entry_id), client_id)
    last = stored[page.last_seq]
    repeated = await database.journal.append(build_message(last.message, client_id=UUID(last.message)))
    assert (repeated.duplicate, repeated.entry.seq) == (True, page.last_seq)
    assert (await database.journal.append(build_message())).entry.seq == page.last_seq + 1
    await database.close()
