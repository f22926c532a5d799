"""Storage failures of a running server: rejected requests, readiness, and recovery without a restart."""

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

MAX_QUEUE_DEPTH = 3


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FaultyDisk:
    return disks.install_faulty_disk(monkeypatch, max_queue_depth=MAX_QUEUE_DEPTH)


@pytest.fixture
async def server(tmp_path: Path, disk: FaultyDisk) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running
        disk.unblock_commits()


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[RawClient]:
    async with raw_client(server.url) as client:
        await client.join("tea", "ann")
        assert (await send_message(client, "kept"))["seq"] == 1
        yield client


async def send_message(client: RawClient, text: str) -> dict[str, Any]:
    return await client.request("sendMessage", {"room": "tea", "message": text})


async def read_readiness(url: str) -> tuple[int, str]:
    """Return status and detail of `/ready`."""
    async with ClientSession() as session, session.get(f"{url}/ready") as response:
        return response.status, (await response.json()).get("detail", "")


async def wait_for_readiness(url: str, status: int, detail: str = "") -> None:
    """Poll `/ready` until it returns `status` and `detail`."""
    async with asyncio.timeout(TIMEOUT):
        while (current := await read_readiness(url)) != (status, detail):
            assert current[0] in {200, 503}
            await asyncio.sleep(0.05)


async def assert_unavailable(client: RawClient, event: str = "sendMessage", **fields: Any) -> None:
    """Send a request, and assert that the error is `unavailable` with a retry delay."""
    response = await client.request(event, {"room": "tea", "message": "private", **fields})
    assert not response["ok"]
    assert response["error"]["code"] == "unavailable"
    assert response["error"]["retryAfter"] > 0


async def read_texts(client: RawClient) -> list[str]:
    """Return the texts of the first 200 entries, and assert that these are all entries of the log."""
    page = await client.request("history", {"room": "tea", "after": 0, "limit": 200})
    assert page["ok"], page
    assert [entry["seq"] for entry in page["messages"]] == list(range(1, page["lastSeq"] + 1))
    return [entry["message"] for entry in page["messages"]]


async def test_a_locked_database_rejects_writes_and_serves_reads(
    server: RunningServer, ann: RawClient, tmp_path: Path
) -> None:
    with exclusive_lock(tmp_path / "chat.db"):
        await assert_unavailable(ann)
        await assert_unavailable(ann, "setTopic", topic="green")
        assert await read_texts(ann) == ["kept"]
        async with raw_client(server.url) as ben:
            assert [entry["message"] for entry in (await ben.join("tea", "ben"))["messages"]] == ["kept"]
        await wait_for_readiness(server.url, 503, "locked by another program")
    await wait_for_readiness(server.url, 200)
    assert (await send_message(ann, "again"))["seq"] == 2
    assert await read_texts(ann) == ["kept", "again"]


async def test_a_read_only_database_rejects_writes_and_serves_reads(
    server: RunningServer, ann: RawClient, disk: FaultyDisk
) -> None:
    disk.is_read_only = True
    await assert_unavailable(ann)
    assert await read_texts(ann) == ["kept"]
    await wait_for_readiness(server.url, 503, "database is read-only")
    disk.is_read_only = False
    await wait_for_readiness(server.url, 200)
    assert (await send_message(ann, "again"))["seq"] == 2


async def test_a_missing_or_replaced_database_rejects_messages_history_and_joins_without_a_notice(
    server: RunningServer, ann: RawClient, tmp_path: Path
) -> None:
    backup = tmp_path / "aside"
    backup.mkdir()
    for file in tmp_path.glob("chat.db*"):
        file.rename(backup / file.name)
    await assert_unavailable(ann)
    await assert_unavailable(ann, "history", after=0)
    async with raw_client(server.url) as eve:
        await assert_unavailable(eve, "joinRoom", roomName="tea", nickName="eve")
        response = await eve.request("sendMessage", {"room": "tea", "message": "let me"})
        assert response["error"]["code"] == "not_joined"
        await wait_for_readiness(server.url, 503, "file not found")
        (tmp_path / "chat.db").touch()
        await wait_for_readiness(server.url, 503, "database file was replaced; restart the server")
        await assert_unavailable(ann)
        await assert_unavailable(ann, "history", after=0)
        await assert_unavailable(eve, "joinRoom", roomName="tea", nickName="eve")
        assert (tmp_path / "chat.db").stat().st_size == 0
        for file in backup.iterdir():
            file.rename(tmp_path / file.name)
        await wait_for_readiness(server.url, 200)
        assert (await send_message(ann, "again"))["seq"] == 2
        assert [member["nickName"] for member in (await eve.join("tea", "eve"))["members"]] == ["ann", "eve"]
        assert await read_texts(ann) == ["kept", "again"]
    notices = [packet for packet in ann.pushes if '"nickName":"eve"' in packet and packet.startswith('42["message"')]
    assert len(notices) == 1
    assert '"kind":"join"' in notices[0]


async def test_a_failed_join_of_a_second_connection_leaves_no_membership(
    server: RunningServer, ann: RawClient, tmp_path: Path
) -> None:
    key = (await ann.join("tea", "ann"))["guestKey"]
    async with raw_client(server.url) as second:
        backup = tmp_path / "aside.db"
        (tmp_path / "chat.db").rename(backup)
        await assert_unavailable(second, "joinRoom", roomName="tea", nickName="ann", guestKey=key)
        await assert_unavailable(ann, "joinRoom", roomName="tea", nickName="ann", guestKey=key)
        backup.rename(tmp_path / "chat.db")
        assert (await second.request("sendMessage", {"room": "tea", "message": "no"}))["error"]["code"] == "not_joined"
        assert (await send_message(ann, "still in"))["ok"]


async def test_requests_beyond_the_write_queue_limit_are_rejected(
    server: RunningServer,
    ann: RawClient,
    disk: FaultyDisk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database, "PROBE_TIMEOUT", 0.2)
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(raw_client(server.url)) for _ in range(MAX_QUEUE_DEPTH + 2)]
        for number, writer in enumerate(writers):
            await writer.join("tea", f"writer{number}")
        disk.block_commits()
        sending = [asyncio.create_task(send_message(writers[0], "m"))]
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        sending += [asyncio.create_task(send_message(writer, "m")) for writer in writers[1:]]
        (rejected,), pending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        assert rejected.result()["error"]["code"] == "unavailable"
        assert rejected.result()["error"]["message"] == "too many messages are waiting to be saved"
        assert await read_texts(ann) == ["kept"]
        await wait_for_readiness(server.url, 503, "too many messages are waiting to be saved")
        disk.unblock_commits()
        responses = await asyncio.gather(*pending)
        assert sorted(response["seq"] for response in responses) == [2, 3, 4, 5]
    await wait_for_readiness(server.url, 200)
    assert await read_texts(ann) == ["kept", *"mmmm"]
    assert [record.getMessage() for record in caplog.records if record.name == "chat.storage"] == [
        f"journal queue full with {MAX_QUEUE_DEPTH} commands, rejecting further commands",
        "journal queue drained, accepting commands again",
    ]


async def test_readiness_reports_a_disk_that_does_not_respond(
    server: RunningServer, ann: RawClient, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PROBE_TIMEOUT", 0.2)
    disk.block_commits()
    sending = asyncio.create_task(send_message(ann, "slow"))
    assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
    await wait_for_readiness(server.url, 503, "no response from the disk for 0.2 seconds")
    disk.unblock_commits()
    assert (await sending)["seq"] == 2
    await wait_for_readiness(server.url, 200)


async def fill_disk(client: RawClient) -> list[str]:
    """Send long messages until one fails; return the acknowledged texts."""
    acknowledged: list[str] = []
    while True:
        text = f"{len(acknowledged)} " + "x" * 3000
        response = await send_message(client, text)
        if not response["ok"]:
            assert response["error"]["code"] == "unavailable"
            return acknowledged
        acknowledged.append(text)


async def test_a_full_disk_loses_no_acknowledged_message(tmp_path: Path) -> None:
    with small_disk(tmp_path, 4 * 1024 * 1024) as directory:
        ballast = directory / "ballast"
        database_file = directory / "chat.db"
        flags = ("--database", str(database_file), "--rate-limit", "off")
        async with server_process(tmp_path, *flags) as server, raw_client(server.url) as ann:
            await ann.join("tea", "ann")
            assert (await send_message(ann, "kept"))["ok"]
            ballast.write_bytes(bytes(shutil.disk_usage(directory).free - 200 * 1024))
            acknowledged = await fill_disk(ann)
            assert acknowledged
            assert await read_texts(ann) == ["kept", *acknowledged]
            async with raw_client(server.url) as ben:
                assert (await ben.join("tea", "ben", limit=1))["messages"]
            await wait_for_readiness(server.url, 503, "no space left on device")
            ballast.unlink()
            await wait_for_readiness(server.url, 200)
            assert (await send_message(ann, "again"))["seq"] == len(acknowledged) + 2
            assert await read_texts(ann) == ["kept", *acknowledged, "again"]


async def test_writes_resume_after_a_file_size_limit_is_lifted(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--rate-limit", "off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        assert (await send_message(ann, "kept"))["ok"]
        limit_file_size(server.process.pid, 200 * 1024)
        acknowledged = await fill_disk(ann)
        assert await read_texts(ann) == ["kept", *acknowledged]
        await wait_for_readiness(server.url, 503, "disk I/O error")
        limit_file_size(server.process.pid, UNLIMITED)
        await wait_for_readiness(server.url, 200)
        assert (await send_message(ann, "again"))["seq"] == len(acknowledged) + 2
        assert await read_texts(ann) == ["kept", *acknowledged, "again"]
