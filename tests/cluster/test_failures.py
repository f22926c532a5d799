"""Failures of the bus, lost messages, and dead, draining and wrongly configured nodes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from sqlalchemy import make_url, update

from server import cluster_setup
from server.app import RunningServer, serve
from server.cluster import job_lock, log_follower, node_registry
from server.cluster.bus import Bus
from server.cluster.job_lock import JobLock
from server.cluster.node_registry import NodeRegistry
from server.listener import StartupError
from server.settings import ServerSettings
from server.storage.database import Database, open_database
from server.storage.job_permit import JobPermit
from server.storage.node_repository import NodeLoad
from server.storage.node_tables import nodes as node_table
from server.storage.postgresql import AsyncExecutor
from tests.cluster.conftest import StartNode
from tests.support.in_process_server import running_server
from tests.support.persons import connect_person
from tests.support.postgresql import PostgreSQLServer
from tests.support.raw_client import RawClient, raw_client
from tests.support.redis import redis_server
from tests.support.server_process import run_server
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.protocol.errors import Unavailable

pytestmark = pytest.mark.needs_postgresql


@pytest.fixture
def bus() -> str:
    return "postgres"


@pytest.fixture
async def database(postgresql: PostgreSQLServer) -> AsyncGenerator[Database]:
    """Database without registered nodes; those killed by other tests are removed."""
    database = await open_database(postgresql.url, clock=lambda: 0)
    for killed in await database.nodes.list_nodes():
        await database.nodes.remove(killed.id)
    yield database
    await database.close()


async def read_status(node: RunningServer) -> dict[str, Any]:
    """Return the response of a node to `/ready`, which has status 200."""
    async with aiohttp.ClientSession() as session, session.get(node.url + "/ready") as response:
        assert response.status == 200
        return await response.json()


async def wait_for_status(node: RunningServer, status: str) -> dict[str, Any]:
    """Request `/ready` until the response has this status, and return the response."""
    while (answer := await read_status(node))["status"] != status:
        pass
    return answer


async def send(client: RawClient, room: str, text: str) -> None:
    """Send a message and wait for its acknowledgement."""
    assert (await client.request("sendMessage", {"room": room, "message": text}))["ok"]


@pytest.mark.needs_redis
async def test_messages_arrive_during_and_after_an_outage_of_redis(
    postgresql: PostgreSQLServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    room = uuid4().hex
    with redis_server() as redis:
        settings = {"database": postgresql.url, "bus": redis.url}
        async with (
            running_server(tmp_path, **settings) as first,
            running_server(tmp_path, **settings) as second,
            raw_client(first.url) as ann,
            raw_client(second.url) as ben,
        ):
            await ann.join(room, "ann")
            await ben.join(room, "ben")
            for node in (first, second):
                await wait_for_status(node, "ready")
            redis.stop()
            for node in (first, second):
                assert "message bus" in (await wait_for_status(node, "degraded"))["detail"]
            await send(ann, room, "during the outage")
            await ben.wait_for_push("message", message="during the outage")
            redis.start()
            for node in (first, second):
                await wait_for_status(node, "ready")
            await send(ann, room, "after the outage")
            await ben.wait_for_push("message", message="after the outage")
    bus_records = [record.levelname for record in caplog.records if "message bus" in record.getMessage()]
    assert sorted(bus_records) == ["ERROR"] * 2 + ["WARNING"] * 2


async def test_a_lost_postgresql_connection_of_the_bus_is_replaced(
    nodes: list[RunningServer], postgresql: PostgreSQLServer
) -> None:
    room = uuid4().hex
    async with raw_client(nodes[0].url) as ann, raw_client(nodes[1].url) as ben:
        await ann.join(room, "ann")
        await ben.join(room, "ben")
        executor = AsyncExecutor(make_url(postgresql.url).set(drivername="postgresql+asyncpg"), pool_size=1)
        await executor.run(
            lambda connection: connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE '%pg_notify%' AND pid <> pg_backend_pid() AND datname = current_database()"
            )
        )
        await executor.close()
        for number in range(3):
            await send(ann, room, str(number))
            await ben.wait_for_push("message", message=str(number))
        for node in nodes:
            await wait_for_status(node, "ready")


@pytest.mark.parametrize("lost_channels", [("room:",), ("room:", "positions")])
async def test_lost_messages_are_read_from_the_database(
    start_node: StartNode, monkeypatch: pytest.MonkeyPatch, lost_channels: tuple[str, ...]
) -> None:
    publish = Bus.publish

    def lose(bus: Bus, channel: str, body: bytes) -> None:
        if not channel.startswith(lost_channels):
            publish(bus, channel, body)

    monkeypatch.setattr(Bus, "publish", lose)
    monkeypatch.setattr(log_follower, "DIGEST_INTERVAL", 0.2)
    monkeypatch.setattr(log_follower, "POLL_INTERVAL", 0.2 if "positions" in lost_channels else 3600.0)
    room = uuid4().hex
    async with (
        start_node() as first,
        start_node() as second,
        raw_client(first.url) as ann,
        raw_client(second.url) as ben,
    ):
        await ann.join(room, "ann")
        await ben.join(room, "ben")
        for number in range(3):
            await send(ann, room, str(number))
        for number in range(3):
            await ben.wait_for_push("message", message=str(number))
        metrics = second.read_metrics().cluster
        assert metrics is not None
        assert metrics.gap_reads
        await send(ben, room, "own")
        await ben.wait_for_push("message", message="own")


async def test_a_renamed_room_replaces_one_without_entries_stays_followed_and_closes_after_its_deletion(
    start_node: StartNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_follower, "POLL_INTERVAL", 0.2)
    room, new_name = uuid4().hex, uuid4().hex
    async with (
        start_node() as first,
        start_node() as second,
        connect_person(first, f"own{room[:6]}", "account") as owner,
        connect_person(second, "guest") as guest,
    ):
        assert (await owner.client.request("createRoom", {"roomName": room, "visibility": "public"}))["ok"]
        assert await guest.join(room) == ""
        assert await guest.join(new_name) == ""
        assert await owner.attempt("updateRoom", room=room, roomName=new_name) == ""
        assert await guest.client.wait_for_push("roomRemoved") == {"room": new_name}
        assert (await guest.client.wait_for_push("roomRenamed"))["newName"] == new_name
        await owner.send("after the rename", room=new_name)
        assert (await guest.client.wait_for_push("message", message="after the rename"))["room"] == new_name
        await guest.send("answer", room=new_name)
        assert await owner.attempt("deleteRoom", room=new_name) == ""
        assert await guest.client.wait_for_push("roomRemoved") == {"room": new_name}
        assert await guest.attempt("sendMessage", room=new_name, message="late") == "room_not_joined"


def create_registry(
    database: Database, *, on_fenced: Callable[[], None] = lambda: pytest.fail("fenced")
) -> NodeRegistry:
    return NodeRegistry(
        database.nodes,
        "host:1",
        now=lambda: 0,
        read_load=lambda: NodeLoad(connections=0, lag=0.0),
        on_fenced=on_fenced,
        on_drain=lambda: pytest.fail("drained"),
    )


async def test_a_removed_node_closes_its_connections_and_registers_again(
    start_node: StartNode, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_registry, "HEARTBEAT_INTERVAL", 0.05)
    async with start_node() as node:
        async with raw_client(node.url) as client:
            while not (registered := await database.nodes.list_nodes()):
                pass
            await database.nodes.remove(registered[0].id)
            await client.wait_closed()
        while [record.id for record in await database.nodes.list_nodes()] != [registered[0].id]:
            pass
        async with raw_client(node.url) as client:
            await client.join(uuid4().hex, "ann")
    assert await database.nodes.list_nodes() == []


async def test_a_registration_with_a_lost_response_is_continued(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = database.nodes.register

    async def lose_response(node_id: str, label: str, load: NodeLoad) -> bool:
        await register(node_id, label, load)
        raise Unavailable("storage_unwritable")

    fences: list[str] = []
    registry = create_registry(database, on_fenced=lambda: fences.append(registry.node_id))
    await registry.register()
    await database.nodes.remove(registry.node_id)
    monkeypatch.setattr(database.nodes, "register", lose_response)
    with pytest.raises(Unavailable):
        await registry.beat()
    await registry.beat()
    assert fences == [registry.node_id]
    assert registry.node_id in [record.id for record in await database.nodes.list_nodes()]
    await registry.close()
    assert registry.node_id not in [record.id for record in await database.nodes.list_nodes()]


async def test_a_node_with_the_id_of_another_one_draws_a_new_id(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [uuid4().hex, uuid4().hex]
    drawn = iter([ids[0], *ids])
    monkeypatch.setattr(node_registry, "generate_node_id", drawn.__next__)
    registries = [create_registry(database) for _ in ids]
    for registry in registries:
        await registry.register()
    assert [registry.node_id for registry in registries] == ids
    assert set(ids) <= {record.id for record in await database.nodes.list_nodes()}
    for registry in registries:
        await registry.close()


async def test_a_node_without_heartbeats_is_removed(
    start_node: StartNode, database: Database, postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_registry, "HEARTBEAT_INTERVAL", 0.05)
    await database.nodes.register("dead", "host:1", NodeLoad(connections=2, lag=0.5))
    (record,) = await database.nodes.list_nodes()
    assert (record.label, record.load) == ("host:1", NodeLoad(connections=2, lag=0.5))
    executor = AsyncExecutor(make_url(postgresql.url).set(drivername="postgresql+asyncpg"), pool_size=1)
    await executor.run(lambda connection: connection.execute(update(node_table).values(heartbeat_at=0)))
    await executor.close()
    monkeypatch.setattr(node_registry, "DEAD_AFTER", 0.3)
    async with start_node():
        while "dead" in [record.id for record in await database.nodes.list_nodes()]:
            pass
        assert len(await database.nodes.list_nodes()) == 1


async def test_a_wrong_clock_is_reported_and_does_not_reverse_the_times_of_a_room(
    postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    room = uuid4().hex
    settings = ServerSettings(port=0, database=postgresql.url, uploads=str(tmp_path))
    async with AsyncExitStack() as stack:
        late = await stack.enter_async_context(serve(settings))
        early = await stack.enter_async_context(serve(settings, now=lambda: time.time_ns() // 10**6 + 600_000))
        answer = await wait_for_status(early, "degraded")
        while "clock" not in answer["detail"]:
            answer = await wait_for_status(early, "degraded")
        metrics = early.read_metrics().cluster
        assert metrics is not None
        assert 500 < metrics.clock_skew <= 600
        ann = await stack.enter_async_context(raw_client(early.url))
        ben = await stack.enter_async_context(raw_client(late.url))
        await ann.join(room, "ann")
        await ben.join(room, "ben")
        await send(ann, room, "early")
        await send(ben, room, "late")
        first, second = [await ben.wait_for_push("message", message=text) for text in ("early", "late")]
        assert second["ts"] == first["ts"]


@pytest.mark.parametrize("is_alive", [True, False])
async def test_a_directory_of_uploads_is_rejected_beside_a_living_node_of_another_machine(
    start_node: StartNode, database: Database, monkeypatch: pytest.MonkeyPatch, is_alive: bool
) -> None:
    monkeypatch.setattr(node_registry, "HEARTBEAT_INTERVAL", 2.0 if is_alive else 0.1)
    load = NodeLoad(connections=0, lag=0.0)
    await database.nodes.register("remote", "elsewhere:3000", load)

    async def send_heartbeats() -> None:
        while is_alive:
            await database.nodes.beat("remote", load)
            await asyncio.sleep(0.05)

    heartbeats = asyncio.create_task(send_heartbeats())
    expectation = (
        pytest.raises(StartupError, match="elsewhere:3000 cannot read files in a directory of this machine")
        if is_alive
        else nullcontext()
    )
    with expectation:
        async with start_node():
            pass
    heartbeats.cancel()
    await asyncio.wait({heartbeats})
    await database.nodes.remove("remote")


async def test_a_draining_node_moves_its_clients_one_after_the_other(
    start_node: StartNode,
    database: Database,
    postgresql: PostgreSQLServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(node_registry, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr(cluster_setup, "DRAIN_DELAY", 0.0)
    monkeypatch.setattr(cluster_setup, "MOVE_DURATION", 0.1)
    async with (
        start_node() as node,
        raw_client(node.url) as ann,
        raw_client(node.url) as ben,
        aiohttp.ClientSession(node.url) as session,
    ):
        room = uuid4().hex
        await ann.join(room, "ann")
        await send(ann, room, "stored")
        stream = await session.get(f"/api/rooms/{room}/events")
        while not (registered := await database.nodes.list_nodes()):
            pass
        command = ("drain", registered[0].id, "--database", postgresql.url)
        code, output, errors = await run_server(tmp_path / "operator", *command)
        assert (code, errors) == (0, "")
        assert output.startswith(f"{registered[0].id} moves its clients")
        for client in (ann, ben):
            assert await client.wait_for_push("goingAway") == {"reconnectAfter": 0.0}
            await client.wait_closed()
        assert (await stream.text()).endswith("retry: 1000\n\n")
        async with session.get("/ready") as response:
            assert response.status == 503
        for path in ("/socket.io/?EIO=4&transport=polling", f"/api/rooms/{room}/events"):
            async with session.get(path) as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert [record.is_draining for record in await database.nodes.list_nodes()] == [True]


async def test_one_node_runs_the_background_jobs_and_another_one_follows(
    postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_lock, "CHECK_INTERVAL", 0.05)
    permits = [JobPermit(), JobPermit()]
    tasks = [asyncio.create_task(JobLock(postgresql.url, permit).run()) for permit in permits]
    await wait_until(lambda: any(permit.is_granted for permit in permits))
    assert sum(permit.is_granted for permit in permits) == 1
    owner = next(number for number, permit in enumerate(permits) if permit.is_granted)
    tasks[owner].cancel()
    await asyncio.wait_for(permits[1 - owner].wait(), TIMEOUT)
    assert not permits[owner].is_granted
    tasks[1 - owner].cancel()
    await asyncio.wait(tasks)
