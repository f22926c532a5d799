"""Migration of a SQLite database to PostgreSQL, with interruptions and unusable databases."""

import json
import shlex
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from server.domain.account_directory import Account
from server.domain.log_commands import MentionTargets
from server.storage import row_slices
from server.storage.account_repository import AccountRecord
from server.storage.backup import back_up
from server.storage.database import Database, open_database
from server.storage.errors import StorageError
from server.storage.migration import Progress, migrate, parse_source
from tests.support.account_api import account_api
from tests.support.accounts import PASSWORD
from tests.support.groups import verify_groups
from tests.support.postgresql import PostgreSQLServer, shared_postgresql
from tests.support.raw_client import raw_client
from tests.support.server_process import DATABASE, run_server, server_process, spawn_server
from tests.support.storage import (
    BEN,
    LOUNGE,
    ManualClock,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
)

pytestmark = pytest.mark.needs_postgresql


INTERRUPTED_MIGRATION = """
import asyncio, os, sys
from pathlib import Path
from server.storage.migration import migrate

def end_process(progress):
    os.write(1, progress.step.encode())
    os._exit(0)

asyncio.run(migrate(Path(sys.argv[1]), sys.argv[2], end_process))
"""
"""Migration that ends like a killed process after the first slice."""


class Interruption(Exception):
    """End of a call of `migrate` after a slice."""


@pytest.fixture(scope="module")
def postgresql() -> PostgreSQLServer:
    return shared_postgresql()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def add_account(database: Database, name: str) -> AccountRecord:
    account = Account(id=0, name=name, nick_name=name, member_id=name)
    return await database.accounts.create(account, password_hash=None)


async def write_source(path: Path, clock: ManualClock) -> None:
    """Create a database with each kind of row that clients notice."""
    database = await open_database(path, clock=clock)
    await verify_groups(database)
    commands = [
        *(build_message(f"message {number} 你好 👋") for number in range(7)),
        build_message("@all tea", mentions=MentionTargets(all_members=True)),
        build_edit(2, "edited"),
        build_deletion(3),
        build_reaction(1, "🎉", by=BEN),
        build_topic("leaves"),
    ]
    for command in commands:
        await database.journal.append(command)
    await add_account(database, "ann")
    await database.load_secrets("guests")
    await database.close()


async def migrate_with_interruptions(path: Path, url: str, limit: int = 10_000) -> int:
    """Call `migrate` until its success or `limit` interruptions, each after a new slice; return their number."""

    def interrupt(progress: Progress) -> None:
        if progress.step != "verification":
            raise Interruption

    for count in range(limit):
        try:
            await migrate(path, url, interrupt)
        except Interruption:
            continue
        return count
    return limit


async def read_contents(database: Database) -> list[Any]:
    """Return the lists of rooms, the log of the lounge, results of searches and a secret."""
    reader = database.reader
    return [
        await reader.list_rooms(None, 100),
        await reader.read_join_snapshot(LOUNGE.key, since=0, limit=200),
        await reader.list_restricted_keys(),
        [(await reader.read_page(LOUNGE.key, around=seq, limit=3)).messages for seq in (2, 5, 8)],
        (await reader.search("MESSAGE 你", room_key=LOUNGE.key, joined=(), before=None, limit=20)).messages,
        await database.accounts.list_all(),
        await database.load_secrets("guests"),
    ]


async def test_a_migration_continues_after_each_slice_and_ends_with_the_contents_of_the_source(
    postgresql: PostgreSQLServer, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_slices, "SLICE_ROWS", 3)
    path, url = tmp_path / "chat.db", postgresql.create_database()
    await write_source(path, clock)
    assert await migrate_with_interruptions(path, url, limit=4) == 4
    with pytest.raises(StorageError, match="is not finished; continue with chat-server migrate"):
        await open_database(url, clock=clock)
    source = await open_database(path, clock=clock)
    last = await source.journal.append(build_message("between two calls"))
    await source.rooms.delete((await source.rooms.create("gone", "gone", "")).id)
    expected = await read_contents(source)
    await source.close()
    assert await migrate_with_interruptions(path, url) > 10
    with closing(sqlite3.connect(path)) as connection:
        (last_room_id,) = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'rooms'").fetchone()
    assert (await migrate(path, url, lambda _: None)).is_repeated
    target = await open_database(url, clock=clock)
    try:
        assert await read_contents(target) == expected
        added = await target.journal.append(build_message("after the migration"))
        assert (added.entry.seq, added.entry.id) == (last.entry.seq + 1, last.entry.id + 1)
        assert (await target.rooms.create("new", "new", "")).id == last_room_id + 1
        (ann,) = await target.accounts.list_all()
        ben = (await add_account(target, "ben")).account
        assert (ben.id, ben.change_seq) == (ann.account.id + 1, ann.account.change_seq + 1)
    finally:
        await target.close()
    reopened = await open_database(path, clock=clock)
    assert await read_contents(reopened) == expected
    await reopened.close()
    with pytest.raises(StorageError, match="contains an older copy; migrate to an empty database"):
        await migrate(path, url, lambda _: None)


async def test_clients_of_a_migrated_server_keep_their_positions_and_identities(
    postgresql: PostgreSQLServer, home: Path
) -> None:
    url, database = postgresql.create_database(), home / DATABASE
    command = ("migrate", "--to", url)
    code, output, errors = await run_server(home, "account", "add", "ben", "--password-stdin", stdin=PASSWORD)
    assert (code, output) == (0, "added the account ben\n"), errors
    async with (
        server_process(home, "--rate-limit", "off") as server,
        raw_client(server.url) as client,
        account_api(server.url) as api,
    ):
        token = (await api.log_in("ben")).body["token"]
        joined = await client.join("Tea", "ann")
        guest = api.with_headers(Authorization=f"Guest {joined['guestKey']}")
        upload = (await guest.request("POST", "/api/uploads?room=Tea&name=a", data=b"one")).body
        await client.send_messages("Tea", [f"line {number}" for number in range(30)])
        assert (await client.request("sendMessage", {"room": "Tea", "message": "", "attachments": [upload["id"]]}))[
            "ok"
        ]
        before = await client.request("history", {"room": "Tea", "after": 0})
        code, output, errors = await run_server(home, *command)
        assert (code, output) == (2, "")
        assert errors.startswith(
            f"chat-server: cannot open the database {database}: in use by another chat-server: http"
        )
        assert errors.endswith("; stop it first with chat-server stop\n")
        server.send_signal(signal.SIGTERM)
        await server.wait_closed()
    script = home / "interrupted_migration.py"
    script.write_text(INTERRUPTED_MIGRATION)
    process = await spawn_server(home, str(database), url, program=(str(script),))
    assert await process.communicate() == (b"account_names", b"")
    code, output, errors = await run_server(home, *command)
    uploads = f"{database}.uploads"
    assert (code, output.splitlines()) == (
        0,
        [
            f"{url} contains all 2 rooms and {before['lastSeq'] + 1} entries of {database}",
            f"start: {shlex.join(['chat-server', '--database', url, '--uploads', uploads])}",
        ],
    ), errors
    steps = [line.split(": ")[1:] for line in errors.splitlines()]
    assert ["rooms", "2 of 2 rows"] in steps
    assert steps[-1][0] == "verification"
    code, output, errors = await run_server(home, *command, "--json")
    result = json.loads(output)
    assert (code, errors, result["database"], result["uploads"]) == (0, "", url, uploads)
    assert result["rows"]["entries"] == before["lastSeq"] + 1
    async with (
        server_process(home, "--database", url, "--uploads", uploads) as server,
        raw_client(server.url) as client,
        account_api(server.url) as api,
    ):
        rejoined = await client.join("Tea", "ann", since=before["lastSeq"], guestKey=joined["guestKey"])
        assert (rejoined["memberId"], rejoined["messages"]) == (joined["memberId"], [])
        assert (rejoined["room"]["logId"], rejoined["room"]["lastSeq"]) == (before["logId"], before["lastSeq"])
        after = await client.request("history", {"room": "Tea", "after": 0})
        assert after == before
        assert (await api.with_token(token).request("GET", "/api/me")).body["account"] == "ben"


async def test_unusable_databases_are_reported_and_stay_unchanged(
    postgresql: PostgreSQLServer, tmp_path: Path, clock: ManualClock
) -> None:
    source, other = tmp_path / "chat.db", tmp_path / "other.db"
    other.touch()  # not created from the template of the tests, whose copies share a log id
    for path in (source, other):
        await write_source(path, clock)
    url, foreign, used = (postgresql.create_database() for _ in range(3))
    reader = f"reader_{uuid4().hex}"
    postgresql.execute(foreign, "CREATE TABLE t (x int)")
    await (await open_database(used, clock=clock)).close()
    postgresql.execute(url, f"CREATE ROLE {reader} LOGIN")
    missing, damaged = tmp_path / "missing.db", tmp_path / "damaged.db"
    damaged.write_bytes(b"text" * 1000)
    (tmp_path / "empty.db").touch()
    for path, target, message in (
        (missing, url, f"cannot open the database {missing}: file not found"),
        (tmp_path, url, "path is not a regular file"),
        (damaged, url, "not a database"),
        (tmp_path / "empty.db", url, "the database is empty"),
        (source, str(other), "the target must be a URL of the form postgresql://"),
        (source, "mysql://host/chat", "the database backend mysql is not supported"),
        (source, "postgresql://host:port/chat", "the database URL is invalid"),
        (source, foreign, "the database has tables already"),
        (source, used, "the database has tables already"),
        (source, url.replace("chat@", f"{reader}@"), "permission denied"),
        (source, url.replace("chat@", "nobody@"), "user or password rejected"),
        (source, url.replace("@/", "@/absent"), "database does not exist"),
        (
            source,
            "postgresql://chat:secret@127.0.0.1:1/chat",
            "cannot write to postgresql://chat:***@127.0.0.1:1/chat: ",
        ),
    ):
        with pytest.raises(StorageError) as raised:
            await migrate(path, target, lambda _: None)
        assert message in str(raised.value)
        assert "secret" not in str(raised.value)
    assert not missing.exists()
    with pytest.raises(StorageError, match="migrate copies SQLite databases only"):
        parse_source(url)

    assert await migrate_with_interruptions(source, url, limit=1) == 1
    with pytest.raises(StorageError, match="contains a copy of another database"):
        await migrate(other, url, lambda _: None)

    def change_target(progress: Progress) -> None:
        if progress.step == "settings":
            postgresql.execute(url, "UPDATE entries SET text = 'forged' WHERE text = 'edited'")

    with pytest.raises(StorageError, match=r"the copy of entries of room \d+ differs from the source"):
        await migrate(source, url, change_target)
    with pytest.raises(StorageError, match="is not finished; continue with chat-server migrate"):
        await open_database(url, clock=clock)


async def test_a_restored_backup_receives_new_log_ids(
    postgresql: PostgreSQLServer, tmp_path: Path, clock: ManualClock
) -> None:
    path, copy, url = tmp_path / "chat.db", tmp_path / "copy.db", postgresql.create_database()
    await write_source(path, clock)
    await back_up(path, copy, overwrite=False)
    await migrate(copy, url, lambda _: None)
    log_ids: list[str] = []
    for target in (path, url):
        database = await open_database(target, clock=clock)
        log_ids.append((await database.reader.read_page(LOUNGE.key, after=0, limit=1)).log_id)
        await database.close()
    assert log_ids[0] != log_ids[1]
    assert log_ids[1].startswith(log_ids[0])
