"""The server dies without a word while everybody talks, and comes back: everything said is said once."""

import asyncio
import contextlib
import signal
from pathlib import Path

from tests.support.server_process import server_process
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room
from tui_chat.protocol.events import Message

PEOPLE = 5
MESSAGES = 40


async def test_a_killed_server_loses_doubles_and_reorders_nothing(tmp_path: Path, unused_port: int) -> None:
    flags = ("--port", str(unused_port), "--rate-limit", "off")
    answers: dict[str, int] = {}

    async def talk(room: Room, name: str) -> None:
        for number in range(MESSAGES):
            text = f"{name} {number}"
            answers[text] = (await room.send(text)).seq

    async def read(room: Room) -> list[tuple[int, str]]:
        heard: list[tuple[int, str]] = []
        async for entry in room:
            assert isinstance(entry, Message)
            heard.append((entry.seq, entry.message))
            if len(heard) == PEOPLE * MESSAGES:
                break
        return heard

    async with contextlib.AsyncExitStack() as clients:
        async with server_process(tmp_path, *flags) as server:
            names = [f"person {number}" for number in range(PEOPLE)]
            chats = [await clients.enter_async_context(ChatClient(server.url)) for _ in names]
            rooms = [await chat.join("tea", nick=name) for chat, name in zip(chats, names, strict=True)]
            reading = [asyncio.create_task(read(room)) for room in rooms]
            talking = [asyncio.create_task(talk(room, name)) for room, name in zip(rooms, names, strict=True)]
            await wait_until(lambda: len(answers) >= 30)
            server.send_signal(signal.SIGKILL)
            await server.wait_closed()
        assert len(answers) < PEOPLE * MESSAGES
        async with server_process(tmp_path, *flags):
            async with asyncio.timeout(40):
                await asyncio.gather(*talking)
                logs = await asyncio.gather(*reading)
    said = sorted((seq, text) for text, seq in answers.items())
    assert [seq for seq, _ in said] == list(range(1, PEOPLE * MESSAGES + 1))
    for log in logs:
        assert log == said
    for room in rooms:
        assert [(message.seq, message.message) for message in room.log.messages()] == said
