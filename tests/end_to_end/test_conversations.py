"""Acceptance of the conversation dialect: a web application in Node.js, with terminals in its group."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""Image of one pixel."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<!doctype html><title>groups</title>")
    async with running_server(
        tmp_path,
        conversations="on",
        registration="open",
        rate_limit="off",
        pages=str(pages),
        pages_fallback="index.html",
    ) as running:
        yield running


class Terminals:
    """Terminals in a group of the web application.

    Args:
        url: Address of the server.
        stack: Owner of the clients.
        picture: Image file that a terminal sends.
    """

    def __init__(self, url: str, stack: AsyncExitStack, picture: Path) -> None:
        self._url = url
        self._picture = picture
        self._stack = stack
        self._sent_seq = 0

    async def run(self, step: str, values: dict[str, Any]) -> dict[str, Any]:
        """Run a step of the web application, and return its result."""
        return await getattr(self, "_" + step.replace(" ", "_"))(**values)

    async def _join(self, token: str, title: str) -> dict[str, Any]:
        self._chat = await self._stack.enter_async_context(ChatClient(self._url, token=token))
        (membership,) = [own for own in await self._chat.owned_rooms.list_memberships() if own.title == title]
        self._room = await self._chat.join(membership.name, nick="ignored")
        return {"texts": [message.message for message in self._room.log.messages()]}

    async def _send(self, text: str) -> dict[str, Any]:
        sent = await self._room.send(text)
        self._sent_seq = sent.seq
        return {"id": sent.id}

    async def _send_file(self, text: str) -> dict[str, Any]:
        return {"id": (await self._room.send(text, files=[self._picture])).id}

    async def _receive(self, entry_id: int) -> dict[str, Any]:
        await wait_until(lambda: any(message.id == entry_id for message in self._room.log.messages()))
        (message,) = [message for message in self._room.log.messages() if message.id == entry_id]
        files = [f"{file.type} {file.name}" for file in message.attachments or []]
        return {"text": message.message, "nickname": message.nick_name, "files": files}

    async def _edit(self, text: str) -> dict[str, Any]:
        await self._room.edit(self._sent_seq, text)
        return {}

    async def _delete(self) -> dict[str, Any]:
        await self._room.delete(self._sent_seq)
        return {}

    async def _post_as_guest(self, nickname: str, text: str) -> dict[str, Any]:
        invite = await self._chat.owned_rooms.create_invite(self._room.name)
        guest = await self._stack.enter_async_context(ChatClient(self._url))
        room = await guest.join(self._room.name, nick=nickname, invite=invite.code)
        await room.send(text)
        return {}


async def test_two_people_use_the_web_application_with_terminals(server: RunningServer, tmp_path: Path) -> None:
    picture = tmp_path / "terminal.png"
    picture.write_bytes(PNG)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        require_node(),
        str(JAVASCRIPT_DIRECTORY / "conversation_app.mjs"),
        server.url,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        limit=1 << 20,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    async with AsyncExitStack() as stack:
        terminals = Terminals(server.url, stack, picture)
        async for line in process.stdout:
            request = json.loads(line)
            result = await terminals.run(request.pop("step"), request)
            process.stdin.write(json.dumps(result).encode() + b"\n")
        errors = (await process.stderr.read()).decode()
        assert await process.wait() == 0, errors
