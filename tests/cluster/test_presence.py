"""Members of all nodes: unique nicknames, member lists, presence and notices."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, update

from server.app import RunningServer
from server.cluster import log_follower, node_registry, presence_sync
from server.cluster.bus import Bus
from server.cluster.presence_sync import PresenceSync
from server.storage.database import open_database
from server.storage.node_repository import NodeLoad, NodeRepository
from server.storage.node_tables import nodes as node_table, present_members
from server.storage.postgresql import AsyncExecutor, parse_postgresql_url
from server.storage.presence_repository import MemberWrite, PresenceRepository, encode_member
from tests.cluster.conftest import StartNode
from tests.support.in_process_server import running_server
from tests.support.persons import connect_person
from tests.support.postgresql import PostgreSQLServer
from tests.support.raw_client import RawClient, raw_client
from tests.support.redis import redis_server
from tui_chat.protocol import limits
from tui_chat.protocol.events import Member

pytestmark = pytest.mark.needs_postgresql


async def list_nicks(client: RawClient, room: str) -> list[str]:
    """Return the nicknames of all members of a room in alphabetical order."""
    response = await client.request("listMembers", {"room": room})
    assert response["memberCount"] == len(response["members"])
    return sorted(member["nickName"] for member in response["members"])


async def wait_for_nicks(client: RawClient, room: str, *nicks: str) -> None:
    """Wait until the members of a room have these nicknames; discard the presence pushes until then."""
    while await list_nicks(client, room) != sorted(nicks):
        await client.wait_for_push("presence")


@pytest.fixture
async def clients(nodes: list[RunningServer]) -> AsyncGenerator[list[RawClient]]:
    """Two clients of each node, those of the first node first."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(raw_client(node.url)) for node in nodes for _ in range(2)]


async def test_members_of_all_nodes_have_unique_nicknames_and_equal_lists(
    clients: list[RawClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = uuid4().hex
    answers = await asyncio.gather(*(client.join(room, "ann") for client in clients))
    assert sorted(answer["nickName"] for answer in answers) == ["ann", "ann2", "ann3", "ann4"]
    for client in clients:
        await wait_for_nicks(client, room, "ann", "ann2", "ann3", "ann4")
    changed = await asyncio.gather(
        *(clients[index].request("changeNick", {"room": room, "nickName": "Ben"}) for index in (0, 2))
    )
    assert sorted(answer["nickName"] for answer in changed) == ["Ben", "Ben2"]
    remaining = [answers[index]["nickName"] for index in (1, 3)]
    for client in clients:
        await wait_for_nicks(client, room, "Ben", "Ben2", *remaining)
    assert len({answer["room"]["logId"] for answer in answers}) == 1  # of a room without entries
    monkeypatch.setattr(limits, "MEMBER_PAGE", 3)
    for client in clients:
        answer = await client.request("observe", {"room": room})
        assert (len(answer["members"]), answer["memberCount"]) == (3, 4)


async def test_presence_notices_and_status_reach_the_readers_of_other_nodes(clients: list[RawClient]) -> None:
    room, (ann, _, ben, cat) = uuid4().hex, clients
    await ann.join(room, "ann")
    joined = await ben.join(room, "ben")
    assert [member["nickName"] for member in joined["members"]] == ["ben", "ann"]
    assert (await ann.wait_for_push("message", kind="join"))["nickName"] == "ann"
    assert (await ann.wait_for_push("message", kind="join"))["nickName"] == "ben"
    presence = await ann.wait_for_push("presence")
    while "ben" not in [member["nickName"] for member in presence["joined"]]:
        presence = await ann.wait_for_push("presence")
    assert presence["memberCount"] == 2
    assert (await ben.request("typing", {"room": room, "on": True}))["ok"]
    assert await ann.wait_for_push("typing") == {"room": room, "memberId": joined["memberId"], "on": True}
    assert (await ben.request("setStatus", {"away": True, "text": "lunch"}))["ok"]
    while [member.get("away") for member in presence["joined"]] != ["lunch"]:
        presence = await ann.wait_for_push("presence")
    assert (await ben.request("changeNick", {"room": room, "nickName": "dan"}))["ok"]
    renamed = await ann.wait_for_push("message", kind="nick")
    assert (renamed["oldNickName"], renamed["nickName"]) == ("ben", "dan")
    await cat.request("observe", {"room": room})
    counts = {summary["name"]: summary["members"] for summary in (await cat.request("listRooms", {}))["rooms"]}
    assert counts[room] == 2
    assert (await ben.request("leaveRoom", {"room": room}))["ok"]
    assert (await ann.wait_for_push("message", kind="leave"))["nickName"] == "dan"
    await wait_for_nicks(ann, room, "ann")


async def test_a_member_of_two_nodes_is_present_until_its_last_connection_has_left(clients: list[RawClient]) -> None:
    room, (ann, _, ben, phone) = uuid4().hex, clients
    joined = await ann.join(room, "ann")
    await ben.join(room, "ben")
    again = await phone.join(room, "ann", guestKey=joined["guestKey"])
    assert (again["memberId"], again["nickName"], again["memberCount"]) == (joined["memberId"], "ann", 2)
    assert (await phone.request("changeNick", {"room": room, "nickName": "Ann"}))["ok"]
    assert (await ann.wait_for_push("message", kind="nick"))["nickName"] == "Ann"
    assert (await ann.request("leaveRoom", {"room": room}))["ok"]
    assert (await ann.request("observe", {"room": room}))["memberCount"] == 2
    await wait_for_nicks(ben, room, "Ann", "ben")
    assert (await phone.request("leaveRoom", {"room": room}))["ok"]
    assert (await ben.wait_for_push("message", kind="leave"))["memberId"] == joined["memberId"]
    await wait_for_nicks(ann, room, "ben")


async def test_rooms_with_members_on_another_node_are_listed_with_their_number(nodes: list[RunningServer]) -> None:
    room = uuid4().hex
    async with raw_client(nodes[0].url) as ann, raw_client(nodes[1].url) as ben:
        await ann.join(room, "ann")
        assert (await ann.request("sendMessage", {"room": room, "message": "hi"}))["ok"]
        (summary,) = (await ben.request("listRooms", {"query": room}))["rooms"]
        assert (summary["name"], summary["members"]) == (room, 1)


async def test_members_stay_after_the_rename_of_their_room_and_leave_after_its_deletion(
    start_node: StartNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_followed, is_delayed = PresenceSync._update_followed, False  # pyright: ignore[reportPrivateUsage]

    async def update_unless_delayed(sync: PresenceSync) -> None:
        if not is_delayed:
            await update_followed(sync)

    monkeypatch.setattr(PresenceSync, "_update_followed", update_unless_delayed)
    monkeypatch.setattr(presence_sync, "POLL_INTERVAL", 600.0)
    monkeypatch.setattr(log_follower, "POLL_INTERVAL", 0.2)
    room, new_name, short_name, last_name = (uuid4().hex for _ in range(4))
    async with (
        start_node() as first,
        start_node() as second,
        connect_person(first, f"own{room[:6]}", "account") as owner,
        connect_person(second, "guest") as guest,
        raw_client(second.url) as cat,
    ):
        assert (await owner.client.request("createRoom", {"roomName": room, "visibility": "public"}))["ok"]
        assert await owner.join(room) == ""
        assert await guest.join(room) == ""
        assert await owner.attempt("updateRoom", room=room, roomName=new_name) == ""
        await guest.client.wait_for_push("roomRenamed")
        await cat.join(new_name, "cat")
        await wait_for_nicks(owner.client, new_name, owner.name, "guest", "cat")
        await wait_for_nicks(cat, new_name, owner.name, "guest", "cat")
        assert not [push for push in owner.client.pushes if '"kind":"leave"' in push]
        assert await owner.attempt("deleteRoom", room=new_name) == ""
        await guest.client.wait_for_push("roomRemoved")
        assert await guest.join(new_name) == ""
        await wait_for_nicks(guest.client, new_name, "guest")
        assert (await owner.client.request("createRoom", {"roomName": short_name, "visibility": "public"}))["ok"]
        for person in (owner, guest):
            assert await person.join(short_name) == ""
        is_delayed = True
        assert await owner.attempt("updateRoom", room=short_name, roomName=last_name) == ""
        assert await owner.attempt("deleteRoom", room=last_name) == ""
        await guest.client.wait_for_push("roomRemoved", room=last_name)
        is_delayed = False
        for name in (short_name, last_name):
            assert await guest.join(name) == ""
            await wait_for_nicks(guest.client, name, "guest")


@pytest.fixture
async def executor(postgresql: PostgreSQLServer) -> AsyncGenerator[AsyncExecutor]:
    executor = AsyncExecutor(parse_postgresql_url(postgresql.url), pool_size=1)
    yield executor
    await executor.close()


async def test_lost_messages_and_lost_rows_are_repaired(
    start_node: StartNode, executor: AsyncExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = Bus.publish

    def lose(bus: Bus, channel: str, body: bytes) -> None:
        if not channel.startswith("members:"):
            publish(bus, channel, body)

    monkeypatch.setattr(Bus, "publish", lose)
    monkeypatch.setattr(presence_sync, "POLL_INTERVAL", 0.1)
    monkeypatch.setattr(presence_sync, "TICK", 0.05)
    room = uuid4().hex
    async with (
        start_node() as first,
        start_node() as second,
        raw_client(first.url) as ann,
        raw_client(second.url) as ben,
        raw_client(second.url) as cat,
    ):
        await ann.join(room, "ann")
        await ben.join(room, "ben")
        await wait_for_nicks(ann, room, "ann", "ben")
        await executor.run(lambda connection: connection.execute(delete(present_members)))  # as after a crash
        await cat.join(room, "ANN")
        for client in (ann, ben):
            while len(set(map(str.casefold, await list_nicks(client, room)))) < 3:
                await client.wait_for_push("presence")
        assert await list_nicks(ann, room) == await list_nicks(ben, room)


async def test_members_of_a_dead_node_leave_on_all_nodes(
    start_node: StartNode, executor: AsyncExecutor, postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_registry, "HEARTBEAT_INTERVAL", 0.1)
    remove_dead = NodeRepository.remove_dead

    async def remove_old(repository: NodeRepository, _timeout: float) -> list[str]:
        return await remove_dead(repository, 3600.0)  # longer than any delay of the living nodes

    room, member = uuid4().hex, Member(member_id="gDead", nick_name="dan", role="member")
    database = await open_database(postgresql.url, clock=lambda: 0)
    await database.nodes.register("dead", "host:1", NodeLoad(connections=1, lag=0.0))
    write = MemberWrite(room, "gDead", "dan", encode_member(member), is_connected=True)
    assert await PresenceRepository(executor, "dead").write([write]) == [None]
    async with (
        start_node() as first,
        start_node() as second,
        raw_client(first.url) as ann,
        raw_client(second.url) as ben,
    ):
        await ann.join(room, "ann")
        assert (await ben.join(room, "Dan"))["nickName"] == "Dan2"
        await wait_for_nicks(ann, room, "ann", "dan", "Dan2")
        await executor.run(
            lambda connection: connection.execute(
                update(node_table).where(node_table.c.id == "dead").values(heartbeat_at=0)
            )
        )
        monkeypatch.setattr(NodeRepository, "remove_dead", remove_old)
        monkeypatch.setattr(node_registry, "DEAD_AFTER", 0.0)  # a node removes others at its next heartbeat
        for client in (ann, ben):
            assert (await client.wait_for_push("message", kind="leave"))["memberId"] == "gDead"
            await wait_for_nicks(client, room, "ann", "Dan2")
    await database.close()


@pytest.mark.needs_redis
async def test_members_who_join_during_an_outage_of_redis_are_present_afterwards(
    postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    room = uuid4().hex
    with redis_server() as redis:
        settings = {"database": postgresql.url, "bus": redis.url}
        async with (
            running_server(tmp_path, **settings) as first,
            running_server(tmp_path, **settings) as second,
            raw_client(first.url) as ann,
            raw_client(second.url) as ben,
            raw_client(second.url) as cat,
        ):
            await ann.join(room, "ann")
            await cat.join(room, "cat")
            redis.stop()
            assert (await ben.join(room, "ann"))["nickName"] == "ann2"
            assert (await cat.request("leaveRoom", {"room": room}))["ok"]
            redis.start()
            for client in (ann, ben):
                await wait_for_nicks(client, room, "ann", "ann2")
