"""The whole of it: a server process, two terminals, two pages and a JavaScript client in one room."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browser import chromium
from tests.support.eventually import eventually
from tests.support.javascript_client import javascript_client
from tests.support.raw_client import raw_client
from tests.support.server_process import server_process
from tests.support.terminal import CHAT_TUI, Terminal, terminal
from tests.support.visitor import UNREACHABLE, visitor

pytestmark = [pytest.mark.needs_chromium, pytest.mark.needs_node]


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


def said(shown: Terminal, *texts: str) -> list[str]:
    """Those of the texts that the terminal shows, in the order in which it shows them."""
    found = re.findall("|".join(map(re.escape, texts)), shown.text())
    return [str(text) for text in found]


async def stored(url: str, room: str) -> list[str]:
    async with raw_client(url) as reader:
        joined = await reader.join(room, "reader")
        return [entry["message"] for entry in joined["messages"]]


async def test_terminals_pages_and_a_script_talk_lose_the_server_and_agree(browser: Browser, tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "chat.db"))
    async with (
        server_process(tmp_path, *database) as server,
        terminal((*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann"), tmp_path / "ann") as ann,
        terminal((*CHAT_TUI, server.url, "--room", "tea", "--nick", "小明"), tmp_path / "ming", columns=120) as ming,
        javascript_client("4.8.4") as script,
    ):
        await ann.wait_for("2 here")
        page = await visitor(browser, server.url, "Page")
        other = await visitor(browser, server.url, "Other")
        await script.connect(server.url)
        script.emit("joinRoom", {"roomName": "tea", "nickName": "script"})
        for shown in (ann, ming):
            await shown.wait_for("5 here")
        ann.type("from the terminal 你好\r")
        await page.sees("from the terminal 你好")
        await page.say("from the page 👋")
        await ming.wait_for("from the page")
        script.emit(
            "sendMessage", {"room": "tea", "nickName": "script", "message": "from <img src=x onerror=alert(1)>"}
        )
        before = ["from the terminal 你好", "from the page 👋", "from <img src=x onerror=alert(1)>"]
        for one in (page, other):
            await one.sees(*before)
            assert await one.page.locator("#lines img").count() == 0
        for shown in (ann, ming):
            await shown.wait_for("onerror")
        await script.until(lambda: len([push for push in script.events("message") if "seq" in push]) == 3)

        server.process.kill()
        await server.ended()
        for one in (page, other):
            await one.online("offline")
        await other.say("from a page while away")
        for shown in (ann, ming):
            await shown.wait_for("offline")
        ann.type("typed while away\r")
        await ann.wait_for("typed while away")
        async with server_process(tmp_path, *database, "--port", str(server.port)):
            for one in (page, other):
                await one.page.evaluate("window.dispatchEvent(new Event('online'))")
            for shown in (ann, ming):
                await shown.wait_for("online")
            await ming.wait_for("typed while away")
            await ming.wait_for("from a page while away")
            await other.all_sent()
            await page.say("welcome back")
            for shown in (ann, ming):
                await shown.wait_for("welcome back")
            # Two wrote while there was no server; whose came first is the server's to say, and all agree on it.
            texts = await stored(server.url, "tea")
            assert texts[:3] == before
            assert sorted(texts[3:5]) == ["from a page while away", "typed while away"]
            assert texts[5:] == ["welcome back"]
            for one in (page, other):
                await one.sees(*texts)
            parts = ["from the terminal", "from the page", "onerror", *texts[3:]]
            for shown in (ann, ming):
                await eventually(lambda shown=shown: said(shown, *parts) == parts)
            for shown in (ann, ming):
                shown.type("\x11")
                assert await shown.ended() == 0
            for one in (page, other):
                one.tab.forgive(*UNREACHABLE)
                one.behaved()
