"""Server crashes at each step of processing a message, followed by a restart."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.faults.injection import RestartableServer
from tests.support import crashing_server
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Offline, Online
from tui_chat.client.room import Room
from tui_chat.protocol.events import Entry
from tui_chat.protocol.responses import SendResponse

PROGRAM = (str(Path(crashing_server.__file__)),)


@pytest.fixture
async def server(tmp_path: Path, unused_tcp_port: int) -> AsyncGenerator[RestartableServer]:
    server = RestartableServer(tmp_path, unused_tcp_port, ("--rate-limit", "off"), PROGRAM)
    await server.start()
    yield server
    if server.process.process.returncode is None:
        server.process.process.kill()
        await server.process.wait_closed()


async def restart_after_crash(server: RestartableServer) -> None:
    code, _ = await server.process.wait_closed()
    assert code == crashing_server.CRASH_EXIT_CODE
    await server.start()


async def reconnect(*clients: ChatClient) -> None:
    """Reconnect all clients without backoff, and wait until they are online."""
    skipped_delays: dict[ChatClient, Offline] = {}

    def all_online() -> bool:
        for client in clients:
            # Once per delay: a call during an attempt would restart the attempt.
            if isinstance(client.state, Offline) and client.state is not skipped_delays.get(client):
                skipped_delays[client] = client.state
                client.reconnect_now()
        return all(isinstance(client.state, Online) for client in clients)

    await wait_until(all_online)


async def send_during_crash(server: RestartableServer, text: str) -> tuple[SendResponse, list[list[Entry]], list[Room]]:
    """Send `text`, which crashes the server; return the response, the received entries and the rooms."""
    async with ChatClient(server.process.url) as ann, ChatClient(server.process.url) as ben:
        rooms = [await ann.join("tea", nick="ann"), await ben.join("tea", nick="ben")]
        received: list[list[Entry]] = [[], []]

        async def collect(number: int) -> None:
            async for entry in rooms[number]:
                received[number].append(entry)

        collecting = [asyncio.create_task(collect(number)) for number in range(2)]
        await rooms[1].send("before")
        sending = asyncio.create_task(rooms[1].send(text))
        await restart_after_crash(server)
        await reconnect(ann, ben)
        async with asyncio.timeout(TIMEOUT):
            sent = await sending
        await rooms[1].send("after")
        await wait_until(lambda: all(entries and entries[-1].seq == 3 for entries in received))
        for task in collecting:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return sent, received, rooms


@pytest.mark.parametrize(
    ("text", "duplicate"),
    [
        (crashing_server.CRASH_BEFORE_ACK, True),
        (crashing_server.CRASH_BEFORE_FANOUT, False),
    ],
)
async def test_a_committed_message_appears_once_after_a_crash(
    server: RestartableServer, text: str, duplicate: bool
) -> None:
    sent, received, rooms = await send_during_crash(server, text)
    assert (sent.seq, sent.duplicate) == (2, duplicate)
    for entries, room in zip(received, rooms, strict=True):
        assert [entry.seq for entry in entries] == [1, 2, 3]
        assert [message.message for message in room.log.messages()] == ["before", text, "after"]


async def test_an_uncommitted_message_is_absent_after_a_crash(server: RestartableServer) -> None:
    async with ChatClient(server.process.url) as ann:
        tea = await ann.join("tea", nick="ann")
        sending = asyncio.create_task(tea.send(crashing_server.CRASH_BEFORE_COMMIT, timeout=TIMEOUT))
        code, _ = await server.process.wait_closed()
        assert code == crashing_server.CRASH_EXIT_CODE
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await server.start()
        await reconnect(ann)
        assert (await tea.send("after")).seq == 1
        await wait_until(lambda: [message.message for message in tea.log.messages()] == ["after"])
