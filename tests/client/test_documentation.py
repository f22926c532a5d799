"""Code examples in docs/clients.md, and names and imports of the SDK."""

import ast
import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import get_args

import pytest

from server.app import RunningServer
from tests.support.environment import program_environment
from tests.support.program import start_program
from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node
from tests.support.wait import TIMEOUT, wait_until
from tui_chat import sdk
from tui_chat.protocol.errors import ERRORS_BY_CODE
from tui_chat.sdk import ChatClient, ClientEvent, Entry

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "clients.md"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def example(language: str) -> str:
    """Return the first code block of `language` in the document."""
    match = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert match
    return match[1]


def with_server_url(code: str, url: str) -> str:
    """Return the code of an example with the URL of a server in place of the documented one."""
    assert "http://localhost:3000" in code
    return code.replace("http://localhost:3000", url)


async def test_the_bot_example_replies_to_a_command(server: RunningServer, tmp_path: Path) -> None:
    script = tmp_path / "bot.py"
    script.write_text(with_server_url(example("python"), server.url))
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        bot = await start_program((sys.executable, str(script)), program_environment(tmp_path))
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
            lines = [(await asyncio.wait_for(clock.stdout.readline(), TIMEOUT)).decode().strip() for _ in range(3)]
            assert lines == ["ann: what time is it?", f"clock: {tea.log[2].message}", "ann: thank you"]
        finally:
            clock.terminate()
            await clock.communicate()


def test_the_examples_use_only_names_of_the_sdk() -> None:
    blocks = [dedent(code) for code in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)]
    assert len(blocks) > 3
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # fragments use `await` outside of functions
    for block in blocks:
        nodes = list(ast.walk(compile(block, DOCUMENT.name, "exec", flags)))
        modules = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        modules |= {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
        assert {module for module in modules if module.split(".")[0] in ("tui_chat", "server")} <= {"tui_chat.sdk"}
        types = {node.id for node in nodes if isinstance(node, ast.Name) and node.id[0].isupper()}
        assert types - {"Path"} <= set(sdk.__all__)


def test_the_sdk_exports_each_error_code_and_each_event_and_entry_type() -> None:
    exported = {getattr(sdk, name) for name in sdk.__all__}
    assert exported >= {*ERRORS_BY_CODE.values(), *get_args(ClientEvent), *get_args(Entry)}


def test_the_sdk_imports_no_terminal_library() -> None:
    code = "import sys, tui_chat.sdk, tui_chat.client.net.transport; print({*sys.modules} & {'textual', 'rich'})"
    assert _output(code) == "set()"


def test_importing_the_sdk_imports_no_network_library() -> None:
    code = "import sys, tui_chat.sdk; print({*sys.modules} & {'socketio', 'engineio', 'aiohttp'})"
    assert _output(code) == "set()"


def test_the_sdk_imports_only_client_and_protocol() -> None:
    code = (
        "import sys, tui_chat.sdk; print(*sorted(m for m in sys.modules if m.split('.')[0] in {'tui_chat', 'server'}))"
    )
    packages = {".".join(module.split(".")[:2]) for module in _output(code).split()}
    assert packages == {"tui_chat", "tui_chat.sdk", "tui_chat.client", "tui_chat.protocol"}


def _output(code: str) -> str:
    """Return the stripped standard output of a program in a new interpreter."""
    completed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    return completed.stdout.strip()
