"""Start of the follow of a room, without Redis and a database."""

import asyncio
from collections.abc import Collection, Sequence
from typing import cast

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


async def test_changes_published_while_a_follow_starts_are_recorded_and_newer_ones_delivered() -> None:
    async def connect(*_: object) -> BusConnection:
        raise AssertionError

    async def reload_access() -> None:
        pass

    reader = GatedReader()
    delivered: list[Entry] = []
    recorded: list[Entry] = []

    def record(entries: Sequence[Entry]) -> None:
        recorded.extend(entries)

    follower = LogFollower(
        Bus(connect, node_id="n1", prefix=""),
        cast(LogTailReader, reader),
        deliver=delivered.extend,
        record_access=record,
        reload_access=reload_access,
        on_replaced=lambda _: None,
        on_renamed=lambda _key, _name: None,
        get_live_keys=lambda: (),
    )
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
