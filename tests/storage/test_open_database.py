"""Opening of a database: permissions, secrets, exclusive use, and rejected files and URLs."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from server.storage.database import open_database
from server.storage.errors import DatabaseInUse, StorageError
from server.storage.sqlite import create_file, lock_database
from tests.support.program import forked_python
from tests.support.storage import ManualClock, build_message, exclusive_lock, read_entry


async def test_a_new_database_is_private_to_its_owner(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "new" / "folder" / "chat.db"
    database = await open_database(path, clock=clock)
    await database.journal.append(build_message())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    await database.close()
    assert modes == dict.fromkeys(("chat.db", "chat.db-wal", "chat.db-shm", "chat.db.generation"), 0o600)
    for directory in (path.parent, path.parent.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("url_format", ["{path}", "sqlite:///{path}"])
async def test_entries_survive_a_reopen(path: Path, clock: ManualClock, url_format: str) -> None:
    target = url_format.format(path=path)
    database = await open_database(target, clock=clock)
    first = (await database.journal.append(build_message())).entry
    await database.close()
    await database.close()
    reopened = await open_database(target, clock=clock)
    assert await read_entry(reopened, 1) == first
    await reopened.close()


async def test_secrets_are_created_once_and_persist(path: Path, clock: ManualClock) -> None:
    database = await open_database(path, clock=clock)
    secrets = await asyncio.gather(*(database.load_secrets("guest") for _ in range(10)))
    guest_secret, other_secret = await database.load_secrets("guest", "invite")
    await database.close()
    reopened = await open_database(path, clock=clock)
    reloaded = await reopened.load_secrets("invite", "guest")
    await reopened.close()
    assert [*map(tuple, secrets)] == [(guest_secret,)] * 10
    assert reloaded == [other_secret, guest_secret]
    assert len(guest_secret) == 32
    assert other_secret != guest_secret


async def test_a_database_in_use_is_rejected(path: Path, clock: ManualClock) -> None:
    first = await open_database(path, clock=clock)
    assert "in use by another chat-server" in await open_error(path, clock)
    await first.close()
    await (await open_database(path, clock=clock)).close()


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_a_symbolic_link_shares_the_lock_of_its_database(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    create_file(path)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    monkeypatch.setattr(sys, "platform", platform)
    with lock_database(path), pytest.raises(DatabaseInUse), lock_database(link):
        pass
    with lock_database(link):
        pass


async def open_error(target: str | Path, clock: ManualClock) -> str:
    with pytest.raises(StorageError) as error:
        await open_database(target, clock=clock, busy_timeout=50)
    text = str(error.value)
    assert "\n" not in text
    return text


async def test_a_non_database_file_is_rejected_and_unchanged(path: Path, clock: ManualClock) -> None:
    garbage = b"dear diary\n" * 1000
    await asyncio.to_thread(path.write_bytes, garbage)
    assert await open_error(path, clock) == f"cannot open the database {path}: not a database"
    assert await asyncio.to_thread(path.read_bytes) == garbage


async def test_a_corrupt_database_is_rejected(path: Path, clock: ManualClock) -> None:
    database = await open_database(path, clock=clock)
    await database.close()
    content = await asyncio.to_thread(path.read_bytes)
    await asyncio.to_thread(path.write_bytes, content[:100] + b"\xff" * (len(content) - 100))
    assert await open_error(path, clock) == f"cannot open the database {path}: database file is corrupt"


async def test_a_directory_path_is_rejected(tmp_path: Path, clock: ManualClock) -> None:
    assert await open_error(tmp_path, clock) == f"cannot open the database {tmp_path}: path is a directory"


async def test_a_refused_connection_is_reported_without_the_password(clock: ManualClock) -> None:
    error = await open_error("postgresql://chat:secret@127.0.0.1:1/chat?password=secret", clock)
    assert error == "cannot open the database postgresql://chat:***@127.0.0.1:1/chat: connection refused"


async def test_a_directory_that_cannot_be_created_is_rejected(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "chat.db"
    assert await open_error(path, clock) == f"cannot open the database {path}: {tmp_path / 'file'} is not a directory"


async def test_a_locked_database_is_rejected(path: Path, clock: ManualClock) -> None:
    create_file(path)
    with exclusive_lock(path):
        assert "locked by another program" in await open_error(path, clock)


async def test_a_database_of_another_program_is_rejected(path: Path, clock: ManualClock) -> None:
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE bookmarks (id INTEGER)")
    foreign.close()
    assert "database belongs to another program" in await open_error(path, clock)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE schema_fingerprint SET fingerprint = '00'",
        "DELETE FROM schema_fingerprint",
        "DROP TABLE schema_fingerprint",
    ],
)
async def test_a_database_with_another_schema_is_rejected_and_unchanged(
    path: Path, clock: ManualClock, change: str
) -> None:
    database = await open_database(path, clock=clock)
    await database.journal.append(build_message())
    await database.close()
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    content = await asyncio.to_thread(path.read_bytes)
    assert await open_error(path, clock) == (
        f"cannot open the database {path}: database was created by another version of chat-server;"
        " start with a new --database, or use the version that created this one"
    )
    assert await asyncio.to_thread(path.read_bytes) == content


async def test_the_path_of_a_database_url_is_expanded(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    await (await open_database("sqlite:///~/own/chat.db", clock=clock)).close()
    assert (tmp_path / "own" / "chat.db").exists()


@pytest.mark.parametrize(
    "target", ["sqlite://", "sqlite:///:memory:", "sqlite:///chat.db?mode=memory", "mysql://host/chat", "://"]
)
async def test_an_unsupported_database_url_is_rejected(target: str, clock: ManualClock) -> None:
    assert (await open_error(target, clock)).startswith("the database")


READ_ONLY = """
import asyncio, os, sys
from server.storage.database import open_database
from server.storage.errors import StorageError
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    asyncio.run(open_database(sys.argv[1], clock=lambda: 0))
except StorageError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("directory_mode", "file_mode", "reason"),
    [(0o755, 0o444, "database is read-only"), (0o755, 0o000, "permission denied"), (0o000, 0o600, "permission denied")],
)
def test_a_database_without_write_permission_is_rejected(directory_mode: int, file_mode: int, reason: str) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        path = directory / "chat.db"
        path.touch()
        path.chmod(file_mode)
        directory.chmod(directory_mode)
        command_line = [*forked_python(), "-c", READ_ONLY, str(path)]
        completed = subprocess.run(command_line, capture_output=True, text=True, timeout=30, check=False)
        directory.chmod(0o755)
    assert completed.stderr == ""
    assert completed.stdout == f"cannot open the database {path}: {reason}\n"


def test_opening_a_database_imports_neither_the_orm_nor_asyncpg(path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from server.storage.database import open_database\n"
        "async def run():\n"
        "    for _ in range(2):\n"
        "        await (await open_database(sys.argv[1], clock=lambda: 0)).close()\n"
        "asyncio.run(run())\n"
        "slow = {'sqlalchemy.orm', 'asyncpg'}\n"
        "sys.exit(repr(slow & sys.modules.keys()) if slow & sys.modules.keys() else 0)\n"
    )
    completed = subprocess.run([sys.executable, "-c", program, str(path)], timeout=30, check=False)
    assert completed.returncode == 0
