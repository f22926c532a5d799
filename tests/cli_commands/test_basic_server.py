"""CLI commands against a basic server."""

from pathlib import Path

import pytest

from tests.support.basic_node_server import basic_node_server
from tests.support.cli_command import run_command

pytestmark = pytest.mark.needs_node


async def test_send_joins_a_basic_server_and_who_is_rejected(tmp_path: Path) -> None:
    async with basic_node_server() as server:
        room_args = ("--server", server.url, "--room", "tea", "--nick", "ann")
        notice = "chat-tui: this server requires a join; joining tea as ann\n"
        assert await run_command(tmp_path, "send", "from a script", *room_args) == (0, "", notice)
        assert server.received_texts() == ["from a script"]
        error = "chat-tui: A basic server supports only joining and sending.\n"
        assert await run_command(tmp_path, "who", *room_args) == (1, "", notice + error)
