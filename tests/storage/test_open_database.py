import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from server.storage import schema
from server.storage.database import open_database
from server.storage.errors import StorageError
from server.storage.migrations.upgrade import build_alembic_config
from server.storage.sqlite import copy_database, create_file, open_engine
from server.storage.tables import metadata
from tests.support.storage import ManualClock, build_message, build_reaction, exclusive_lock
from tui_chat.protocol.events import Message


async def test_a_new_database_is_private_to_its_owner(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "new" / "folder" / "chat.db"
    database = await open_database(path, clock=clock)
    await database.journal.append(build_message())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    await database.close()
    assert modes == dict.fromkeys(("chat.db", "chat.db-wal", "chat.db-shm", "chat.db.lock"), 0o600)
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
    assert await reopened.reader.read_entry("lounge", 1) == first
    await reopened.close()


async def test_a_secret_is_created_once_and_persists(path: Path, clock: ManualClock) -> None:
    database = await open_database(path, clock=clock)
    secrets = await asyncio.gather(*(database.load_secret("guest") for _ in range(10)))
    other_secret = await database.load_secret("invite")
    await database.close()
    reopened = await open_database(path, clock=clock)
    reloaded = await reopened.load_secret("guest")
    await reopened.close()
    assert {*secrets} == {reloaded}
    assert len(reloaded) == 32
    assert other_secret != reloaded


async def test_a_database_in_use_is_rejected(path: Path, clock: ManualClock) -> None:
    first = await open_database(path, clock=clock)
    assert "in use by another chat-server" in await open_error(path, clock)
    await first.close()
    await (await open_database(path, clock=clock)).close()


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


async def test_a_directory_that_cannot_be_created_is_rejected(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "chat.db"
    assert await open_error(path, clock) == f"cannot create the database {path}: {tmp_path / 'file'} is not a directory"


async def test_a_locked_database_is_rejected(path: Path, clock: ManualClock) -> None:
    create_file(path)
    with exclusive_lock(path):
        assert "locked by another program" in await open_error(path, clock)


async def test_a_database_of_another_program_is_rejected(path: Path, clock: ManualClock) -> None:
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE bookmarks (id INTEGER)")
    foreign.close()
    assert "database belongs to another program" in await open_error(path, clock)


async def test_a_newer_database_is_rejected(path: Path, clock: ManualClock) -> None:
    database = await open_database(path, clock=clock)
    await database.close()
    newer = sqlite3.connect(path)
    with newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    assert "written by a newer version of chat-server" in await open_error(path, clock)


@pytest.mark.parametrize("target", ["sqlite://", "sqlite:///:memory:", "mysql://host/chat", "://"])
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
        command_line = [sys.executable, "-c", READ_ONLY, str(path)]
        completed = subprocess.run(command_line, capture_output=True, text=True, timeout=30, check=False)
        directory.chmod(0o755)
    assert completed.stderr == ""
    assert completed.stdout == f"cannot open the database {path}: {reason}\n"


def create_older_database(path: Path) -> None:
    """Create a database of revision 0001 with present, removed and orphaned reactions."""
    create_file(path)
    engine = open_engine(path, writable=True, pool_size=1, busy_timeout=50)
    with engine.begin() as connection:
        schema.migrate(connection, "0001")
        connection.exec_driver_sql("INSERT INTO rooms VALUES (1, 'lounge', 'Lounge', '', 'public', 8, 5, 5)")
        rows = [
            (1, 1, "message", None, "ann", "one", None, None, 0),
            (2, 2, "message", None, "ann", "", None, None, 1),
            (3, 3, "reaction", 1, "ben", "", "🎉", True, 0),
            (4, 4, "reaction", 1, "ann", "", "👍", True, 0),
            (5, 5, "reaction", 1, "ann", "", "👍", False, 0),
            (6, 6, "reaction", 1, "ann", "", "🎉", True, 0),
            (7, 7, "reaction", 1, "ben", "", "🎉", True, 0),
            (8, 8, "reaction", 2, "ann", "", "🎉", True, 0),
        ]
        connection.exec_driver_sql(
            "INSERT INTO entries"
            " (id, room_id, seq, kind, target, member_id, nick_name, text, emoji, is_on, ts, deleted)"
            " VALUES (?, 1, ?, ?, ?, ?, 'Nick', ?, ?, ?, 5, ?)",
            rows,
        )
        connection.exec_driver_sql("UPDATE counters SET last = 8")
    engine.dispose()


async def test_an_older_database_is_backed_up_and_migrated(path: Path, clock: ManualClock) -> None:
    create_older_database(path)
    database = await open_database(path, clock=clock)
    entry = await database.reader.read_entry("lounge", 1)
    deleted = await database.reader.read_entry("lounge", 2)
    following = (await database.journal.append(build_reaction(1, "👍"))).entry
    await database.close()
    assert isinstance(entry, Message)
    assert entry.reactions == {"🎉": ["ben", "ann"]}
    assert isinstance(deleted, Message)
    assert deleted.reactions is None
    assert (following.seq, following.id) == (9, 9)
    backup = path.with_name(f"chat.db.before-{schema.HEAD}")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with sqlite3.connect(backup) as backup_connection:
        assert backup_connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert backup_connection.execute("SELECT count(*) FROM entries").fetchone() == (8,)
    backup_connection.close()
    assert {file.name for file in path.parent.iterdir()} == {"chat.db", "chat.db.lock", backup.name}


async def test_a_failed_migration_changes_nothing(path: Path, clock: ManualClock) -> None:
    create_older_database(path)
    broken = sqlite3.connect(path)
    with broken:
        broken.execute("DROP TABLE settings")
        broken.execute("CREATE TABLE reactions (something TEXT)")
    broken.close()
    assert "cannot open" in await open_error(path, clock)
    after = sqlite3.connect(path)
    assert after.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    after.close()


def exclude_search_tables(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name is None or not name.startswith("search")


WITHOUT_SEARCH = {"include_name": exclude_search_tables}  # the virtual table and its shadow tables


def test_new_and_migrated_schemas_are_equal(tmp_path: Path) -> None:
    migrated = tmp_path / "migrated.db"
    create_older_database(migrated)
    created = tmp_path / "made.db"
    create_file(created)
    for path, migrate in ((migrated, schema.migrate), (created, schema.ensure)):
        engine = open_engine(path, writable=True, pool_size=1, busy_timeout=50)
        with engine.begin() as connection:
            migrate(connection)
            assert schema.ensure(connection) is schema.SchemaState.CURRENT
            assert compare_metadata(MigrationContext.configure(connection, opts=WITHOUT_SEARCH), metadata) == []
        engine.dispose()
    columns = "SELECT m.name, c.name, c.type, c.[notnull], c.pk FROM sqlite_master m, pragma_table_info(m.name) c"
    indexes = (
        "SELECT name, replace(replace(sql, '\"', ''), '  ', ' ') FROM sqlite_master WHERE type = 'index' AND sql <> ''"
    )
    virtual = "SELECT name, replace(sql, ' ', '') FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'"
    for query in (columns, indexes, virtual):
        schemas: list[list[object]] = []
        for path in (migrated, created):
            with sqlite3.connect(path) as connection:
                schemas.append(sorted(connection.execute(query).fetchall()))
            connection.close()
        assert schemas[0] == schemas[1]


def test_schema_revisions_match_the_migration_scripts(path: Path) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(build_alembic_config(connection))
        command.ensure_version(build_alembic_config(connection))
    engine.dispose()
    assert [revision.revision for revision in script.walk_revisions()][::-1] == list(schema.REVISIONS)


def test_opening_a_current_database_imports_no_migration_library(path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from server.storage.database import open_database\n"
        "async def run():\n"
        "    for _ in range(2):\n"
        "        await (await open_database(sys.argv[1], clock=lambda: 0)).close()\n"
        "asyncio.run(run())\n"
        "slow = {'alembic', 'sqlalchemy.orm', 'asyncpg'}\n"
        "sys.exit(repr(slow & sys.modules.keys()) if slow & sys.modules.keys() else 0)\n"
    )
    completed = subprocess.run([sys.executable, "-c", program, str(path)], timeout=30, check=False)
    assert completed.returncode == 0


def test_a_failed_copy_leaves_no_file(tmp_path: Path) -> None:
    source = tmp_path / "chat.db"
    source.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError):
        copy_database(source, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
