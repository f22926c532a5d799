"""Model test of the log follower: a bus that loses, duplicates, delays and reorders messages of several nodes."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import cast

import pytest
from msgspec import structs

from server.cluster import log_follower
from server.cluster.bus import Bus, ReceiveMessage
from server.cluster.log_follower import LogFollower
from server.storage.log_tail_reader import LogPosition, LogTail, LogTailReader
from tests.support.wait import wait_until
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Entry, Message, PolicyChange

ROOMS = ("tea", "coffee", "water")
ENTRIES = 60


class SharedLogs:
    """Logs in memory, with the methods of `LogTailReader`.

    Attributes:
        logs: Entries by room.
        failing_reads: Numbers of the reads that fail, from 1.
    """

    def __init__(self) -> None:
        self.logs: dict[str, list[Entry]] = {room: [] for room in ROOMS}
        self.failing_reads: Collection[int] = ()
        self._read_count = 0

    def append(self, room: str) -> Message:
        seq, entry_id = len(self.logs[room]) + 1, 1 + sum(map(len, self.logs.values()))
        entry = Message(room=room, seq=seq, id=entry_id, nick_name="a", member_id="a", message="", ts=0)
        self.logs[room].append(entry)
        return entry

    async def read(self) -> None:
        await asyncio.sleep(0)
        self._read_count += 1
        if self._read_count in self.failing_reads:
            raise Unavailable("storage_unreadable")

    async def read_positions(self, room_ids: Collection[int], keys: Collection[str]) -> list[LogPosition]:
        await self.read()
        return [self.position(room) for room in {*keys, *(ROOMS[room_id - 1] for room_id in room_ids)}]

    async def read_tail(self, room_id: int, key: str, after: int) -> LogTail | None:
        await self.read()
        return LogTail(self.position(key), 1, self.logs[key][after : after + 3])

    def position(self, room: str) -> LogPosition:
        log = self.logs[room]
        return LogPosition(ROOMS.index(room) + 1, room, room, len(log), log[-1].id if log else 0)


class LossyBus:
    """Bus in memory, with the methods of `Bus` that its users need."""

    def __init__(self, buses: "list[LossyBus]", random: Random) -> None:
        self._buses = buses
        self._random = random
        self.receivers: dict[str, ReceiveMessage] = {}
        self.is_healthy = True
        self.on_connect: list[Callable[[], None]] = []
        buses.append(self)

    def fits(self, body: bytes) -> bool:
        return self._random.random() < 0.9

    def publish(self, channel: str, body: bytes) -> None:
        for bus in self._buses:
            if bus is not self:
                for _ in range(self._random.choice((0, 1, 1, 2))):
                    delay = self._random.choice((0, 0, 0.002, 0.02, 0.06))
                    asyncio.get_running_loop().call_later(delay, bus.receive, channel, body)

    def receive(self, channel: str, body: bytes) -> None:
        if channel in self.receivers:
            self.receivers[channel]("", body)

    async def subscribe(self, channel: str, receive: ReceiveMessage) -> None:
        await asyncio.sleep(0)
        self.receivers[channel] = receive

    async def unsubscribe(self, channel: str) -> None:
        self.receivers.pop(channel, None)

    async def flush(self, timeout: float) -> None: ...


class ReliableBus(LossyBus):
    """Bus in memory that drops messages without a connection only, and delivers all others at once."""

    def publish(self, channel: str, body: bytes) -> None:
        for bus in self._buses:
            if self.is_healthy and bus is not self:
                bus.receive(channel, body)


class Node:
    """Node with a reader per room. Each reader joins with a snapshot of the log.

    Attributes:
        snapshots: Last `seq` of the snapshot by room.
        delivered: Deliveries after the snapshot by room.
        access_loads: Number of successful loads of the permissions.
    """

    def __init__(self, logs: SharedLogs, bus: LossyBus) -> None:
        self._logs = logs
        self.snapshots: dict[str, int] = {}
        self.delivered: dict[str, list[int]] = {room: [] for room in ROOMS}
        self.access_loads = 0

        async def reload_access() -> None:
            await logs.read()
            self.access_loads += 1

        self.follower = LogFollower(
            cast("Bus", bus),
            cast("LogTailReader", logs),
            deliver=self.deliver,
            record_access=lambda _: None,
            reload_access=reload_access,
            on_renamed=lambda key, _name: pytest.fail(f"{key} renamed"),
            on_replaced=lambda key: pytest.fail(f"{key} replaced"),
            get_live_keys=self.snapshots.keys,
        )

    async def join(self, room: str) -> None:
        await self.follower.follow(room)
        self.snapshots[room] = len(self._logs.logs[room])

    def deliver(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.room in self.snapshots:
                self.delivered[entry.room].append(entry.seq)

    def has_reached(self, room: str, seq: int) -> bool:
        return room in self.snapshots and seq in (self.snapshots[room], *self.delivered[room][-1:])


@pytest.mark.parametrize("seed", range(10))
async def test_all_readers_receive_each_entry_once_in_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"GAP_DELAY": 0.01, "POLL_INTERVAL": 0.05, "DIGEST_INTERVAL": 0.03, "TICK": 0.01}.items():
        monkeypatch.setattr(log_follower, name, seconds)
    random, logs = Random(seed), SharedLogs()
    buses: list[LossyBus] = []
    nodes = [Node(logs, LossyBus(buses, random)) for _ in range(3)]
    tasks = [asyncio.create_task(node.follower.run()) for node in nodes]
    joins = [(node, room) for node in nodes for room in ROOMS]
    random.shuffle(joins)
    for number in range(ENTRIES):
        if number % 5 == 0 and joins:
            node, room = joins.pop()
            tasks.append(asyncio.create_task(node.join(room)))
        node = random.choice(nodes)
        node.follower.publish([logs.append(random.choice(ROOMS)) for _ in range(random.randint(1, 3))])
        await asyncio.sleep(random.choice((0, 0, 0.003)))
    lengths = {room: len(log) for room, log in logs.logs.items()}
    await wait_until(lambda: all(node.has_reached(room, seq) for node in nodes for room, seq in lengths.items()))
    for node in nodes:
        for room, seqs in node.delivered.items():
            first = seqs[0] if seqs else lengths[room] + 1
            assert first <= node.snapshots[room] + 1
            assert seqs == list(range(first, first + len(seqs)))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for node in nodes:
        await node.follower.close()


async def test_entries_of_an_outage_arrive_after_the_reconnection(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"POLL_INTERVAL": 60.0, "DIGEST_INTERVAL": 60.0, "TICK": 0.01}.items():
        monkeypatch.setattr(log_follower, name, seconds)
    logs, buses = SharedLogs(), list[LossyBus]()
    writer, reader = [Node(logs, ReliableBus(buses, Random(0))) for _ in range(2)]
    for node in (writer, reader):
        await node.join("tea")
    tasks = [asyncio.create_task(node.follower.run()) for node in (writer, reader)]
    await wait_until(lambda: all("access" in bus.receivers for bus in buses))
    buses[0].is_healthy = False
    writer.follower.publish([logs.append("tea")])
    buses[0].is_healthy = True
    for callback in buses[0].on_connect:
        callback()
    await wait_until(lambda: reader.delivered["tea"] == [1])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for node in (writer, reader):
        await node.follower.close()


async def test_failed_reads_are_repeated_and_leave_no_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"POLL_INTERVAL": 3600.0, "DEGRADED_POLL_INTERVAL": 0.01, "TICK": 0.01}.items():
        monkeypatch.setattr(log_follower, name, seconds)
    logs, bus = SharedLogs(), LossyBus([], Random(0))
    node = Node(logs, bus)
    logs.failing_reads = (1, 2, 4)  # of the position, of the comparison, and of the permissions after the next one
    with pytest.raises(Unavailable):
        await node.follower.follow("tea")
    await wait_until(lambda: not bus.receivers)
    for callback in bus.on_connect:
        callback()
    task = asyncio.create_task(node.follower.run())
    await wait_until(lambda: node.access_loads == 1)
    task.cancel()
    await asyncio.wait({task})
    await node.follower.close()


async def test_a_rename_precedes_the_entries_with_the_new_name_of_the_same_transaction() -> None:
    node = Node(SharedLogs(), LossyBus([], Random(0)))
    await node.join("tea")
    node.snapshots["ale"], node.delivered["ale"] = 0, []
    rename = PolicyChange(room="tea", seq=1, id=1, ts=0, member_id="a", nick_name="a", new_name="ale")
    second, third = (
        Message(room="ale", seq=seq, id=seq, ts=0, member_id="a", nick_name="a", message="") for seq in (2, 3)
    )
    node.follower.publish([rename, second])
    node.follower.publish([third])
    assert (node.delivered["tea"], node.delivered["ale"]) == ([1], [2, 3])
    await node.follower.close()


async def test_a_comparison_with_the_database_does_not_reverse_a_later_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_follower, "TICK", 0.01)
    logs, stored_names = SharedLogs(), ["tea"]
    node = Node(logs, LossyBus([], Random(0)))
    await node.join("tea")
    original, comparisons = logs.read_positions, list[LogPosition]()

    async def read_positions(room_ids: Collection[int], keys: Collection[str]) -> list[LogPosition]:
        name = stored_names[-1]
        positions = [structs.replace(position, key=name, name=name) for position in await original(room_ids, keys)]
        if not comparisons:
            stored_names.append("ale")
            node.snapshots["ale"] = node.snapshots.pop("tea")
            node.follower.rename("tea", "ale")
        comparisons.extend(positions)
        return positions

    monkeypatch.setattr(logs, "read_positions", read_positions)
    task = asyncio.create_task(node.follower.run())
    await wait_until(lambda: len(comparisons) >= 2 or task.done())
    await asyncio.wait({task}, timeout=0.0)
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})
    await node.follower.close()


async def test_a_room_renamed_during_its_first_read_starts_at_the_end_of_its_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs = SharedLogs()
    node = Node(logs, LossyBus([], Random(0)))
    logs.append("coffee")
    original, read_keys = logs.read_positions, list[str]()

    async def read_positions(room_ids: Collection[int], keys: Collection[str]) -> list[LogPosition]:
        read_keys.extend(keys)
        if keys == ("tea",):
            node.follower.rename("tea", "coffee")
            return []
        return await original(room_ids, keys)

    monkeypatch.setattr(logs, "read_positions", read_positions)
    await node.follower.follow("tea")
    node.snapshots["coffee"] = 1
    node.follower.publish([logs.append("coffee")])
    assert (read_keys, node.delivered["coffee"]) == (["tea", "coffee"], [2])
    await node.follower.close()
