"""Identity of room logs across restarts, restored backups and room deletions."""

import asyncio
import errno
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from server.domain.log_commands import RoomRef
from server.storage.database import Database, open_database
from server.storage.errors import StorageError
from tests.support.program import forked_python
from tests.support.storage import LOUNGE, ManualClock, build_deletion, build_message
from tui_chat.protocol.responses import HistoryPage


async def read_log_id(path: Path, clock: ManualClock) -> str:
    database = await open_database(path, clock=clock)
    page = await database.reader.read_page(LOUNGE.key, before=99, limit=1)
    snapshot = await database.reader.read_join_snapshot(LOUNGE.key, since=None, limit=1)
    assert snapshot.room is not None
    assert snapshot.room.log_id == page.log_id
    await database.close()
    return page.log_id


async def append_message(path: Path, clock: ManualClock) -> None:
    database = await open_database(path, clock=clock)
    await database.journal.append(build_message(room=RoomRef(key=LOUNGE.key, name=LOUNGE.name)))
    await database.close()


def copy_while_open(path: Path, backup: Path) -> None:
    """Copy a database as a hot backup does."""
    source, target = sqlite3.connect(path), sqlite3.connect(backup)
    source.backup(target)
    source.close()
    target.close()


def restore_into_new_file(backup: Path, path: Path) -> None:
    path.unlink()
    shutil.copy(backup, path)


def restore_in_place(backup: Path, path: Path) -> None:
    path.write_bytes(backup.read_bytes())


async def test_a_log_keeps_its_id_across_restarts(path: Path, clock: ManualClock) -> None:
    await append_message(path, clock)
    first = await read_log_id(path, clock)
    await append_message(path, clock)
    assert await read_log_id(path, clock) == first == await read_log_id(path, clock)
    link = path.with_name("link.db")
    link.symlink_to(path)
    assert await read_log_id(link, clock) == first


CRASH = """
import asyncio, os, pathlib, sys
from server.storage.database import open_database
written = []
replace = pathlib.Path.replace
def replace_or_crash(source, target):
    written.append(target)
    return os._exit(0) if len(written) == int(sys.argv[2]) else replace(source, target)
pathlib.Path.replace = replace_or_crash
asyncio.run(open_database(sys.argv[1], clock=lambda: 0))
os._exit(0)
"""


@pytest.mark.parametrize("write", [1, 2, 3], ids=["before the commit", "after the commit", "after the start"])
async def test_a_log_keeps_its_id_after_a_crash(path: Path, clock: ManualClock, write: int) -> None:
    await append_message(path, clock)
    first = await read_log_id(path, clock)
    await asyncio.to_thread(subprocess.run, [*forked_python(), "-c", CRASH, str(path), str(write)], check=True)
    assert await read_log_id(path, clock) == first


@pytest.mark.parametrize("restore", [restore_into_new_file, restore_in_place])
async def test_a_restored_backup_has_new_log_ids(
    path: Path, tmp_path: Path, clock: ManualClock, restore: Callable[[Path, Path], None]
) -> None:
    await append_message(path, clock)
    backup = tmp_path / "backup.db"
    first = await read_log_id(path, clock)
    shutil.copy(path, backup)
    await append_message(path, clock)
    restore(backup, path)
    restored = await read_log_id(path, clock)
    assert restored != first
    assert await read_log_id(path, clock) == restored
    restore(backup, path)
    assert await read_log_id(path, clock) not in {first, restored}


async def test_a_restored_backup_has_new_log_ids_after_a_failed_start(path: Path, clock: ManualClock) -> None:
    await append_message(path, clock)
    first = await read_log_id(path, clock)
    backup = path.read_bytes()
    await append_message(path, clock)
    path.write_bytes(backup)
    commits: list[Connection] = []

    def fail_second(connection: Connection) -> None:
        commits.append(connection)
        if len(commits) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    event.listen(Engine, "commit", fail_second)
    try:
        with pytest.raises(StorageError, match="no space left on device"):
            await open_database(path, clock=clock)
    finally:
        event.remove(Engine, "commit", fail_second)
    assert await read_log_id(path, clock) != first


async def test_a_hot_backup_has_new_log_ids(path: Path, tmp_path: Path, clock: ManualClock) -> None:
    await append_message(path, clock)
    first = await read_log_id(path, clock)
    database = await open_database(path, clock=clock)
    backup = tmp_path / "backup.db"
    copy_while_open(path, backup)
    await database.close()
    restore_in_place(backup, path)
    assert await read_log_id(path, clock) != first


async def test_a_damaged_marker_file_results_in_new_log_ids(path: Path, clock: ManualClock) -> None:
    await append_message(path, clock)
    first = await read_log_id(path, clock)
    path.with_name(f"{path.name}.generation").write_bytes(b"\xff\xfe\x00")
    second = await read_log_id(path, clock)
    assert second != first
    assert await read_log_id(path, clock) == second


async def test_a_new_database_has_other_log_ids(path: Path, tmp_path: Path, clock: ManualClock) -> None:
    await append_message(path, clock)
    await append_message(tmp_path / "other.db", clock)
    assert await read_log_id(path, clock) != await read_log_id(tmp_path / "other.db", clock)


async def read(database: Database, **position: int) -> HistoryPage:
    return await database.reader.read_page(
        LOUNGE.key, before=position.get("before"), after=position.get("after"), around=position.get("around"), limit=2
    )


async def test_a_room_created_again_starts_after_the_removed_entries(database: Database) -> None:
    await database.journal.append(build_message())
    await database.journal.append(build_deletion(1))
    log_id = (await read(database, after=0)).log_id
    record = (await database.reader.list_rooms(None, 1))[0]
    await database.rooms.delete(record.id)
    await database.rooms.create(LOUNGE.key, LOUNGE.name, "")
    for text in ("three", "four", "five"):
        await database.journal.append(build_message(text))
    pages = {
        "below": await read(database, before=3),
        "from the start": await read(database, after=0),
        "older": await read(database, before=5),
        "around a removed entry": await read(database, around=1),
    }
    assert {page.log_id for page in pages.values()} == {log_id}
    assert {page.first_seq for page in pages.values()} == {3}
    assert {name: ([entry.seq for entry in page.messages], page.has_more) for name, page in pages.items()} == {
        "below": ([], False),
        "from the start": ([3, 4], True),
        "older": ([3, 4], False),
        "around a removed entry": ([3, 4], True),
    }
    snapshot = await database.reader.read_join_snapshot(LOUNGE.key, since=0, limit=3)
    assert ([entry.seq for entry in snapshot.entries], snapshot.has_more) == ([3, 4, 5], False)
