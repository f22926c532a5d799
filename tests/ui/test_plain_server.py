"""The terminal on a server that knows only the plain events, in a real pseudo-terminal."""

from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.javascript_client import javascript_client
from tests.support.plain_server import plain_server
from tests.support.terminal import CHAT_TUI, Terminal, terminal

pytestmark = pytest.mark.needs_node

NOTICE = "Plain server: no history, no members, no delivery marks."


def row_with(shown: Terminal, text: str) -> str:
    return next((row for row in shown.text().splitlines() if text in row), "")


async def test_a_terminal_talks_over_a_plain_server_and_says_nothing_twice(tmp_path: Path) -> None:
    async with plain_server("4.3.2") as server:
        port = server.port
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, tmp_path, columns=100) as ann, javascript_client("4.3.2") as page:
            await ann.wait_for(NOTICE)
            await page.connect(server.url)
            page.emit("joinRoom", {"roomName": "tea", "nickName": "小明"})
            await ann.wait_for("joined")
            ann.type("你好 from the terminal\r")
            await eventually(lambda: "✓" in row_with(ann, "from the terminal"))
            page.emit("sendMessage", {"room": "tea", "nickName": "小明", "message": "你好 from the page"})
            await ann.wait_for("from the page")
            await page.until(lambda: "你好 from the terminal" in [push["message"] for push in page.events("message")])

            server.manner(echoes=False)
            ann.type("lost on its way\r")
            await eventually(lambda: server.said()[-1] == "lost on its way")
            server.cut()
            await ann.wait_for("perhaps sent")
            assert "?" in row_with(ann, "lost on its way")
            server.manner(echoes=True)
            ann.type("after the break\r")
            await eventually(lambda: "✓" in row_with(ann, "after the break"))
            assert server.said().count("lost on its way") == 1
            assert ann.text().count(NOTICE) == 1
            ann.type("\x11")
            assert await ann.ended() == 0
            assert server.said().count("lost on its way") == 1
    async with plain_server(port=port) as server, terminal(command, tmp_path, columns=100) as ann:
        await ann.wait_for("perhaps sent")  # it is still not known, and still for the person to say
        ann.type("hello again\r")
        await eventually(lambda: "✓" in row_with(ann, "hello again"))
        assert server.said() == ["hello again"]
        ann.type("\x11")
        assert await ann.ended() == 0
