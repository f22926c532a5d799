"""Scripts on a server that knows only the plain events."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.basic_node_server import basic_node_server

pytestmark = pytest.mark.needs_node


async def ran(home: Path, *words: str) -> tuple[int | None, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_chat", *words, "--room", "tea", "--nick", "ann"),
        stdout=pipe,
        stderr=pipe,
        env={"HOME": str(home), "LANG": "C.UTF-8", "PATH": ""},
    )
    out, errors = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, out.decode(), errors.decode()


async def test_a_script_says_something_once_and_is_told_that_nobody_is_listed(tmp_path: Path) -> None:
    async with basic_node_server() as server:
        at = ("--server", server.url)
        assert await ran(tmp_path, "send", "from a script", *at) == (0, "", "")
        assert server.received_texts() == ["from a script"]
        told = "chat-tui: This is a plain server: it knows only joining and talking.\n"
        assert await ran(tmp_path, "who", *at) == (1, "", told)
