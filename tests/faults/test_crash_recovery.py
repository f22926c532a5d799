"""The server dies between two steps of a message's way; whoever comes back finds it said once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.faults.injection import RestartableServer
from tests.support import crashing_server
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Online
from tui_chat.client.room import Room
from tui_chat.protocol.events import Entry
from tui_chat.protocol.responses import SendResponse

PROGRAM = (str(Path(crashing_server.__file__)),)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RestartableServer]:
    server = RestartableServer(tmp_path, ("--rate-limit", "off"), PROGRAM)
    await server.start()
    yield server
    if server.process.process.returncode is None:
        server.process.process.kill()
        await server.process.wait_closed()


async def died_and_started_again(server: RestartableServer) -> None:
    code, _ = await server.process.wait_closed()
    assert code == crashing_server.CRASH_EXIT_CODE
    await server.start()


async def online(*clients: ChatClient) -> None:
    """Wait until all are, without waiting for their next attempt."""

    def all_online() -> bool:
        for client in clients:
            client.reconnect_now()
        return all(isinstance(client.state, Online) for client in clients)

    await wait_until(all_online)


async def said_over_a_crash(server: RestartableServer, text: str) -> tuple[SendResponse, list[list[Entry]], list[Room]]:
    """Say it to a server that dies of it: the answer, what everybody was given, and everybody's room."""
    async with ChatClient(server.process.url) as ann, ChatClient(server.process.url) as ben:
        rooms = [await ann.join("tea", nick="ann"), await ben.join("tea", nick="ben")]
        given: list[list[Entry]] = [[], []]

        async def read(number: int) -> None:
            async for entry in rooms[number]:
                given[number].append(entry)

        reading = [asyncio.create_task(read(number)) for number in range(2)]
        await rooms[1].send("before")
        sending = asyncio.create_task(rooms[1].send(text))
        await died_and_started_again(server)
        await online(ann, ben)
        async with asyncio.timeout(TIMEOUT):
            sent = await sending
        await rooms[1].send("after")
        await wait_until(lambda: all(entries and entries[-1].seq == 3 for entries in given))
        for task in reading:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return sent, given, rooms


@pytest.mark.parametrize(
    ("text", "duplicate"),
    [
        (crashing_server.CRASH_BEFORE_ACK, True),
        (crashing_server.CRASH_BEFORE_FANOUT, False),
    ],
)
async def test_what_was_written_before_a_crash_is_said_once(
    server: RestartableServer, text: str, duplicate: bool
) -> None:
    sent, given, rooms = await said_over_a_crash(server, text)
    assert (sent.seq, sent.duplicate) == (2, duplicate)
    for entries, room in zip(given, rooms, strict=True):
        assert [entry.seq for entry in entries] == [1, 2, 3]
        assert [message.message for message in room.log.messages()] == ["before", text, "after"]


async def test_what_was_not_written_before_a_crash_is_not_there_and_can_be_said(server: RestartableServer) -> None:
    async with ChatClient(server.process.url) as ann:
        tea = await ann.join("tea", nick="ann")
        sending = asyncio.create_task(tea.send(crashing_server.CRASH_BEFORE_COMMIT, timeout=TIMEOUT))
        code, _ = await server.process.wait_closed()
        assert code == crashing_server.CRASH_EXIT_CODE
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await server.start()
        await online(ann)
        assert (await tea.send("after")).seq == 1
        await wait_until(lambda: [message.message for message in tea.log.messages()] == ["after"])
