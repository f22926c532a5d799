"""A real terminal, and beside it clients that know nothing of it."""

import re
from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until

pytestmark = pytest.mark.needs_node


async def test_a_terminal_talks_with_plain_clients_and_sees_who_they_are(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        javascript_client("4.3.2") as bare,
        javascript_client("4.8.4") as grouped,
        terminal((*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann"), tmp_path / "ann", columns=120) as ann,
    ):
        await ann.wait_for_text("1 here")
        await bare.connect(server.url)
        bare.emit("joinRoom", "tea")
        await grouped.connect(server.url)
        grouped.emit("joinRoom", {"nickName": "小明", "id": 1, "roomId": "tea"})
        await ann.wait_for_text("3 here")
        for nick in ("guest", "小明"):
            await wait_until(lambda nick=nick: re.search(rf"{nick} +~", ann.screen_text()))
        assert not re.search(r"ann +~", ann.screen_text())
        bare.emit("sendMessage", {"room": "tea", "message": "from strings"})
        await ann.wait_for_text("from strings")
        grouped.emit("client_msg", {"msg": "from a group", "roomId": "tea"})
        await ann.wait_for_text("from a group")
        ann.write_keys("from the terminal\r")
        said = ["from strings", "from a group", "from the terminal"]
        await bare.wait_until(lambda: [text for text in bare.event_payloads("message") if text in said] == said)
        await grouped.wait_until(lambda: [push["msg"] for push in grouped.event_payloads("server_msg")] == said)
        await wait_until(lambda: re.findall("|".join(said), ann.screen_text()) == said)
        await ann.wait_for_text("✓ from the terminal")
        ann.write_keys("\x11")
        assert await ann.wait_closed() == 0
