"""All kinds of clients in one room across a crash of the server."""

import re
from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.chat_page import UNREACHABLE_ERRORS, open_chat_page
from tests.support.javascript_client import javascript_client
from tests.support.raw_client import raw_client
from tests.support.server_process import server_process
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until

pytestmark = [pytest.mark.needs_chromium, pytest.mark.needs_node]


def visible_texts(tui: PtyTerminal, *texts: str) -> list[str]:
    """Return the visible `texts` in screen order."""
    matches = re.findall("|".join(map(re.escape, texts)), tui.screen_text())
    return [str(text) for text in matches]


async def read_stored_texts(url: str, room: str) -> list[str]:
    async with raw_client(url) as reader:
        joined = await reader.join(room, "reader")
        return [entry["message"] for entry in joined["messages"]]


async def test_terminals_pages_and_a_script_agree_after_a_server_restart(
    browser: Browser, tmp_path: Path, unused_tcp_port: int
) -> None:
    flags = ("--database", str(tmp_path / "chat.db"), "--port", str(unused_tcp_port))
    async with (
        server_process(tmp_path, *flags) as server,
        terminal((*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann"), tmp_path / "ann") as ann,
        terminal((*CHAT_TUI, server.url, "--room", "tea", "--nick", "小明"), tmp_path / "ming", columns=120) as ming,
        javascript_client("4.8.4") as script,
    ):
        await ann.wait_for_text("2 here")
        page = await open_chat_page(browser, server.url, "Page")
        second_page = await open_chat_page(browser, server.url, "Other")
        await script.connect(server.url)
        script.emit("joinRoom", {"roomName": "tea", "nickName": "script"})
        for tui in (ann, ming):
            await tui.wait_for_text("5 here")
        ann.write_keys("from the terminal 你好\r")
        await page.expect_messages("from the terminal 你好")
        await page.send_message("from the page 👋")
        await ming.wait_for_text("from the page")
        script.emit(
            "sendMessage", {"room": "tea", "nickName": "script", "message": "from <img src=x onerror=alert(1)>"}
        )
        first_texts = ["from the terminal 你好", "from the page 👋", "from <img src=x onerror=alert(1)>"]
        for client_page in (page, second_page):
            await client_page.expect_messages(*first_texts)
            assert await client_page.page.locator("#timeline-lines img").count() == 0
        for tui in (ann, ming):
            await tui.wait_for_text("onerror")
        await script.wait_until(lambda: len([push for push in script.event_payloads("message") if "seq" in push]) == 3)

        server.process.kill()
        await server.wait_closed()
        for client_page in (page, second_page):
            await client_page.expect_connection_state("offline")
        await second_page.send_message("from a page while away")
        for tui in (ann, ming):
            await tui.wait_for_text("offline")
        ann.write_keys("typed while away\r")
        await ann.wait_for_text("typed while away")
        async with server_process(tmp_path, *flags):
            for client_page in (page, second_page):
                await client_page.page.evaluate("window.dispatchEvent(new Event('online'))")
            for tui in (ann, ming):
                await tui.wait_for_text("online")
            await ming.wait_for_text("typed while away")
            await ming.wait_for_text("from a page while away")
            await second_page.expect_all_sent()
            await page.send_message("welcome back")
            for tui in (ann, ming):
                await tui.wait_for_text("welcome back")
            # The server decides the order of the two messages written offline.
            texts = await read_stored_texts(server.url, "tea")
            assert texts[:3] == first_texts
            assert sorted(texts[3:5]) == ["from a page while away", "typed while away"]
            assert texts[5:] == ["welcome back"]
            for client_page in (page, second_page):
                await client_page.expect_messages(*texts)
            visible_parts = ["from the terminal", "from the page", "onerror", *texts[3:]]
            for tui in (ann, ming):
                await wait_until(lambda tui=tui: visible_texts(tui, *visible_parts) == visible_parts)
            for tui in (ann, ming):
                tui.write_keys("\x11")
                assert await tui.wait_closed() == 0
            for client_page in (page, second_page):
                client_page.tab.ignore_errors(*UNREACHABLE_ERRORS)
                client_page.assert_no_errors()
