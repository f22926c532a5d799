"""Backups of an open database."""

import asyncio
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

import pytest

from server.storage import backup
from server.storage.database import Database, open_database
from server.storage.errors import StorageError
from tests.support.faulty_disk import small_disk
from tests.support.storage import LOUNGE, ManualClock, build_message
from tests.support.wait import wait_until

MEBIBYTE = 2**20


def read_messages(path: Path) -> list[str]:
    """Return the texts of all entries in order, after a successful integrity check of the database."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [text for (text,) in connection.execute("SELECT text FROM entries ORDER BY seq")]


async def append_megabyte(database: Database) -> None:
    """Append 256 messages with a total length of a megabyte."""
    await asyncio.gather(*(database.journal.append(build_message(f"{number}" + "x" * 3990)) for number in range(256)))


async def test_a_backup_during_writes_is_a_prefix_of_the_log_with_all_earlier_entries(
    path: Path, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "SLICE_PAGES", 1)
    await append_megabyte(database)
    copy = tmp_path / "copy.db"
    task = asyncio.create_task(backup.back_up(path, copy, overwrite=False))
    appended_during_backup = 0
    while not task.done():
        await database.journal.append(build_message(f"later {appended_during_backup}"))
        appended_during_backup += 1
    assert await task == copy.stat().st_size > MEBIBYTE
    assert appended_during_backup > 10
    copied, written = read_messages(copy), read_messages(path)
    assert 256 <= len(copied) < len(written) == 256 + appended_during_backup
    assert copied == written[: len(copied)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


async def test_a_backup_of_the_same_run_has_new_log_ids_after_a_crash(
    path: Path, tmp_path: Path, clock: ManualClock
) -> None:
    database = await open_database(path, clock=clock)
    await database.journal.append(build_message())
    marker = path.with_name("chat.db.generation")
    log_id, marker_content = (await database.reader.read_page(LOUNGE.key, after=0, limit=1)).log_id, marker.read_bytes()
    copy = tmp_path / "copy.db"
    await backup.back_up(path, copy, overwrite=False)
    await database.close()
    path.write_bytes(copy.read_bytes())
    marker.write_bytes(marker_content)  # a crashed server leaves the marker of its run
    database = await open_database(path, clock=clock)
    page = await database.reader.read_page(LOUNGE.key, after=0, limit=1)
    await database.close()
    assert page.log_id != log_id
    assert [entry.seq for entry in page.messages] == [1]


async def test_a_backup_replaces_a_file_only_if_requested(path: Path, tmp_path: Path, database: Database) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("other")
    copy.chmod(0o644)
    link = tmp_path / "link.db"
    link.symlink_to(copy)
    for target in (copy, link):
        with pytest.raises(StorageError, match=f"cannot write {target}: the file exists; replace it with --force"):
            await backup.back_up(path, target, overwrite=False)
    assert copy.read_text() == "other"
    await backup.back_up(path, link, overwrite=True)
    assert link.is_symlink()
    assert read_messages(copy) == []
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


async def test_a_backup_never_replaces_the_database(path: Path, database: Database) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    for name in ("chat.db", "chat.db-wal", "chat.db.generation", "link.db"):
        with pytest.raises(StorageError, match="the file belongs to the database"):
            await backup.back_up(path, path.with_name(name), overwrite=True)
    assert read_messages(path) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/copy.db", "missing is not a directory"),
        ("folder", "path is a directory; add a file name"),
        ("/dev/null", "path is not a regular file"),
        ("/proc/copy.db", "no such file or directory"),
        ("x" * 300, "file name too long"),
    ],
)
async def test_an_unusable_path_is_reported_in_one_line(
    path: Path, tmp_path: Path, database: Database, name: str, reason: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match=f"cannot write {tmp_path / name}: .*{reason}$"):
        await backup.back_up(path, tmp_path / name, overwrite=True)


async def test_a_full_disk_leaves_no_partial_file(path: Path, tmp_path: Path, database: Database) -> None:
    await append_megabyte(database)
    with small_disk(tmp_path, MEBIBYTE) as disk:
        copy = disk / "copy.db"
        with pytest.raises(StorageError, match=r"copy\.db: no space left on device$"):
            await backup.back_up(path, copy, overwrite=False)
        assert list(disk.iterdir()) == []


async def test_a_cancelled_backup_leaves_no_file(
    path: Path, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "MIN_PAUSE", 60.0)
    await append_megabyte(database)
    directory = tmp_path / "backups"
    directory.mkdir()
    task = asyncio.create_task(backup.back_up(path, directory / "copy.db", overwrite=False))
    await wait_until(lambda: list(directory.glob("*/copy.db")))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await wait_until(lambda: not list(directory.iterdir()))
