"""A message that is sent again is said once, whenever and from wherever the repeat comes."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from server.app import RunningServer
from tests.support import faulty_disk as disks
from tests.support.faulty_disk import FaultyDisk
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process
from tests.support.wait import TIMEOUT


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FaultyDisk:
    return disks.install_faulty_disk(monkeypatch)


@pytest.fixture
async def server(tmp_path: Path, disk: FaultyDisk) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running
        disk.unblock_commits()


async def say(client: RawClient, text: str, client_id: str) -> dict[str, Any]:
    return await client.request("sendMessage", {"room": "tea", "message": text, "clientId": client_id})


async def said(client: RawClient) -> list[str]:
    page = await client.request("history", {"room": "tea", "after": 0})
    return [entry["message"] for entry in page["messages"]]


def place(answer: dict[str, Any]) -> tuple[int, int, int]:
    assert answer["ok"], answer
    return answer["seq"], answer["id"], answer["ts"]


async def test_a_repeat_from_another_connection_while_the_first_is_being_committed(
    server: RunningServer, disk: FaultyDisk
) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann, raw_client(server.url) as again:
        key = (await ann.join("tea", "ann"))["guestKey"]
        await again.join("tea", "ann", guestKey=key)
        disk.block_commits()
        first = asyncio.create_task(say(ann, "once", client_id))
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        repeat = asyncio.create_task(say(again, "once", client_id))
        async with raw_client(server.url) as ben:  # a whole visit later the repeat has reached the server
            await ben.join("tea", "ben")
        disk.unblock_commits()
        answers = [await first, await repeat]
        assert [answer["duplicate"] for answer in answers] == [False, True]
        assert place(answers[0]) == place(answers[1])
        assert await said(ann) == ["once"]
        assert (await ann.wait_for_push("message"))["kind"] == "join"


async def test_repeats_in_one_batch(server: RunningServer, disk: FaultyDisk) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann, raw_client(server.url) as again, raw_client(server.url) as ben:
        key = (await ann.join("tea", "ann"))["guestKey"]
        await again.join("tea", "ann", guestKey=key)
        await ben.join("tea", "ben")
        disk.block_commits()
        first = asyncio.create_task(say(ben, "before", str(uuid4())))
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        both = [asyncio.create_task(say(client, "once", client_id)) for client in (ann, again)]
        async with raw_client(server.url) as eve:
            await eve.join("tea", "eve")
        disk.unblock_commits()
        await first
        answers = await asyncio.gather(*both)
        assert sorted(answer["duplicate"] for answer in answers) == [False, True]
        assert place(answers[0]) == place(answers[1])
        assert await said(ann) == ["before", "once"]


async def test_a_repeat_after_the_server_was_killed(tmp_path: Path) -> None:
    client_id = str(uuid4())
    flags = ("--database", str(tmp_path / "chat.db"))
    async with server_process(tmp_path, *flags) as server, raw_client(server.url) as ann:
        key = (await ann.join("tea", "ann"))["guestKey"]
        first = await say(ann, "once", client_id)
        server.process.kill()
        await server.wait_closed()
    async with server_process(tmp_path, *flags) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann", guestKey=key)
        repeat = await say(ann, "once", client_id)
        assert (repeat["duplicate"], place(repeat)) == (True, place(first))
        assert await said(ann) == ["once"]


async def test_a_repeat_with_other_words_changes_nothing(server: RunningServer) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        first = await say(ann, "once", client_id)
        repeat = await say(ann, "otherwise", client_id)
        assert (repeat["duplicate"], place(repeat)) == (True, place(first))
        assert await said(ann) == ["once"]


async def test_somebody_elses_client_id_is_refused_and_tells_nothing(server: RunningServer, disk: FaultyDisk) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann, raw_client(server.url) as eve:
        await ann.join("tea", "ann")
        await eve.join("tea", "eve")
        await say(ann, "mine", client_id)
        refusal = await say(eve, "guess", client_id)
        assert refusal == {
            "ok": False,
            "error": {"code": "conflict", "message": "this clientId is taken in the room"},
        }
        disk.block_commits()
        both = str(uuid4())
        first = asyncio.create_task(say(ann, "mine too", both))
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        late = asyncio.create_task(say(eve, "guess", both))
        async with raw_client(server.url) as ben:
            await ben.join("tea", "ben")
        disk.unblock_commits()
        assert (await first)["seq"] == 2
        assert (await late)["error"]["code"] == "conflict"
        assert await said(ann) == ["mine", "mine too"]
        await say(eve, "my own", str(uuid4()))
        assert await said(eve) == ["mine", "mine too", "my own"]


async def test_a_client_id_of_another_room_is_free(server: RunningServer) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann, raw_client(server.url) as eve:
        await ann.join("coffee", "ann")
        await ann.request("sendMessage", {"room": "coffee", "message": "hidden", "clientId": client_id})
        await eve.join("tea", "eve")
        answer = await say(eve, "free", client_id)
        assert (answer["seq"], answer["duplicate"]) == (1, False)
