"""Start of the follow of a room, without Redis and a database."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import cast

import pytest

from server.cluster.bus import Bus, BusConnection
from server.cluster.log_follower import LogFollower
from server.storage.log_tail_reader import LogPosition, LogTailReader
from tui_chat.protocol.events import Entry, MemberChange, MemberRef

ANN = MemberRef("m1", "ann")


def build_join(seq: int) -> MemberChange:
    return MemberChange(
        room="tea", seq=seq, id=seq, ts=0, nick_name="ann", member_id="m1", action="joined", target=ANN, by=ANN
    )


class GatedReader:
    """Reader whose first read waits for `gate`, and finds two entries."""

    def __init__(self) -> None:
        self.is_reading, self.gate = asyncio.Event(), asyncio.Event()

    async def read_positions(self, _room_ids: Collection[int], keys: Collection[str]) -> list[LogPosition]:
        self.is_reading.set()
        await self.gate.wait()
        return [LogPosition(1, key, key, 2, 2) for key in keys]


class StalledBus(Bus):
    """Bus without a connection, on which the end of a subscription never completes."""

    def __init__(self) -> None:
        async def connect(*_: object) -> BusConnection:
            raise AssertionError

        super().__init__(connect, node_id="n1", prefix="")

    async def unsubscribe(self, channel: str) -> None:
        await asyncio.Event().wait()


def create_follower(
    reader: GatedReader, deliver: Callable[[Sequence[Entry]], None], record_access: Callable[[Sequence[Entry]], None]
) -> LogFollower:
    async def reload_access() -> None:
        pass

    return LogFollower(
        StalledBus(),
        cast(LogTailReader, reader),
        deliver=deliver,
        record_access=record_access,
        reload_access=reload_access,
        on_replaced=lambda _: None,
        on_renamed=lambda _key, _name: None,
        get_live_keys=lambda: (),
    )


async def test_changes_published_while_a_follow_starts_are_recorded_and_newer_ones_delivered() -> None:
    reader = GatedReader()
    delivered: list[Entry] = []
    recorded: list[Entry] = []
    follower = create_follower(reader, delivered.extend, recorded.extend)
    follow = asyncio.create_task(follower.follow("tea"))
    await reader.is_reading.wait()
    follower.publish([build_join(2)])  # part of the start position
    follower.publish([build_join(3)])
    reader.gate.set()
    await follow
    follower.publish([build_join(4)])
    assert [entry.seq for entry in delivered] == [3, 4]
    assert [entry.seq for entry in recorded] == [2, 3]
    await follower.close()


async def test_a_close_during_the_start_of_a_follow_leaves_no_task() -> None:
    reader = GatedReader()
    tasks = asyncio.all_tasks()
    follower = create_follower(reader, lambda _: None, lambda _: None)
    follow = asyncio.create_task(follower.follow("tea"))
    await reader.is_reading.wait()
    await follower.close()
    assert asyncio.all_tasks() - {follow} == tasks
    with pytest.raises(asyncio.CancelledError):
        await follow
