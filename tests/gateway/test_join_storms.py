"""Coalescing of join, leave and nickname notices above ten per second and room, with a clock that the tests advance."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from server.app import RunningServer
from server.domain.presence_delta import PresenceDelta
from server.gateway import presence_broadcaster
from tests.support.in_process_server import running_server
from tests.support.monotonic_clocks import ManualMonotonicClock
from tests.support.raw_client import RawClient, raw_client
from tui_chat.protocol.events import PresencePush

CROWD = 120
BURST = 10
"""Notices of one type that a room receives before the rate limit."""


@pytest.fixture
def clock() -> ManualMonotonicClock:
    """Clock of the rate limits."""
    return ManualMonotonicClock()


@pytest.fixture
async def server(tmp_path: Path, clock: ManualMonotonicClock) -> AsyncGenerator[RunningServer]:
    """Server without rate limits of requests."""
    async with running_server(tmp_path, rate_limit="off", monotonic=clock) as running:
        yield running


async def _count_members(watcher: RawClient, kind: str, notice_count: int) -> int:
    """Return the number of members in the next `notice_count` notices of a kind."""
    notices = [await watcher.wait_for_push("message", kind=kind) for _ in range(notice_count)]
    return sum(1 + notice.get("more", 0) for notice in notices)


async def _apply_presence(watcher: RawClient, present: set[str]) -> None:
    """Apply the next presence push to the ids of the present members."""
    push = await watcher.wait_for_push("presence")
    present |= {member["memberId"] for member in push["joined"]}
    present -= set(push["left"])


async def test_notices_of_a_storm_are_coalesced_and_presence_is_complete(
    server: RunningServer, clock: ManualMonotonicClock
) -> None:
    async with raw_client(server.url) as watcher:
        present = {(await watcher.join("tea", "watcher"))["memberId"]}
        async with AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(raw_client(server.url)) for _ in range(CROWD)]
            joined = await asyncio.gather(*[client.join("tea", f"m{number}") for number, client in enumerate(crowd)])
            for response, client in zip(joined, crowd, strict=True):
                await client.wait_for_push("message", kind="join", nickName=response["nickName"])
            assert await _count_members(watcher, "join", BURST) == BURST
            clock.now += 10
            assert await _count_members(watcher, "join", 1) == 1 + CROWD - BURST
            member_ids = {response["memberId"] for response in joined}
            while not member_ids <= present:
                await _apply_presence(watcher, present)
        assert await _count_members(watcher, "leave", BURST) == BURST
        clock.now += 10
        assert await _count_members(watcher, "leave", 1) == CROWD - BURST
        while member_ids & present:
            await _apply_presence(watcher, present)
        assert [room["members"] for room in (await watcher.request("listRooms", {}))["rooms"]] == [1]
        async with raw_client(server.url) as late_client:
            await late_client.join("tea", "late")
            notice = await watcher.wait_for_push("message", kind="join")
            assert (notice["nickName"], "more" in notice) == ("late", False)


async def test_nickname_notices_above_the_rate_are_dropped_and_presence_has_the_last_nickname(
    server: RunningServer,
) -> None:
    async with raw_client(server.url) as watcher, raw_client(server.url) as mallory:
        await watcher.join("tea", "watcher")
        member_id = (await mallory.join("tea", "mallory"))["memberId"]
        for number in range(3 * BURST):
            assert (await mallory.request("changeNick", {"nickName": f"m{number}"}))["ok"]
        nick = None
        while nick != f"m{3 * BURST - 1}":
            push = await watcher.wait_for_push("presence")
            nicks = {member["memberId"]: member["nickName"] for member in push["joined"] + push["renamed"]}
            nick = nicks.get(member_id, nick)
        assert len([packet for packet in watcher.pushes if '"kind":"nick"' in packet]) == BURST


async def test_notices_and_presence_cost_more_tokens_in_a_large_room(
    server: RunningServer, clock: ManualMonotonicClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_broadcaster, "_READERS_PER_TOKEN", 0.4)  # 2.5 tokens alone in the room, then 5
    async with raw_client(server.url) as watcher, raw_client(server.url) as mallory:
        await watcher.join("tea", "watcher")
        await watcher.wait_for_push("presence", room="tea")
        await mallory.join("tea", "mallory")
        await watcher.wait_for_push("presence", room="tea")
        for number in range(BURST):
            assert (await mallory.request("changeNick", {"nickName": f"m{number}"}))["ok"]
        await watcher.join("milk", "watcher")
        # The flush for the second room omits the first one.
        assert (await watcher.wait_for_push("presence"))["room"] == "milk"
        assert len([packet for packet in watcher.pushes if '"kind":"nick"' in packet]) == 2
        clock.now += 0.5
        renamed = (await watcher.wait_for_push("presence", room="tea"))["renamed"]
        assert [member["nickName"] for member in renamed] == [f"m{BURST - 1}"]


@asynccontextmanager
async def _coalesced_join(server: RunningServer) -> AsyncGenerator[tuple[RawClient, RawClient]]:
    """Yield a member of `tea`, and a later member `late` whose join notice is coalesced."""
    async with AsyncExitStack() as stack:
        members = [await stack.enter_async_context(raw_client(server.url)) for _ in range(BURST)]
        for number, member in enumerate(members):
            await member.join("tea", f"m{number}")
        late = await stack.enter_async_context(raw_client(server.url))
        await late.join("tea", "late")
        yield members[0], late


async def test_a_member_that_leaves_before_its_coalesced_join_notice_has_no_leave_notice(
    server: RunningServer, clock: ManualMonotonicClock
) -> None:
    async with _coalesced_join(server) as (watcher, late):
        await late.request("leaveRoom", {"room": "tea"})
        clock.now += 10
        await late.join("tea", "next")
        nicks: list[str] = []
        while "next" not in nicks:
            nicks.append((await watcher.wait_for_push("message"))["nickName"])
        assert nicks == [*(f"m{number}" for number in range(BURST)), "next"]


async def test_a_coalesced_join_notice_of_one_member_is_sent_to_the_joiner_once(
    server: RunningServer, clock: ManualMonotonicClock
) -> None:
    async with _coalesced_join(server) as (watcher, late):
        clock.now += 10
        await watcher.wait_for_push("message", kind="join", nickName="late")
        await late.request("listRooms", {})
        assert len([push for push in late.pushes if '"kind":"join"' in push and '"late"' in push]) == 1


async def test_a_failure_in_one_room_is_logged_once_and_other_rooms_receive_presence(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    to_push = PresenceDelta.to_push

    def fail_in_one_room(delta: PresenceDelta, room: str, member_count: int) -> PresencePush:
        if room == "broken":
            raise RuntimeError("presence")
        return to_push(delta, room, member_count)

    async with raw_client(server.url) as ann, raw_client(server.url) as bob:
        with monkeypatch.context() as failure:
            failure.setattr(PresenceDelta, "to_push", fail_in_one_room)
            for room in ("broken", "tea"):
                await ann.join(room, "ann")
            assert (await ann.wait_for_push("presence"))["room"] == "tea"
        await bob.join("broken", "bob")
        push = await ann.wait_for_push("presence", room="broken")
        assert [member["nickName"] for member in push["joined"]] == ["bob"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "presence failed, rooms with lost changes: 1"
    ]
