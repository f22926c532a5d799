"""Terminal client and basic clients in one room."""

import re
from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until

pytestmark = pytest.mark.needs_node


async def test_a_terminal_exchanges_messages_with_basic_clients(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        javascript_client("4.3.2") as string_join,
        javascript_client("4.8.4") as server_msg,
        terminal((*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann"), tmp_path / "ann", columns=120) as ann,
    ):
        await ann.wait_for_text("1 here")
        await string_join.connect(server.url)
        string_join.emit("joinRoom", "tea")
        await server_msg.connect(server.url)
        server_msg.emit("joinRoom", {"nickName": "小明", "id": 1, "roomId": "tea"})
        await ann.wait_for_text("3 here")
        for nick in ("guest", "小明"):
            await wait_until(lambda nick=nick: re.search(rf"{nick} +~", ann.screen_text()))
        assert not re.search(r"ann +~", ann.screen_text())
        string_join.emit("sendMessage", {"room": "tea", "message": "from strings"})
        await ann.wait_for_text("from strings")
        server_msg.emit("client_msg", {"msg": "from a group", "roomId": "tea"})
        await ann.wait_for_text("from a group")
        ann.write_keys("from the terminal\r")
        expected = ["from strings", "from a group", "from the terminal"]
        await string_join.wait_until(
            lambda: [text for text in string_join.event_payloads("message") if text in expected] == expected
        )
        await server_msg.wait_until(
            lambda: [push["msg"] for push in server_msg.event_payloads("server_msg")] == expected
        )
        await wait_until(lambda: re.findall("|".join(expected), ann.screen_text()) == expected)
        await ann.wait_for_text("✓ from the terminal")
        ann.write_keys("\x11")
        assert await ann.wait_closed() == 0
