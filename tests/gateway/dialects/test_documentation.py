"""Examples and overview of docs/dialects.md, and the basic client of docs/protocol.md."""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest

from server.app import RunningServer
from server.gateway.dialects import registry
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient

DOCUMENT = (Path(__file__).parents[3] / "docs" / "dialects.md").read_text()
PROTOCOL = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """Server with the default settings."""
    async with running_server(tmp_path) as running:
        yield running


def example(heading: str, language: str) -> str:
    """Return the first code block of `language` under `heading`."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    match = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert match
    return match[1]


@asynccontextmanager
async def running_example(code: str, language: str, url: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run an example with the URL of a server, until the end of the context."""
    is_javascript = language == "javascript"
    command = (require_node(), "--input-type=module", "-e") if is_javascript else (sys.executable, "-u", "-c")
    assert "http://localhost:3000" in code
    code = code.replace("http://localhost:3000", url).replace('"socket.io-client"', '"socket.io-client-4.8.4"')
    script = await asyncio.create_subprocess_exec(
        *command, code, cwd=JAVASCRIPT_DIRECTORY, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield script
    finally:
        if script.returncode is None:
            script.terminate()
        await script.communicate()


async def read_line(script: asyncio.subprocess.Process) -> str:
    """Return the next line that the example prints."""
    assert script.stdout is not None
    line = await asyncio.wait_for(script.stdout.readline(), TIMEOUT)
    assert line, "the example has ended"
    return line.decode().strip()


def test_each_dialect_has_a_row_and_a_section_or_a_page() -> None:
    overview = DOCUMENT.split("\n## Overview\n")[1].split("\n## ")[0]
    for dialect_type in registry.DIALECT_TYPES:
        assert f"| [`{dialect_type.name}`](" in overview, dialect_type
        assert dialect_type.name == "native" or f"\n## {dialect_type.name}\n" in DOCUMENT, dialect_type


LANGUAGES = [pytest.param("javascript", marks=pytest.mark.needs_node), "python"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("heading", "nick", "printed"),
    [
        ("object_join", "{short}", ["{short}: {short} 加入了 tea 房间", "{short}: hi", "ann: hello"]),
        ("string_join", "guest", ["新用户加入了 tea 房间", "hi", "hello"]),
        ("server_msg", "{short}", ["ann, {short}", "me: hi", "ann: hello"]),
    ],
)
async def test_dialect_examples_exchange_messages(
    server: RunningServer, language: str, heading: str, nick: str, printed: list[str]
) -> None:
    short = {"javascript": "js", "python": "py"}[language]
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        async with running_example(example(heading, language), language, server.url) as script:
            await wait_until(lambda: len(tea.log) == 1)
            assert (tea.log[1].nick_name, tea.log[1].message) == (nick.format(short=short), "hi")
            await tea.send("hello")
            expected = [line.format(short=short) for line in printed]
            lines: list[str] = []
            while len(lines) < len(expected):
                if (line := await read_line(script)) not in lines:  # a user list may arrive twice
                    lines.append(line)
            assert lines == expected


@pytest.mark.needs_node
async def test_the_basic_client_example_of_the_protocol_runs(server: RunningServer) -> None:
    code = PROTOCOL.split("\n## Basic clients\n")[1].split("```js\n")[1].split("```")[0]
    async with running_example(code, "javascript", server.url) as script:
        assert [await read_line(script) for _ in range(2)] == ["小明 小明 加入了 tea 房间", "小明 hi"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_resource_crud_example_lists_rooms(server: RunningServer, language: str) -> None:
    short = {"javascript": "js", "python": "py"}[language]
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("hello")
        async with running_example(example("resource_crud", language), language, server.url) as script:
            output, _ = await asyncio.wait_for(script.communicate(), TIMEOUT)
    lines = output.decode().splitlines()
    assert lines[0] == f"{short} room scripts"
    assert sorted(lines[1:-1]) == sorted([f"{short} room (0)", "tea (1)", "ann: hello"])
    assert lines[-1] == f"removed {short} room"
    assert script.returncode == 0


async def test_the_example_dialect_translates_joins_messages_and_pushes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("single")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(example("Adding a dialect", "python"), "docs/dialects.md", "exec"), module.__dict__)
    monkeypatch.setattr(
        registry, "DIALECT_TYPES", (*registry.DIALECT_TYPES[:-1], module.Single, registry.DIALECT_TYPES[-1])
    )
    async with running_server(tmp_path) as server, raw_client(server.url) as ann, raw_client(server.url) as bob:
        assert (await bob.request("chatMessage", "too early"))["error"]["code"] == "not_joined"
        await ann.join("tea", "ann")
        await bob.ws.send_str('42["joinRoom",{"username":"bob","room":"tea"}]')
        assert await bob.wait_for_push("message") == {"username": "bob", "text": "bob 加入了 tea 房间"}
        await bob.ws.send_str('42["chatMessage","hi"]')
        assert await bob.wait_for_push("message") == {"username": "bob", "text": "hi"}
        await ann.request("sendMessage", {"room": "tea", "message": "hello"})
        assert await bob.wait_for_push("message") == {"username": "ann", "text": "hello"}
        assert [member.get("via") for member in (await ann.join("tea", "ann"))["members"]] == [None, "single"]
