"""Model test of presence: lost and reordered messages, failed writes, a crash of the database, a dead node."""

import asyncio
from collections.abc import Collection, Sequence
from itertools import chain
from random import Random
from typing import Any, cast

import pytest
from msgspec import json

from server.cluster import presence_sync
from server.cluster.bus import Bus
from server.cluster.presence_sync import PresenceSync
from server.domain.live_room import JoinResult, LeaveResult, LiveRoom, Participant
from server.domain.room_registry import RoomRegistry
from server.storage.presence_repository import (
    MemberWrite,
    PresenceRepository,
    PresentMember,
    digest_members,
    encode_member,
)
from tests.cluster.test_lossy_bus import LossyBus
from tests.support.wait import wait_until
from tui_chat.protocol.errors import NotJoined, Unavailable
from tui_chat.protocol.events import Member

ROOM = "tea"
NICKS = ("ann", "ben", "cat")
STEPS = 80
FAILURE_PROBABILITY = 0.05


class SharedRows:
    """Rows of present members in memory.

    Attributes:
        rows: Canonical key of the nickname and JSON text of the member, by member id and node id.
        nodes: Ids of the registered nodes.
    """

    def __init__(self, random: Random, failure_probability: float = FAILURE_PROBABILITY) -> None:
        self.rows: dict[tuple[str, str], tuple[str, str]] = {}
        self.nodes: set[str] = set()
        self._random = random
        self._failure_probability = failure_probability

    async def access(self) -> None:
        await asyncio.sleep(self._random.choice((0, 0, 0.002)))
        if self._random.random() < self._failure_probability:
            raise Unavailable("storage_unwritable")


class NodeRows:
    """Methods of `PresenceRepository` for one node; a failed write may have been committed."""

    def __init__(self, shared: SharedRows, node_id: str) -> None:
        self._shared = shared
        self._node_id = node_id

    async def write(self, writes: Sequence[MemberWrite]) -> list[PresentMember | None]:
        await self._shared.access()
        result = [self._write(write) for write in writes]
        await self._shared.access()
        return result

    def _write(self, write: MemberWrite) -> PresentMember | None:
        rows = self._shared.rows
        if write.member is None:
            rows.pop((write.member_id, self._node_id), None)
            return None
        for (member_id, node_id), (nick_key, text) in rows.items():
            if nick_key == write.nick_key and member_id != write.member_id:
                return PresentMember(json.decode(text, type=Member), node_id)
        for key in [key for key in rows if key[0] == write.member_id]:
            rows[key] = write.nick_key, write.member
        if write.is_connected:
            rows[write.member_id, self._node_id] = write.nick_key, write.member
        return None

    async def read_members(self, _room_key: str) -> list[PresentMember]:
        rows = [
            PresentMember(json.decode(text, type=Member), node_id)
            for (_, node_id), (_, text) in self._shared.rows.items()
        ]
        await self._shared.access()
        return rows

    async def read_digests(self, _room_keys: Collection[str]) -> dict[str, int]:
        rows = [(node_id, text) for (_, node_id), (_, text) in self._shared.rows.items()]
        await self._shared.access()
        return {ROOM: digest_members(rows)} if rows else {}

    async def list_node_rooms(self) -> list[str]:
        await self._shared.access()
        return [ROOM] if any(node_id == self._node_id for _, node_id in self._shared.rows) else []

    async def remove_unregistered(self) -> list[str]:
        await self._shared.access()
        departed = {node_id for _, node_id in self._shared.rows} - self._shared.nodes
        for key in [key for key in self._shared.rows if key[1] in departed]:
            del self._shared.rows[key]
        return sorted(departed)

    async def rename_room(self, _old_key: str, _new_key: str) -> None:
        await self._shared.access()

    async def share_log_id(self, _room_key: str, log_id: str) -> str:
        await self._shared.access()
        return log_id

    async def remove_node(self) -> None:
        for key in [key for key in self._shared.rows if key[1] == self._node_id]:
            del self._shared.rows[key]


class Node:
    """Node with members in one room, and the member list of its clients; implements `PresenceOutput`.

    Attributes:
        registry: Rooms of the node.
        sync: Synchronization of the members.
        shown: Nicknames by member id, as clients have them after all presence pushes.
        connections: Connections with their member ids.
    """

    def __init__(self, shared: SharedRows, bus: LossyBus, node_id: str) -> None:
        shared.nodes.add(node_id)
        self.registry = RoomRegistry[str]()
        self.shown: dict[str, str] = {}
        self.connections: dict[str, str] = {}
        self._shown_room: LiveRoom[str] | None = None
        self.sync = PresenceSync(
            cast("Bus", bus),
            cast("PresenceRepository", NodeRows(shared, node_id)),
            node_id=node_id,
            registry=self.registry,
            output=self,
        )

    def on_join(self, join_result: JoinResult[Any]) -> None:
        self.on_status_change(join_result.room, join_result.participant)

    def send_join_notice(self, room: LiveRoom[Any], participant: Participant[Any], joiner: None) -> None:
        participant.announced = True

    def on_leave(self, leave_result: LeaveResult[Any]) -> None:
        member_id = leave_result.participant.member.member_id
        if leave_result.is_last:
            self.shown.pop(member_id, None)
        self.sync.record_change(ROOM, member_id)

    def on_status_change(self, room: LiveRoom[Any], participant: Participant[Any]) -> None:
        member = participant.member
        self.shown[member.member_id] = member.nick_name
        self.sync.record_change(room.key, member.member_id)

    def send_typing(self, room: LiveRoom[Any], member_id: str, on: bool, sender: None) -> None:
        pytest.fail(f"{member_id} typing")

    def list_nicks(self) -> dict[str, str]:
        """Return the nicknames of all members by member id."""
        room = self.registry.rooms.get(ROOM)
        participants = {} if room is None else room.participants
        return {member_id: participant.member.nick_name for member_id, participant in participants.items()}

    async def join(self, connection: str, member_id: str, nick: str) -> None:
        """Join in the steps of `RoomEntry.join`."""
        self.connections[connection] = member_id
        result = self.registry.join(connection, ROOM, member_id, nick)
        try:
            await self.sync.follow(ROOM)
            await self.sync.claim_nick(ROOM, member_id, nick)
            self.registry.require_membership(connection, ROOM)
        except (Unavailable, NotJoined):
            self.leave(connection)
            if result.participant.connections or result.participant.nodes:
                self.on_status_change(result.room, result.participant)
            return
        self.on_join(result)
        await asyncio.sleep(0.002)  # read of the log
        result.participant.announced = True
        if self._shown_room is not result.room:  # the response of the first reader has all members
            self._shown_room = result.room
            self.shown = self.list_nicks()

    def leave(self, connection: str) -> None:
        if self.connections.pop(connection, None) is not None:
            self.on_leave(self.registry.leave(connection, ROOM))

    def rename(self, connection: str, nick: str) -> None:
        room, participant = self.registry.require_membership(connection, ROOM)
        if self.registry.change_nick(room, participant, nick) is not None:
            self.on_status_change(room, participant)


def has_converged(nodes: Sequence[Node]) -> bool:
    """Return whether all nodes have the members of all nodes, with equal and unique nicknames."""
    members = {member_id for node in nodes for member_id in node.connections.values()}
    lists = [node.list_nicks() for node in nodes if node.connections]
    return all(nicks == lists[0] and nicks.keys() == members for nicks in lists) and all(
        len(set(nicks.values())) == len(nicks) for nicks in lists
    )


@pytest.mark.parametrize("seed", range(8))
async def test_all_nodes_agree_on_members_and_unique_nicknames(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"POLL_INTERVAL": 0.05, "DEGRADED_POLL_INTERVAL": 0.05, "TICK": 0.01}.items():
        monkeypatch.setattr(presence_sync, name, seconds)
    random = Random(seed)
    shared, buses = SharedRows(random), list[LossyBus]()
    nodes = [Node(shared, LossyBus(buses, random), f"node{number}") for number in range(3)]
    running = {node: asyncio.create_task(node.sync.run()) for node in nodes}
    joins: dict[Node, list[asyncio.Task[None]]] = {node: [] for node in nodes}
    for number in range(STEPS):
        node = random.choice(nodes)
        joined = [connection for connection in node.connections if node.registry.get_joined_rooms(connection)]
        match random.choice(("join", "join", "leave", "rename", "device")):
            case "join":
                joins[node].append(asyncio.create_task(node.join(f"c{number}", f"m{number}", random.choice(NICKS))))
            case "device" if member_ids := [member for other in nodes for member in other.connections.values()]:
                member_id = random.choice(member_ids)
                joins[node].append(asyncio.create_task(node.join(f"c{number}", member_id, random.choice(NICKS))))
            case "leave" if joined:
                node.leave(random.choice(joined))
            case "rename" if joined:
                node.rename(random.choice(joined), random.choice(NICKS))
            case _:
                pass
        if number == STEPS // 2:
            shared.rows.clear()  # a crash of PostgreSQL
        if number == STEPS * 3 // 4:
            dead = nodes.pop()
            for task in (running[dead], *joins.pop(dead)):
                task.cancel()
            shared.nodes.discard("node2")
            buses.pop().receivers.clear()
        await asyncio.sleep(random.choice((0, 0, 0.003)))
    await asyncio.gather(*chain.from_iterable(joins.values()))
    await wait_until(
        lambda: has_converged(nodes) and all(node.shown == node.list_nicks() for node in nodes if node.connections)
    )
    for task in running.values():
        task.cancel()
    await asyncio.wait(running.values())
    for node in nodes:
        await node.sync.close()


async def test_members_of_a_node_that_exchange_their_nicknames_get_different_ones() -> None:
    shared = SharedRows(Random(0), failure_probability=0)
    node = Node(shared, LossyBus([], Random(0)), "node0")
    running = asyncio.create_task(node.sync.run())
    await node.join("cann", "mann", "ann")
    await node.join("cben", "mben", "ben")
    node.rename("cann", "cat")
    node.rename("cben", "ann")
    node.rename("cann", "ben")  # each requests the stored nickname of the other
    await wait_until(
        lambda: {member_id: nick for (member_id, _), (nick, _) in shared.rows.items()} == node.list_nicks()
    )
    assert has_converged([node])
    assert node.shown == node.list_nicks()
    running.cancel()
    await asyncio.wait({running})
    await node.sync.close()


async def test_a_read_of_the_former_key_does_not_change_a_renamed_room(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = SharedRows(Random(0), failure_probability=0)
    shared.nodes.add("node1")
    node = Node(shared, LossyBus([], Random(0)), "node0")
    read_members, list_node_rooms = NodeRows.read_members, NodeRows.list_node_rooms
    has_started, may_finish, has_finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def read_slowly(rows: NodeRows, room_key: str) -> list[PresentMember]:
        if not has_joined or room_key != ROOM:
            return await read_members(rows, room_key)
        has_started.set()
        await may_finish.wait()
        return []  # all rows have the new key

    async def record_end(rows: NodeRows) -> list[str]:
        if has_started.is_set():
            has_finished.set()
        return await list_node_rooms(rows)

    monkeypatch.setattr(NodeRows, "read_members", read_slowly)
    monkeypatch.setattr(NodeRows, "list_node_rooms", record_end)
    has_joined = False
    running = asyncio.create_task(node.sync.run())
    await node.join("cann", "mann", "ann")
    has_joined = True
    ben = Member(member_id="mben", nick_name="ben", role="member")
    shared.rows["mben", "node1"] = "ben", encode_member(ben)
    node.sync.on_nodes_dead([])
    await has_started.wait()
    room = node.registry.rooms[ROOM]
    node.registry.rename(room, "coffee")
    await node.sync.follow("coffee")
    assert room.participants.keys() == {"mann", "mben"}
    may_finish.set()
    await has_finished.wait()
    assert room.participants.keys() == {"mann", "mben"}
    running.cancel()
    await asyncio.wait({running})
    await node.sync.close()
