"""CLI commands against a basic server."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.basic_node_server import basic_node_server

pytestmark = pytest.mark.needs_node


async def run_command(home: Path, *args: str) -> tuple[int | None, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_chat", *args, "--room", "tea", "--nick", "ann"),
        stdout=pipe,
        stderr=pipe,
        env={"HOME": str(home), "LANG": "C.UTF-8", "PATH": ""},
    )
    output, errors = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, output.decode(), errors.decode()


async def test_send_works_and_who_fails_on_a_basic_server(tmp_path: Path) -> None:
    async with basic_node_server() as server:
        server_args = ("--server", server.url)
        notice = "chat-tui: this server requires a join; joining tea as ann\n"
        assert await run_command(tmp_path, "send", "from a script", *server_args) == (0, "", notice)
        assert server.received_texts() == ["from a script"]
        error = "chat-tui: A basic server supports only joining and sending.\n"
        assert await run_command(tmp_path, "who", *server_args) == (1, "", notice + error)
