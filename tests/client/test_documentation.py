"""The examples of docs/clients.md are run as they stand there."""

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
    """The first example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found
    return found[1]


def for_server(code: str, url: str) -> str:
    assert "http://localhost:3000" in code
    return code.replace("http://localhost:3000", url)


async def test_the_bot_answers(server: RunningServer, tmp_path: Path) -> None:
    script = tmp_path / "bot.py"
    script.write_text(for_server(example("python"), server.url))
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        bot = await asyncio.create_subprocess_exec(sys.executable, str(script), env=ENVIRONMENT)
        try:
            await wait_until(lambda: len(tea.members) == 2)
            asked = await tea.send("!echo hello there")
            await wait_until(lambda: len(tea.log) == 2)
            answer = tea.log[asked.seq + 1]
            assert (answer.message, answer.nick_name, answer.reply_to) == ("hello there", "echo", asked.seq)
        finally:
            bot.terminate()
            await bot.wait()


@pytest.mark.needs_node
async def test_the_javascript_client_talks(server: RunningServer) -> None:
    node = require_node()
    code = for_server(example("javascript"), server.url)
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


def test_the_bot_needs_no_screen() -> None:
    code = (
        "import sys, tui_chat.client.client, tui_chat.client.net.transport; print({*sys.modules} & {'textual', 'rich'})"
    )
    assert _output(code) == "set()"


def test_the_libraries_behind_a_connection_are_not_loaded_before_there_is_one() -> None:
    code = "import sys, tui_chat.client.client; print({*sys.modules} & {'socketio', 'engineio', 'aiohttp'})"
    assert _output(code) == "set()"


def _output(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return done.stdout.strip()
