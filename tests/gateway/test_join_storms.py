"""Coalescing of join, leave and nick notices under load."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from server.app import serve
from server.settings import ServerSettings
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client

CROWD = 120


async def _count_notices(watcher: RawClient, kind: str, expected_people: int) -> tuple[int, int]:
    """Return the numbers of notices and members once `kind` notices cover `expected_people` members."""
    notices = people = 0
    while people < expected_people:
        push = await watcher.wait_for_push("message")
        if push["kind"] == kind:
            notices += 1
            people += 1 + push.get("more", 0)
    return notices, people


async def test_join_and_leave_notices_of_a_storm_are_coalesced_without_loss(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as watcher:
        joined_watcher = await watcher.join("tea", "watcher")
        present = {joined_watcher["memberId"]}
        count_task = asyncio.create_task(_count_notices(watcher, "join", CROWD + 1))
        async with AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(raw_client(server.url)) for _ in range(CROWD)]
            joined = await asyncio.gather(*[client.join("tea", f"m{number}") for number, client in enumerate(crowd)])
            for response, client in zip(joined, crowd, strict=True):
                nick = response["nickName"]
                while (push := await client.wait_for_push("message"))["kind"] != "join" or push["nickName"] != nick:
                    pass
            notices, people = await count_task
            assert people == CROWD + 1
            assert notices < CROWD / 2
            member_ids = {response["memberId"] for response in joined}
            while not member_ids <= present:
                push = await watcher.wait_for_push("presence")
                present |= {member["memberId"] for member in push["joined"]}
                present -= set(push["left"])
            count_task = asyncio.create_task(_count_notices(watcher, "leave", CROWD))
        notices, people = await count_task
        assert people == CROWD
        assert notices < CROWD / 2
        while member_ids & present:
            present -= set((await watcher.wait_for_push("presence"))["left"])
        rooms = await watcher.request("listRooms", {})
        assert [room["members"] for room in rooms["rooms"]] == [1]


async def test_a_single_join_after_a_storm_is_sent_immediately(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as watcher:
        await watcher.join("tea", "watcher")
        async with AsyncExitStack() as stack:
            for number in range(30):
                client = await stack.enter_async_context(raw_client(server.url))
                await client.join("tea", f"m{number}")
            await _count_notices(watcher, "join", 31)
        await _count_notices(watcher, "leave", 30)
        last_notice, attempt = None, 0
        while last_notice != (f"late{attempt}", 0):  # repeat while notices are still coalesced
            attempt += 1
            async with raw_client(server.url) as late_client:
                await late_client.join("tea", f"late{attempt}")
                while (push := await watcher.wait_for_push("message"))["kind"] != "join":
                    pass
                last_notice = (push["nickName"], push.get("more", 0))


async def test_nick_notices_of_a_storm_are_limited_and_the_last_nickname_is_sent(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as watcher:
        await watcher.join("tea", "watcher")
        async with raw_client(server.url) as mallory:
            member_id = (await mallory.join("tea", "mallory"))["memberId"]
            for number in range(100):
                assert (await mallory.request("changeNick", {"nickName": f"m{number}"}))["ok"]
            nick = None
            while nick != "m99":
                push = await watcher.wait_for_push("presence")
                nicks = {member["memberId"]: member["nickName"] for member in push["joined"] + push["renamed"]}
                nick = nicks.get(member_id, nick)
            nick_notices = [packet for packet in watcher.pushes if '"kind":"nick"' in packet]
            assert 10 <= len(nick_notices) < 50


class ManualClocks:
    """Clocks that advance only by assignment, so that the rate of the notices is exact."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> int:
        return int(self.seconds * 1000)


@asynccontextmanager
async def _coalesced_join(directory: Path) -> AsyncGenerator[tuple[ManualClocks, RawClient, RawClient]]:
    """Return clocks, a member of `tea`, and a later member `late` whose join notice is coalesced."""
    clocks = ManualClocks()
    settings = ServerSettings(port=0, database=str(directory / "chat.db"), rate_limit="off")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(settings, now=clocks.now, monotonic=clocks.monotonic))
        members = [await stack.enter_async_context(raw_client(server.url)) for _ in range(11)]
        for number, member in enumerate(members[:-1]):
            await member.join("tea", f"m{number}")
        await members[-1].join("tea", "late")
        yield clocks, members[0], members[-1]


async def _wait_for_join_notice(client: RawClient, nick: str) -> None:
    while (push := await client.wait_for_push("message"))["kind"] != "join" or push["nickName"] != nick:
        assert push["nickName"] != "late"


async def test_a_member_that_leaves_before_its_coalesced_join_notice_has_no_leave_notice(tmp_path: Path) -> None:
    async with _coalesced_join(tmp_path) as (clocks, watcher, late):
        await late.request("leaveRoom", {"room": "tea"})
        clocks.seconds += 10
        await late.join("tea", "next")
        await _wait_for_join_notice(watcher, "next")


async def test_a_coalesced_join_notice_of_one_member_is_sent_to_the_joiner_once(tmp_path: Path) -> None:
    async with _coalesced_join(tmp_path) as (clocks, watcher, late):
        clocks.seconds += 10
        await _wait_for_join_notice(watcher, "late")
        await late.request("listRooms", {})
        assert len([push for push in late.pushes if '"kind":"join"' in push and '"late"' in push]) == 1
