"""Conflicts of concurrent transactions on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from msgspec import structs
from sqlalchemy import Connection, select, update
from sqlalchemy.util import await_only

from server.domain.account_directory import Account
from server.storage.account_changes import next_change_seq
from server.storage.account_records import AccountRecord
from server.storage.database import Database, open_database
from server.storage.postgresql import TIMEOUT_SETTINGS, AsyncExecutor, parse_postgresql_url
from server.storage.tables import accounts, rooms
from tests.support.postgresql import PostgreSQLServer
from tests.support.storage import ManualClock, PublishedEntries, RoomRef, build_edit, build_message, build_topic
from tui_chat.protocol.events import Message


@pytest.fixture
async def nodes(postgresql: PostgreSQLServer, clock: ManualClock) -> AsyncIterator[list[Database]]:
    nodes = [await open_database(postgresql.url, clock=clock) for _ in range(2)]
    yield nodes
    for node in nodes:
        await node.close()


def open_executor(postgresql: PostgreSQLServer, isolation_level: str) -> AsyncExecutor:
    return AsyncExecutor(parse_postgresql_url(postgresql.url), pool_size=1, isolation_level=isolation_level)


def fresh_rooms(count: int) -> list[RoomRef]:
    prefix = uuid4().hex
    return [RoomRef(key=f"{prefix}{number}", name=f"{prefix}{number}") for number in range(count)]


async def test_a_batch_has_at_most_20_rooms_and_keeps_the_order_of_each_room(nodes: list[Database]) -> None:
    refs = fresh_rooms(45)
    nodes[0].journal.publish = published = PublishedEntries()
    await asyncio.gather(
        *(nodes[0].journal.append(build_message(str(n), room=refs[n % 45])) for n in range(90)),
        *(nodes[1].journal.append(build_topic("", room=ref)) for ref in reversed(refs)),
    )
    assert len(await published.wait_for_entries(90)) == 90
    assert max(len({entry.room for entry in batch}) for batch in published.batches) == 20
    for number, ref in enumerate(refs):
        messages = (await nodes[1].reader.read_page(ref.key, after=0, limit=9)).messages
        texts = [entry.message for entry in messages if isinstance(entry, Message)]
        assert (texts, [entry.seq for entry in messages]) == ([str(number), str(number + 45)], [1, 2, 3])


async def test_the_same_client_id_on_two_nodes_yields_one_entry(nodes: list[Database]) -> None:
    (room,) = fresh_rooms(1)
    await nodes[0].journal.append(build_message(room=room))
    for _ in range(5):
        message = build_message(room=room, client_id=uuid4())
        results = await asyncio.gather(*(node.journal.append(message) for node in nodes))
        assert sorted(result.duplicate for result in results) == [False, True]
        assert results[0].entry == results[1].entry


async def test_a_repeated_change_without_effect_yields_its_first_result_on_another_node(nodes: list[Database]) -> None:
    refs = fresh_rooms(2)
    for ref in refs:
        await nodes[0].journal.append(build_message("tea", room=ref))
    edits = [structs.replace(build_edit(1, "tea", room=ref), client_id=uuid4()) for ref in refs]
    first = await asyncio.gather(*(nodes[0].journal.append(edit) for edit in edits))
    await nodes[0].journal.append(build_edit(1, "coffee", room=refs[0]))
    repeated = await asyncio.gather(*(nodes[1].journal.append(edit) for edit in edits))
    assert [(result.duplicate, result.entry.seq) for result in [*first, *repeated]] == [(True, 1)] * 4


async def test_a_transaction_runs_again_after_a_serialization_failure(
    postgresql: PostgreSQLServer, nodes: list[Database]
) -> None:
    (room,) = fresh_rooms(1)
    await nodes[0].journal.append(build_message(room=room))
    executor = open_executor(postgresql, "REPEATABLE READ")
    attempts: list[int] = []

    def set_title(connection: Connection) -> None:
        attempts.append(connection.execute(select(rooms.c.last_seq).where(rooms.c.key == room.key)).scalar_one())
        if len(attempts) == 1:
            await_only(nodes[1].journal.append(build_message(room=room)))
        connection.execute(update(rooms).where(rooms.c.key == room.key).values(title="t"))

    await executor.run(set_title)
    await executor.close()
    assert attempts == [1, 2]


async def test_a_password_change_waits_for_the_change_counter_before_it_locks_the_account(
    postgresql: PostgreSQLServer, nodes: list[Database]
) -> None:
    name = f"a{uuid4().hex[:20]}"
    account = Account(id=0, name=name, nick_name=name, member_id=uuid4().hex)
    account_id = (await nodes[0].accounts.create(account, password_hash="old")).account.id
    executor = open_executor(postgresql, "READ COMMITTED")
    changes: list[asyncio.Task[AccountRecord]] = []

    def lock_counter_then_account(connection: Connection) -> None:
        next_change_seq(connection)
        change = nodes[0].accounts.update(account_id, required_hash="old", password_hash="new")
        changes.append(asyncio.create_task(change))
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        while not connection.exec_driver_sql(blocked).scalar_one():
            await_only(asyncio.sleep(0))
        connection.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update(nowait=True))

    await executor.run(lock_counter_then_account)
    await executor.close()
    assert (await changes[0]).password_hash == "new"


async def test_a_paused_node_does_not_keep_the_lock_of_a_room(
    postgresql: PostgreSQLServer, nodes: list[Database]
) -> None:
    (room,) = fresh_rooms(1)
    await nodes[0].journal.append(build_message(room=room))
    paused = open_executor(postgresql, "READ COMMITTED")
    locked, resumed = asyncio.Event(), asyncio.Event()
    setting = "idle_in_transaction_session_timeout"
    timeout = await paused.run(lambda connection: connection.exec_driver_sql(f"SHOW {setting}").scalar_one())
    assert timeout == f"{TIMEOUT_SETTINGS[setting]:.0f}s"

    def lock_room(connection: Connection) -> None:
        connection.execute(update(rooms).where(rooms.c.key == room.key).values(title="lost"))
        connection.exec_driver_sql(f"SET LOCAL {setting} = '50ms'")  # saves the wait for the regular timeout
        locked.set()
        await_only(resumed.wait())

    transaction = asyncio.create_task(paused.run(lock_room))
    await locked.wait()
    assert (await nodes[1].journal.append(build_message(room=room))).entry.seq == 2
    resumed.set()
    await asyncio.wait({transaction})
    assert transaction.exception() is not None
    await paused.close()
    snapshot = await nodes[0].reader.read_join_snapshot(room.key, since=None, limit=1)
    assert snapshot.room is not None
    assert snapshot.room.title == ""


async def test_a_cancelled_transaction_is_rolled_back_and_frees_its_connection(
    postgresql: PostgreSQLServer, nodes: list[Database]
) -> None:
    (room,) = fresh_rooms(1)
    await nodes[0].journal.append(build_message(room=room))
    executor = open_executor(postgresql, "READ COMMITTED")
    has_updated = asyncio.Event()

    def set_name_and_wait(connection: Connection) -> None:
        connection.execute(update(rooms).where(rooms.c.key == room.key).values(name="cancelled"))
        has_updated.set()
        connection.exec_driver_sql("SELECT pg_sleep(30)")

    async with asyncio.TaskGroup() as tasks:
        cancelled = tasks.create_task(executor.run(set_name_and_wait))
        await has_updated.wait()
        cancelled.cancel()
    assert cancelled.cancelled()
    query = select(rooms.c.name).where(rooms.c.key == room.key)
    assert await executor.run(lambda connection: connection.execute(query).scalar_one()) == room.name
    await executor.close()
