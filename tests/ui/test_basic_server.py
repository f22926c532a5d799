"""chat-tui on a basic server, which acknowledges nothing, tested through a pseudo-terminal."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.basic_node_server import basic_node_server
from tests.support.free_port import reserved_port
from tests.support.javascript_client import javascript_client
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until

pytestmark = pytest.mark.needs_node

NOTICE = "Basic server: no history, no member list, no delivery status."


def row_with(tty: PtyTerminal, text: str) -> str:
    """Return the first row with a text, "" without one."""
    return next((row for row in tty.screen_text().splitlines() if text in row), "")


@pytest.fixture
def port() -> Generator[int]:
    """Port of both servers of a test."""
    with reserved_port() as port:
        yield port


async def test_messages_on_a_basic_server_are_never_sent_twice(tmp_path: Path, port: int) -> None:
    async with basic_node_server("4.3.2", port=port) as server:
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, tmp_path, columns=100) as ann, javascript_client("4.3.2") as page:
            await ann.wait_for_text(NOTICE)
            ann.write_keys("/set joins all\r")
            await page.connect(server.url)
            page.emit("joinRoom", {"roomName": "tea", "nickName": "小明"})
            await ann.wait_for_text("joined")
            ann.write_keys("你好 from the terminal\r")
            await wait_until(lambda: "✓" in row_with(ann, "from the terminal"))
            page.emit("sendMessage", {"room": "tea", "nickName": "小明", "message": "你好 from the page"})
            await ann.wait_for_text("from the page")
            await page.wait_until(
                lambda: "你好 from the terminal" in [push["message"] for push in page.event_payloads("message")]
            )

            server.configure(echoes=False)
            ann.write_keys("lost on its way\r")
            await wait_until(lambda: server.received_texts()[-1] == "lost on its way")
            server.disconnect_all()
            await ann.wait_for_text("not confirmed")
            assert "?" in row_with(ann, "lost on its way")
            server.configure(echoes=True)
            ann.write_keys("after the break\r")
            await wait_until(lambda: "✓" in row_with(ann, "after the break"))
            assert server.received_texts().count("lost on its way") == 1
            assert ann.screen_text().count(NOTICE) == 1
            ann.write_keys("\x11")
            assert await ann.wait_closed() == 0
            assert server.received_texts().count("lost on its way") == 1
    async with basic_node_server(port=port) as server, terminal(command, tmp_path, columns=100) as ann:
        await ann.wait_for_text("not confirmed")  # only the user can decide on a retry
        ann.write_keys("hello again\r")
        await wait_until(lambda: "✓" in row_with(ann, "hello again"))
        await wait_until(lambda: server.received_texts() == ["hello again"])
        ann.write_keys("\x11")
        assert await ann.wait_closed() == 0
