"""Deduplication by client id, across connections, batches and restarts."""

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


async def send_message(client: RawClient, text: str, client_id: str) -> dict[str, Any]:
    return await client.request("sendMessage", {"room": "tea", "message": text, "clientId": client_id})


async def read_texts(client: RawClient) -> list[str]:
    page = await client.request("history", {"room": "tea", "after": 0})
    return [entry["message"] for entry in page["messages"]]


def position(response: dict[str, Any]) -> tuple[int, int, int]:
    assert response["ok"], response
    return response["seq"], response["id"], response["ts"]


async def test_a_repeat_during_the_commit_of_the_first_is_a_duplicate(server: RunningServer, disk: FaultyDisk) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann, raw_client(server.url) as second_connection:
        key = (await ann.join("tea", "ann"))["guestKey"]
        await second_connection.join("tea", "ann", guestKey=key)
        disk.block_commits()
        first = asyncio.create_task(send_message(ann, "once", client_id))
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        repeat = asyncio.create_task(send_message(second_connection, "once", client_id))
        async with raw_client(server.url) as ben:  # a completed join shows that the server has read the repeat
            await ben.join("tea", "ben")
        disk.unblock_commits()
        responses = [await first, await repeat]
        assert [response["duplicate"] for response in responses] == [False, True]
        assert position(responses[0]) == position(responses[1])
        assert await read_texts(ann) == ["once"]
        assert len([packet for packet in ann.pushes if '"message":"once"' in packet]) == 1


async def test_a_repeat_within_one_batch_is_a_duplicate(server: RunningServer, disk: FaultyDisk) -> None:
    client_id = str(uuid4())
    async with (
        raw_client(server.url) as ann,
        raw_client(server.url) as second_connection,
        raw_client(server.url) as ben,
    ):
        key = (await ann.join("tea", "ann"))["guestKey"]
        await second_connection.join("tea", "ann", guestKey=key)
        await ben.join("tea", "ben")
        disk.block_commits()
        first = asyncio.create_task(send_message(ben, "before", str(uuid4())))
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        repeats = [asyncio.create_task(send_message(client, "once", client_id)) for client in (ann, second_connection)]
        async with raw_client(server.url) as eve:
            await eve.join("tea", "eve")
        disk.unblock_commits()
        await first
        responses = await asyncio.gather(*repeats)
        assert sorted(response["duplicate"] for response in responses) == [False, True]
        assert position(responses[0]) == position(responses[1])
        assert await read_texts(ann) == ["before", "once"]


async def test_a_repeat_after_a_server_kill_is_a_duplicate(tmp_path: Path) -> None:
    client_id = str(uuid4())
    flags = ("--database", str(tmp_path / "chat.db"))
    async with server_process(tmp_path, *flags) as server, raw_client(server.url) as ann:
        key = (await ann.join("tea", "ann"))["guestKey"]
        first = await send_message(ann, "once", client_id)
        server.process.kill()
        await server.wait_closed()
    async with server_process(tmp_path, *flags) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann", guestKey=key)
        repeat = await send_message(ann, "once", client_id)
        assert (repeat["duplicate"], position(repeat)) == (True, position(first))
        assert await read_texts(ann) == ["once"]


async def test_a_repeat_with_another_text_changes_nothing(server: RunningServer) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        first = await send_message(ann, "once", client_id)
        repeat = await send_message(ann, "otherwise", client_id)
        assert (repeat["duplicate"], position(repeat)) == (True, position(first))
        assert await read_texts(ann) == ["once"]


async def test_a_client_id_of_another_member_is_rejected(server: RunningServer, disk: FaultyDisk) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann, raw_client(server.url) as eve:
        await ann.join("tea", "ann")
        await eve.join("tea", "eve")
        await send_message(ann, "mine", client_id)
        error = await send_message(eve, "guess", client_id)
        assert error == {
            "ok": False,
            "error": {
                "code": "conflict",
                "reason": "client_id_in_use",
                "message": "another member already uses this clientId in the room; generate a new one",
            },
        }
        disk.block_commits()
        contested_id = str(uuid4())
        first = asyncio.create_task(send_message(ann, "mine too", contested_id))
        assert await asyncio.to_thread(disk.commit_blocked.wait, TIMEOUT)
        conflicting = asyncio.create_task(send_message(eve, "guess", contested_id))
        async with raw_client(server.url) as ben:
            await ben.join("tea", "ben")
        disk.unblock_commits()
        assert (await first)["seq"] == 2
        assert (await conflicting)["error"]["code"] == "conflict"
        assert await read_texts(ann) == ["mine", "mine too"]
        await send_message(eve, "my own", str(uuid4()))
        assert await read_texts(eve) == ["mine", "mine too", "my own"]


async def test_client_ids_are_scoped_to_a_room(server: RunningServer) -> None:
    client_id = str(uuid4())
    async with raw_client(server.url) as ann, raw_client(server.url) as eve:
        await ann.join("coffee", "ann")
        await ann.request("sendMessage", {"room": "coffee", "message": "hidden", "clientId": client_id})
        await eve.join("tea", "eve")
        response = await send_message(eve, "free", client_id)
        assert (response["seq"], response["duplicate"]) == (1, False)
