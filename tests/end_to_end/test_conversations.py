"""Acceptance of the conversation dialect: a web application in Node.js, with terminals in its group."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.protocol.events import Message
from tui_chat.session.store.login_store import LoginStore, SavedLogin

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
    """Terminal client of an account in a group of the web application, and an observer of the entries of the group.

    Args:
        url: URL of the server.
        stack: Owner of the clients.
        home: Home directory of the terminal client.
        picture: Image file that the terminal client sends.
    """

    def __init__(self, url: str, stack: AsyncExitStack, home: Path, picture: Path) -> None:
        self._url = url
        self._home = home
        self._picture = picture
        self._stack = stack
        self._sent_seq = 0

    async def run(self, step: str, values: dict[str, Any]) -> dict[str, Any]:
        """Run a step of the web application, and return its result."""
        return await getattr(self, "_" + step.replace(" ", "_"))(**values)

    async def _join(self, token: str, account: str, title: str) -> dict[str, Any]:
        self._chat = await self._stack.enter_async_context(ChatClient(self._url, token=token))
        memberships = await self._chat.owned_rooms.list_memberships()
        (membership,) = [membership for membership in memberships if membership.title == title]
        self._room = await self._chat.join(membership.name, nick="ignored")
        login = SavedLogin(server=self._url, account=account, token=token)
        assert LoginStore(self._home / ".local/state/tui-chat").save(login) == ""
        command = (*CHAT_TUI, self._url, "--room", membership.name, "--nick", "ignored")
        self._tui = await self._stack.enter_async_context(terminal(command, self._home, rows=40))
        await self._tui.wait_for_text("語語語")
        return {"texts": [message.message for message in self._room.log.messages()]}

    async def _send(self, text: str) -> dict[str, Any]:
        self._tui.write_keys(f"{text}\r")
        sent = await self._wait_for_message(lambda message: message.message == text)
        self._sent_seq = sent.seq
        return {"id": sent.id}

    async def _send_file(self, text: str) -> dict[str, Any]:
        if text:
            return {"id": (await self._room.send(text, files=[self._picture])).id}
        self._tui.write_keys(f"/upload {self._picture}\r")
        sent = await self._wait_for_message(
            lambda message: (
                not message.message and [file.name for file in message.attachments or []] == [self._picture.name]
            )
        )
        return {"id": sent.id}

    async def _receive(self, entry_id: int) -> dict[str, Any]:
        message = await self._wait_for_message(lambda message: message.id == entry_id)
        files = message.attachments or []
        for text in (message.message, *(file.name for file in files)):
            await self._tui.wait_for_text(text)
        types = [f"{file.type} {file.name}" for file in files]
        return {"text": message.message, "nickname": message.nick_name, "files": types}

    async def _edit(self, text: str) -> dict[str, Any]:
        self._tui.write_keys(f"/edit {text}\r")
        await self._wait_for_message(lambda message: message.seq == self._sent_seq and message.message == text)
        return {}

    async def _delete(self) -> dict[str, Any]:
        await self._room.delete(self._sent_seq)
        await self._tui.wait_for_text("message deleted")
        return {}

    async def _wait_for_message(self, is_expected: Callable[[Message], bool]) -> Message:
        await wait_until(lambda: any(map(is_expected, self._room.log.messages())))
        return next(filter(is_expected, self._room.log.messages()))

    async def _post_as_guest(self, nickname: str, text: str) -> dict[str, Any]:
        invite = await self._chat.owned_rooms.create_invite(self._room.name)
        guest = await self._stack.enter_async_context(ChatClient(self._url))
        room = await guest.join(self._room.name, nick=nickname, invite=invite.code)
        await room.send(text)
        return {}


@pytest.mark.timeout(240)  # 6 seconds of CPU time
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
        terminals = Terminals(server.url, stack, tmp_path / "alice", picture)
        async for line in process.stdout:
            request = json.loads(line)
            result = await terminals.run(request.pop("step"), request)
            process.stdin.write(json.dumps(result).encode() + b"\n")
        errors = (await process.stderr.read()).decode()
        assert await process.wait() == 0, errors
