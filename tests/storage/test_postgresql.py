"""The same journal and queries on PostgreSQL, and what only several nodes can do to each other."""

import asyncio
from collections.abc import AsyncIterator, Generator
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from server.storage import schema
from server.storage.batch_writer import AppendResult
from server.storage.database import Database, open_database
from server.storage.errors import StorageError
from server.storage.postgresql import open_executor
from tests.support.postgresql import PostgreSQLServer, postgresql_server
from tests.support.storage import (
    BEN,
    ManualClock,
    RoomRef,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
)
from tui_chat.protocol.errors import ChatError, Conflict, InternalError, NotFound, Unavailable
from tui_chat.protocol.events import Message


@pytest.fixture(scope="module")
def server() -> Generator[PostgreSQLServer]:
    with postgresql_server() as server:
        yield server


@pytest.fixture
async def nodes(server: PostgreSQLServer, clock: ManualClock) -> AsyncIterator[list[Database]]:
    nodes = await asyncio.gather(*(open_database(server.url, clock=clock) for _ in range(3)))
    yield nodes
    for node in nodes:
        await node.close()


def fresh_room() -> RoomRef:
    key = uuid4().hex
    return RoomRef(key=key, name=key)


async def test_the_log_is_the_same_as_on_sqlite(nodes: list[Database]) -> None:
    room = fresh_room()
    database, other, _ = nodes
    client_id = uuid4()
    drafts = [
        build_message("one", room=room, client_id=client_id),
        build_message("two", room=room, author=BEN, reply_to=1),
        build_message("again", room=room, client_id=client_id),
        build_message("mine", room=room, author=BEN, client_id=client_id),
        build_message("lost", room=room, reply_to=77),
        build_edit(1, "uno", room=room),
        build_reaction(1, "🎉", room=room, by=BEN),
        build_reaction(1, "👍", room=room),
        build_reaction(1, "👍", room=room, on=False),
        build_topic("news", room=room),
        build_edit(2, "dos", room=room, author=BEN),
        build_deletion(2, room=room, author=BEN),
        build_edit(2, "tres", room=room, author=BEN),
    ]
    outcomes = await asyncio.gather(*(database.journal.append(draft) for draft in drafts), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, ChatError)] == [Conflict, NotFound, Conflict]
    accepted = [outcome for outcome in outcomes if isinstance(outcome, AppendResult)]
    assert [(answer.entry.seq, answer.duplicate) for answer in accepted[:3]] == [(1, False), (2, False), (1, True)]
    backlog = await other.reader.read_join_snapshot(room.key, since=None, limit=50)
    assert [entry.seq for entry in backlog.entries] == list(range(1, 10))
    first, second = backlog.entries[:2]
    assert isinstance(first, Message)
    assert (first.message, first.edited, first.reactions) == ("uno", 3, {"🎉": ["ben"]})
    assert isinstance(second, Message)
    assert (second.message, second.deleted) == ("", True)
    assert backlog.room is not None
    assert backlog.room.topic == "news"
    assert room.name in [found.name for found in await other.reader.list_rooms(room.name.upper(), 10)]
    page = await other.reader.read_page(room.key, around=5, limit=3)
    assert ([entry.seq for entry in page.messages], page.has_more, page.last_seq) == ([4, 5, 6], True, 9)
    repeated = await other.journal.append(build_message("again", room=room, client_id=client_id))
    assert (repeated.duplicate, repeated.entry.seq) == (True, 1)


async def test_nodes_that_write_at_once_share_one_order(nodes: list[Database]) -> None:
    rooms = [fresh_room() for _ in range(4)]

    async def send(node: Database, room: RoomRef) -> list[int]:
        seqs: list[int] = []
        for _ in range(10):
            seqs.append((await node.journal.append(build_message(room=room))).entry.seq)
        return seqs

    work = [send(node, room) for room in rooms for node in nodes for _ in range(3)]
    for written in await asyncio.gather(*work):
        assert written == sorted(written)
    ids: list[int] = []
    for room in rooms:
        backlog = await nodes[0].reader.read_join_snapshot(room.key, since=None, limit=200)
        assert [entry.seq for entry in backlog.entries] == list(range(1, 91))
        in_room = [entry.id for entry in backlog.entries]
        assert in_room == sorted(in_room)
        ids += in_room
    assert len(set(ids)) == 360


async def test_nodes_that_open_a_room_at_once_leave_no_hole(nodes: list[Database]) -> None:
    for _ in range(20):
        room = fresh_room()
        client_id = uuid4()
        answers = await asyncio.gather(
            *(node.journal.append(build_message(room=room, client_id=client_id)) for node in nodes),
            *(node.journal.append(build_message(room=room)) for node in nodes),
        )
        assert [answer.duplicate for answer in answers].count(True) == 2
        backlog = await nodes[0].reader.read_join_snapshot(room.key, since=None, limit=10)
        assert [entry.seq for entry in backlog.entries] == [1, 2, 3, 4]
    secrets = await asyncio.gather(*(node.load_secret("guest") for node in nodes))
    assert len(set(secrets)) == 1


async def test_nodes_that_find_an_older_database_migrate_it_once(server: PostgreSQLServer, clock: ManualClock) -> None:
    address = make_url(server.url).set(drivername="postgresql+asyncpg")
    executor = open_executor(address, pool_size=1, isolation_level="AUTOCOMMIT")
    await executor.run(lambda first: first.exec_driver_sql("CREATE DATABASE older"))
    await executor.close()
    url = server.url.replace("/postgres?", "/older?")
    executor = open_executor(address.set(database="older"), pool_size=1)
    await executor.run(lambda older: schema.migrate(older, "0001"))
    await executor.close()
    nodes = await asyncio.gather(*(open_database(url, clock=clock) for _ in range(3)))
    room = fresh_room()
    for node in nodes:
        await node.journal.append(build_message("tea", room=room))
    found = await nodes[0].reader.search("tea", room_key=room.key, joined=(), before=None, limit=9)
    assert [message.seq for message in found.messages] == [3, 2, 1]
    for node in nodes:
        await node.close()


async def test_a_draft_that_cannot_be_stored_is_refused_alone(nodes: list[Database]) -> None:
    room = fresh_room()
    texts = ["a", "nul \x00", "b", "surrogate \ud800", "c"]
    outcomes = await asyncio.gather(
        *(nodes[0].journal.append(build_message(text, room=room)) for text in texts), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [
        AppendResult,
        InternalError,
        AppendResult,
        InternalError,
        AppendResult,
    ]


async def test_a_server_that_went_away_is_found_again(
    server: PostgreSQLServer, nodes: list[Database], caplog: pytest.LogCaptureFixture
) -> None:
    room = fresh_room()
    database = nodes[0]
    await database.journal.append(build_message(room=room))
    await database.reader.read_page(room.key, after=0, limit=10)
    await asyncio.to_thread(server.stop)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await database.journal.append(build_message(room=room))
        with pytest.raises(Unavailable):
            await database.reader.read_page(room.key, after=0, limit=10)
    assert database.journal.outage
    assert await database.health_problem() == database.journal.outage
    await asyncio.to_thread(server.start)
    assert (await database.journal.append(build_message(room=room))).entry.seq == 2
    assert len((await database.reader.read_page(room.key, after=0, limit=10)).messages) == 2
    told = [record.name for record in caplog.records if record.name.startswith("server.")]
    assert sorted(told) == ["server.storage.journal"] * 2 + ["server.storage.log_reader"] * 2


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("/postgres?", "/nothing?", "database does not exist"),
        ("chat@", "somebody:password@", "user or password rejected"),
        ("?host=", "?host=/nowhere", "file not found"),
    ],
)
async def test_a_server_that_cannot_be_used_is_refused(
    server: PostgreSQLServer, clock: ManualClock, old: str, new: str, reason: str
) -> None:
    with pytest.raises(StorageError) as refusal:
        await open_database(server.url.replace(old, new), clock=clock)
    assert str(refusal.value).endswith(f": {reason}")
    assert "password@" not in str(refusal.value)


async def test_rooms_are_made_renamed_and_removed_as_on_sqlite(nodes: list[Database]) -> None:
    room = fresh_room()
    database, other, _ = nodes
    made = await database.rooms.create(room.key, room.name, "leaves")
    with pytest.raises(Conflict):
        await other.rooms.create(room.key, room.name, "")
    assert await other.reader.find_room(made.id) == made
    await database.journal.append(build_message("hi", room=room))
    with pytest.raises(Conflict):
        await database.rooms.delete(made.id)
    await database.journal.append(build_deletion(1, room=room))
    taken = await database.rooms.create(uuid4().hex, "taken", "")
    with pytest.raises(Conflict):
        await database.rooms.rename(made.id, taken.key, "taken")
    await database.rooms.delete(made.id)
    assert await other.reader.find_room(made.id) is None
    with pytest.raises(NotFound):
        await database.rooms.delete(made.id)
    appended = await other.journal.append(build_message("back", room=room))
    assert appended.entry.seq == 3
    found = await database.reader.find_room(made.id)
    assert found is not None
    assert (found.last_seq, found.topic, found.visibility) == (3, "", "public")
