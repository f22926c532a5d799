"""What is written and not sent: through reloads, the end of its tab, and beside other tabs."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import Tab, open_tab
from tests.support.raw_client import raw_client
from tests.support.serving import serving
from tests.support.visitor import UNREACHABLE, Visitor, visitor

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def beside(one: Visitor, url: str, room: str) -> Visitor:
    """Another tab of the same browser, with the same nickname."""
    other = Visitor(Tab(one.tab.context, await one.tab.context.new_page()))
    await other.page.goto(f"{url}/#/{room}")
    await other.page.locator("#join-submit").click()
    await expect(other.composer).to_be_visible()
    return other


WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });"
"""As over plain HTTP from another machine, where browsers have no Web Locks."""


@pytest.mark.parametrize("script", ["", WITHOUT_LOCKS], ids=["with locks", "without"])
async def test_what_is_unsent_survives_the_end_of_its_tab_and_is_sent_once_by_one_other(
    browser: Browser, tmp_path: Path, script: str
) -> None:
    async with serving(tmp_path) as server:
        first = Visitor(await open_tab(browser))
        await first.tab.context.add_init_script(script)
        await first.go(server.url, "Ann")
        second = await beside(first, server.url, "tea")
        third = await beside(first, server.url, "tea")
        port = server.port
    tabs = (first, second, third)
    for one in tabs:
        await one.online("offline")
    await first.say("one")
    await first.say("two")
    await expect(first.page.locator(".message.pending")).to_have_count(2)
    # While the tab lives, nobody else shows or sends what is its own.
    await expect(second.page.locator(".message.pending")).to_have_count(0)
    await first.page.close()
    async with serving(tmp_path, port=port) as server, raw_client(server.url) as reader:
        await reader.join("tea", "reader")
        for one in (second, third):
            await one.page.evaluate("window.dispatchEvent(new Event('online'))")
            await one.online()
            # Where the tab could not say that it goes, the others ask for it every few seconds.
            await expect(one.messages).to_have_count(2, timeout=20_000)
            await one.sees("one", "two")
            await one.all_sent()
        history = await reader.ask("history", {"room": "tea", "after": 0})
        assert [entry["message"] for entry in history["messages"]] == ["one", "two"]
        assert await second.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('outbox'))") == []
        for one in (second, third):
            one.tab.forgive(*UNREACHABLE)
            one.behaved()


async def test_a_reload_while_the_server_is_away_loses_nothing(browser: Browser, tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        writer = await visitor(browser, server.url, "Ann")
        await writer.say("/join coffee")
        await expect(writer.page.locator("#room-name")).to_have_text("coffee")
        port = server.port
    await writer.online("offline")
    await writer.say("kept")
    await writer.page.evaluate("location.hash = '#/tea'")
    await expect(writer.page.locator("#room-name")).to_have_text("tea")
    await writer.say("kept too")
    await expect(writer.page.locator(".message.pending .message-text")).to_have_text(["kept too"])
    async with serving(tmp_path, port=port):
        await writer.page.reload()
        await writer.sees("kept too")
        await writer.all_sent()
        await writer.page.keyboard.press("Alt+ArrowDown")
        await expect(writer.page.locator("#room-name")).to_have_text("coffee")
        await writer.sees("kept")
        await writer.all_sent()
        writer.tab.forgive(*UNREACHABLE)
        writer.behaved()


async def test_rooms_with_something_unsent_are_opened_again_for_the_same_nickname(
    browser: Browser, tmp_path: Path
) -> None:
    async with serving(tmp_path) as server:
        writer = await visitor(browser, server.url, "Ann", "coffee")
        port = server.port
    await writer.online("offline")
    await writer.say("kept")
    context = writer.tab.context
    await writer.page.close()
    async with serving(tmp_path, port=port) as server, raw_client(server.url) as reader:
        await reader.join("coffee", "reader")
        back = Visitor(Tab(context, await context.new_page()))
        await back.go(server.url, "Bob", "tea")
        await expect(back.page.locator("#room-list .name")).to_have_text(["tea"])
        await back.say("/leave")
        await back.go(server.url, "ann", "tea")
        await expect(back.page.locator("#room-list .name")).to_have_text(["tea", "coffee"])
        push = await reader.event("message")
        while push.get("kind") != "message":
            push = await reader.event("message")
        assert push["message"] == "kept"
        back.tab.forgive(*UNREACHABLE)
        back.behaved()
