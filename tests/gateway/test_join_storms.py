"""Many come and go at once: everybody learns of it, and nobody is told a thousand times."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client

CROWD = 120


async def _watch(watcher: RawClient, kind: str, until: int) -> tuple[int, int]:
    """Notices of one kind until they speak of so many people; how many notices and people they were."""
    notices = people = 0
    while people < until:
        push = await watcher.wait_for_push("message")
        if push["kind"] == kind:
            notices += 1
            people += 1 + push.get("more", 0)
    return notices, people


async def test_a_storm_of_joins_and_leaves_is_folded_and_nobody_is_left_out(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as watcher:
        own = await watcher.join("tea", "watcher")
        present = {own["memberId"]}
        watching = asyncio.create_task(_watch(watcher, "join", CROWD + 1))
        async with AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(raw_client(server.url)) for _ in range(CROWD)]
            joined = await asyncio.gather(*[client.join("tea", f"m{number}") for number, client in enumerate(crowd)])
            for answer, client in zip(joined, crowd, strict=True):
                nick = answer["nickName"]
                while (push := await client.wait_for_push("message"))["kind"] != "join" or push["nickName"] != nick:
                    pass
            notices, people = await watching
            assert people == CROWD + 1
            assert notices < CROWD / 2
            everybody = {answer["memberId"] for answer in joined}
            while not everybody <= present:
                push = await watcher.wait_for_push("presence")
                present |= {member["memberId"] for member in push["joined"]}
                present -= set(push["left"])
            watching = asyncio.create_task(_watch(watcher, "leave", CROWD))
        notices, people = await watching
        assert people == CROWD
        assert notices < CROWD / 2
        while everybody & present:
            present -= set((await watcher.wait_for_push("presence"))["left"])
        rooms = await watcher.request("listRooms", {})
        assert [room["members"] for room in rooms["rooms"]] == [1]


async def test_a_single_join_after_a_storm_is_told_at_once_again(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as watcher:
        await watcher.join("tea", "watcher")
        async with AsyncExitStack() as stack:
            for number in range(30):
                client = await stack.enter_async_context(raw_client(server.url))
                await client.join("tea", f"m{number}")
            await _watch(watcher, "join", 31)
        await _watch(watcher, "leave", 30)
        told, late_ones = None, 0
        while told != (f"late{late_ones}", 0):  # until the rate has recovered
            late_ones += 1
            async with raw_client(server.url) as late:
                await late.join("tea", f"late{late_ones}")
                while (push := await watcher.wait_for_push("message"))["kind"] != "join":
                    pass
                told = (push["nickName"], push.get("more", 0))


async def test_of_a_storm_of_nicknames_some_are_told_and_the_last_one_is_known(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as watcher:
        await watcher.join("tea", "watcher")
        async with raw_client(server.url) as mallory:
            mine = (await mallory.join("tea", "mallory"))["memberId"]
            for number in range(100):
                assert (await mallory.request("changeNick", {"nickName": f"m{number}"}))["ok"]
            nick = None
            while nick != "m99":
                push = await watcher.wait_for_push("presence")
                called = {member["memberId"]: member["nickName"] for member in push["joined"] + push["renamed"]}
                nick = called.get(mine, nick)
            told = [packet for packet in watcher.pushes if '"kind":"nick"' in packet]
            assert 10 <= len(told) < 50
