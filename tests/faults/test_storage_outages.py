"""The database fails under a server that runs: sends are refused, the rest goes on, and all is well again by itself."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from server.app import RunningServer
from server.storage import database
from tests.support import faulty_disk as disks
from tests.support.faulty_disk import UNLIMITED, FaultyDisk, limit_file_size, small_disk
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process
from tests.support.storage import exclusive_lock
from tests.support.wait import TIMEOUT

LIMIT = 3


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FaultyDisk:
    return disks.install_faulty_disk(monkeypatch, max_queue_depth=LIMIT)


@pytest.fixture
async def server(tmp_path: Path, disk: FaultyDisk) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running
        disk.unblock_commits()


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[RawClient]:
    async with raw_client(server.url) as client:
        await client.join("tea", "ann")
        assert (await say(client, "kept"))["seq"] == 1
        yield client


async def say(client: RawClient, text: str) -> dict[str, Any]:
    return await client.request("sendMessage", {"room": "tea", "message": text})


async def readiness(url: str) -> tuple[int, str]:
    async with ClientSession() as session, session.get(f"{url}/ready") as answer:
        return answer.status, (await answer.json()).get("detail", "")


async def ready(url: str, status: int, detail: str = "") -> None:
    """Ask `/ready` until it answers this: it looks at the disk once a second."""
    async with asyncio.timeout(TIMEOUT):
        while (found := await readiness(url)) != (status, detail):
            assert found[0] in {200, 503}
            await asyncio.sleep(0.05)


async def refused(client: RawClient, event: str = "sendMessage", **fields: Any) -> None:
    answer = await client.request(event, {"room": "tea", "message": "private", **fields})
    assert not answer["ok"]
    assert answer["error"]["code"] == "unavailable"
    assert answer["error"]["retryAfter"] > 0


async def texts(client: RawClient) -> list[str]:
    page = await client.request("history", {"room": "tea", "after": 0, "limit": 200})
    assert page["ok"], page
    assert [entry["seq"] for entry in page["messages"]] == list(range(1, page["lastSeq"] + 1))
    return [entry["message"] for entry in page["messages"]]


async def test_a_locked_database_refuses_to_save_and_is_read(
    server: RunningServer, ann: RawClient, tmp_path: Path
) -> None:
    with exclusive_lock(tmp_path / "chat.db"):
        await refused(ann)
        await refused(ann, "setTopic", topic="green")
        assert await texts(ann) == ["kept"]
        async with raw_client(server.url) as ben:
            assert [entry["message"] for entry in (await ben.join("tea", "ben"))["messages"]] == ["kept"]
        await ready(server.url, 503, "locked by another program")
    await ready(server.url, 200)
    assert (await say(ann, "again"))["seq"] == 2
    assert await texts(ann) == ["kept", "again"]


async def test_a_read_only_database_refuses_to_save_and_is_read(
    server: RunningServer, ann: RawClient, disk: FaultyDisk
) -> None:
    disk.is_read_only = True
    await refused(ann)
    assert await texts(ann) == ["kept"]
    await ready(server.url, 503, "database is read-only")
    disk.is_read_only = False
    await ready(server.url, 200)
    assert (await say(ann, "again"))["seq"] == 2


async def test_a_database_that_is_gone_lets_nobody_in_and_tells_nobody_of_the_attempt(
    server: RunningServer, ann: RawClient, tmp_path: Path
) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    for file in tmp_path.glob("chat.db*"):
        file.rename(aside / file.name)
    await refused(ann)
    await refused(ann, "history", after=0)
    async with raw_client(server.url) as eve:
        await refused(eve, "joinRoom", roomName="tea", nickName="eve")
        not_in = await eve.request("sendMessage", {"room": "tea", "message": "let me"})
        assert not_in["error"]["code"] == "not_joined"
        await ready(server.url, 503, "file not found")
        for file in aside.iterdir():
            file.rename(tmp_path / file.name)
        await ready(server.url, 200)
        assert (await say(ann, "again"))["seq"] == 2
        assert [member["nickName"] for member in (await eve.join("tea", "eve"))["members"]] == ["ann", "eve"]
        assert await texts(ann) == ["kept", "again"]
    notices = [packet for packet in ann.pushes if '"nickName":"eve"' in packet and packet.startswith('42["message"')]
    assert len(notices) == 1
    assert '"kind":"join"' in notices[0]


async def test_a_second_connection_that_cannot_read_is_not_left_in_the_room(
    server: RunningServer, ann: RawClient, tmp_path: Path
) -> None:
    key = (await ann.join("tea", "ann"))["guestKey"]
    async with raw_client(server.url) as other:
        aside = tmp_path / "aside.db"
        (tmp_path / "chat.db").rename(aside)
        await refused(other, "joinRoom", roomName="tea", nickName="ann", guestKey=key)
        await refused(ann, "joinRoom", roomName="tea", nickName="ann", guestKey=key)
        aside.rename(tmp_path / "chat.db")
        assert (await other.request("sendMessage", {"room": "tea", "message": "no"}))["error"]["code"] == "not_joined"
        assert (await say(ann, "still in"))["ok"]


async def test_a_slow_disk_fills_a_bounded_queue_and_the_rest_is_refused(
    server: RunningServer,
    ann: RawClient,
    disk: FaultyDisk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database, "PROBE_TIMEOUT", 0.2)
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(raw_client(server.url)) for _ in range(LIMIT + 2)]
        for number, writer in enumerate(writers):
            await writer.join("tea", f"writer{number}")
        disk.block_commits()
        sending = [asyncio.create_task(say(writers[0], "m"))]
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        sending += [asyncio.create_task(say(writer, "m")) for writer in writers[1:]]
        (answered,), waiting = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        assert answered.result()["error"]["code"] == "unavailable"
        assert answered.result()["error"]["message"] == "too many messages are waiting to be saved"
        assert await texts(ann) == ["kept"]
        await ready(server.url, 503, "too many messages are waiting to be saved")
        disk.unblock_commits()
        answers = await asyncio.gather(*waiting)
        assert sorted(answer["seq"] for answer in answers) == [2, 3, 4, 5]
    await ready(server.url, 200)
    assert await texts(ann) == ["kept", *"mmmm"]
    assert [record.getMessage() for record in caplog.records if record.name == "server.storage.journal"] == [
        f"{LIMIT} messages are waiting to be saved, more are refused",
        "journal queue drained, accepting commands again",
    ]


async def test_a_disk_that_says_nothing_is_told_by_readiness_in_time(
    server: RunningServer, ann: RawClient, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PROBE_TIMEOUT", 0.2)
    disk.block_commits()
    sending = asyncio.create_task(say(ann, "slow"))
    assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
    await ready(server.url, 503, "no response from the disk for 0.2 seconds")
    disk.unblock_commits()
    assert (await sending)["seq"] == 2
    await ready(server.url, 200)


async def fill(client: RawClient) -> list[str]:
    """Say long things until one is refused; those that were acknowledged."""
    acknowledged: list[str] = []
    while True:
        text = f"{len(acknowledged)} " + "x" * 3000
        answer = await say(client, text)
        if not answer["ok"]:
            assert answer["error"]["code"] == "unavailable"
            return acknowledged
        acknowledged.append(text)


async def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path, 4 * 1024 * 1024) as place:
        ballast = place / "ballast"
        database_file = place / "chat.db"
        flags = ("--database", str(database_file), "--rate-limit", "off")
        async with server_process(tmp_path, *flags) as server, raw_client(server.url) as ann:
            await ann.join("tea", "ann")
            assert (await say(ann, "kept"))["ok"]
            ballast.write_bytes(bytes(shutil.disk_usage(place).free - 200 * 1024))
            acknowledged = await fill(ann)
            assert acknowledged
            assert (await texts(ann))[-200:] == ["kept", *acknowledged][-200:]
            async with raw_client(server.url) as ben:
                assert (await ben.join("tea", "ben", limit=1))["messages"]
            await ready(server.url, 503, "no space left on device")
            ballast.unlink()
            await ready(server.url, 200)
            assert (await say(ann, "again"))["seq"] == len(acknowledged) + 2
            assert await texts(ann) == ["kept", *acknowledged, "again"]


async def test_a_disk_that_takes_no_more_loses_nothing_and_is_used_again_when_it_does(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--rate-limit", "off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        assert (await say(ann, "kept"))["ok"]
        limit_file_size(server.process.pid, 200 * 1024)
        acknowledged = await fill(ann)
        assert await texts(ann) == ["kept", *acknowledged]
        await ready(server.url, 503, "disk I/O error")
        limit_file_size(server.process.pid, UNLIMITED)
        await ready(server.url, 200)
        assert (await say(ann, "again"))["seq"] == len(acknowledged) + 2
        assert await texts(ann) == ["kept", *acknowledged, "again"]
