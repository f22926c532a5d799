"""A real terminal, and beside it clients that know nothing of it."""

import re
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.javascript_client import javascript_client
from tests.support.serving import serving
from tests.support.terminal import CHAT_TUI, terminal

pytestmark = pytest.mark.needs_node


async def test_a_terminal_talks_with_plain_clients_and_sees_who_they_are(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as server,
        javascript_client("4.3.2") as bare,
        javascript_client("4.8.4") as grouped,
        terminal((*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann"), tmp_path / "ann", columns=120) as ann,
    ):
        await ann.wait_for("1 here")
        await bare.connect(server.url)
        bare.emit("joinRoom", "tea")
        await grouped.connect(server.url)
        grouped.emit("joinRoom", {"nickName": "小明", "id": 1, "roomId": "tea"})
        await ann.wait_for("3 here")
        for nick in ("guest", "小明"):
            await eventually(lambda nick=nick: re.search(rf"{nick} +~", ann.text()))
        assert not re.search(r"ann +~", ann.text())
        bare.emit("sendMessage", {"room": "tea", "message": "from strings"})
        await ann.wait_for("from strings")
        grouped.emit("client_msg", {"msg": "from a group", "roomId": "tea"})
        await ann.wait_for("from a group")
        ann.type("from the terminal\r")
        said = ["from strings", "from a group", "from the terminal"]
        await bare.until(lambda: [text for text in bare.events("message") if text in said] == said)
        await grouped.until(lambda: [push["msg"] for push in grouped.events("server_msg")] == said)
        await eventually(lambda: re.findall("|".join(said), ann.text()) == said)
        await ann.wait_for("✓ from the terminal")
        ann.type("\x11")
        assert await ann.ended() == 0
