"""SIGKILL of a server under load, followed by a restart with the same database."""

import asyncio
import contextlib
import signal
from pathlib import Path

from tests.support.server_process import server_process
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room
from tui_chat.protocol.events import Message

CLIENTS = 5
MESSAGES = 40


async def test_messages_survive_a_killed_server_once_and_in_order(tmp_path: Path, unused_tcp_port: int) -> None:
    flags = ("--port", str(unused_tcp_port), "--rate-limit", "off")
    acknowledged: dict[str, int] = {}

    async def send_all(room: Room, name: str) -> None:
        for number in range(MESSAGES):
            text = f"{name} {number}"
            acknowledged[text] = (await room.send(text)).seq

    async def read_all(room: Room) -> list[tuple[int, str]]:
        received: list[tuple[int, str]] = []
        async for entry in room:
            assert isinstance(entry, Message)
            received.append((entry.seq, entry.message))
            if len(received) == CLIENTS * MESSAGES:
                break
        return received

    async with contextlib.AsyncExitStack() as clients:
        async with server_process(tmp_path, *flags) as server:
            names = [f"client {number}" for number in range(CLIENTS)]
            chats = [await clients.enter_async_context(ChatClient(server.url)) for _ in names]
            rooms = [await chat.join("tea", nick=name) for chat, name in zip(chats, names, strict=True)]
            reading = [asyncio.create_task(read_all(room)) for room in rooms]
            sending = [asyncio.create_task(send_all(room, name)) for room, name in zip(rooms, names, strict=True)]
            await wait_until(lambda: len(acknowledged) >= 30)
            server.send_signal(signal.SIGKILL)
            await server.wait_closed()
        assert len(acknowledged) < CLIENTS * MESSAGES
        async with server_process(tmp_path, *flags):
            async with asyncio.timeout(40):
                await asyncio.gather(*sending)
                logs = await asyncio.gather(*reading)
    expected = sorted((seq, text) for text, seq in acknowledged.items())
    assert [seq for seq, _ in expected] == list(range(1, CLIENTS * MESSAGES + 1))
    for log in logs:
        assert log == expected
    for room in rooms:
        assert [(message.seq, message.message) for message in room.log.messages()] == expected
