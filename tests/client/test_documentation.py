"""Execution of the code examples in docs/clients.md."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "clients.md"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


def example(language: str) -> str:
    """Return the first code block of `language` in the document."""
    match = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert match
    return match[1]


def with_server_url(code: str, url: str) -> str:
    assert "http://localhost:3000" in code
    return code.replace("http://localhost:3000", url)


async def test_the_bot_example_replies_to_a_command(server: RunningServer, tmp_path: Path) -> None:
    script = tmp_path / "bot.py"
    script.write_text(with_server_url(example("python"), server.url))
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        bot = await asyncio.create_subprocess_exec(sys.executable, str(script), env=ENVIRONMENT)
        try:
            await wait_until(lambda: len(tea.members) == 2)
            command = await tea.send("!echo hello there")
            await wait_until(lambda: len(tea.log) == 2)
            reply = tea.log[command.seq + 1]
            assert (reply.message, reply.nick_name, reply.reply_to) == ("hello there", "echo", command.seq)
        finally:
            bot.terminate()
            await bot.wait()


@pytest.mark.needs_node
async def test_the_javascript_example_exchanges_messages(server: RunningServer) -> None:
    node = require_node()
    code = with_server_url(example("javascript"), server.url)
    code = code.replace('"socket.io-client"', '"socket.io-client-4.8.4"')
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("what time is it?")
        clock = await asyncio.create_subprocess_exec(
            *(node, "--input-type=module", "-e", code), cwd=JAVASCRIPT_DIRECTORY, stdout=asyncio.subprocess.PIPE
        )
        try:
            await wait_until(lambda: len(tea.log) == 2)
            assert tea.log[2].message.startswith("It is ")
            await tea.send("thank you")
            assert clock.stdout is not None
            lines = [(await asyncio.wait_for(clock.stdout.readline(), 20)).decode().strip() for _ in range(3)]
            assert lines == ["ann: what time is it?", f"clock: {tea.log[2].message}", "ann: thank you"]
        finally:
            clock.terminate()
            await clock.communicate()


def test_the_sdk_imports_no_terminal_library() -> None:
    code = (
        "import sys, tui_chat.client.client, tui_chat.client.net.transport; print({*sys.modules} & {'textual', 'rich'})"
    )
    assert _output(code) == "set()"


def test_the_sdk_imports_network_libraries_on_first_connection() -> None:
    code = "import sys, tui_chat.client.client; print({*sys.modules} & {'socketio', 'engineio', 'aiohttp'})"
    assert _output(code) == "set()"


def _output(code: str) -> str:
    completed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    return completed.stdout.strip()
