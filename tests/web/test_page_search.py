"""Searching in the page, and going to what was found."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from server.runtime import Running
from tests.support.browser import PHONE
from tests.support.raw_client import RawClient
from tests.support.visitor import visitor

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def said(client: RawClient, room: str, *texts: str) -> None:
    for text in texts:
        await client.ask("sendMessage", {"room": room, "message": text})


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desktop", "phone"])
async def test_what_was_found_is_marked_and_leads_to_its_place(
    browser: Browser, server: Running, bot: RawClient, viewport: dict[str, int] | None
) -> None:
    await bot.join("coffee", "bot")
    await said(bot, "tea", "the <b>Kettle</b> is hot", "茶壶在这里")
    await bot.flood("tea", [f"line {number}" for number in range(300)])
    await said(bot, "coffee", "a kettle for coffee")
    size: dict[str, Any] = {"viewport": viewport} if viewport else {}
    reader = await visitor(browser, server.url, "Ann", **size)
    await reader.say("/search kettle")
    hits = reader.page.locator("#search-results .search-result .message-text")
    await expect(hits).to_have_text(["the <b>Kettle</b> is hot"])
    await expect(hits.locator("mark")).to_have_text(["Kettle"])
    await expect(reader.page.locator("#search-status")).to_have_text("1 found, newest first")
    await reader.page.get_by_label("In all rooms").check()
    await expect(hits).to_have_text(["a kettle for coffee", "the <b>Kettle</b> is hot"])
    await hits.last.click()
    await expect(reader.page.locator(".message.highlighted")).to_contain_text("the <b>Kettle</b> is hot")
    await expect(reader.page.locator(".message.highlighted")).to_be_in_viewport()
    if viewport:
        await expect(reader.page.locator("#search")).to_be_hidden()
        await reader.page.get_by_role("button", name="Search").click()
    await reader.page.locator("#search-input").fill("kettle")
    await expect(hits).to_have_text(["a kettle for coffee", "the <b>Kettle</b> is hot"])
    await hits.first.click()
    await expect(reader.page.locator("#room-name")).to_have_text("coffee")
    await expect(reader.page.locator(".message.highlighted")).to_contain_text("a kettle for coffee")
    reader.behaved()


async def test_more_comes_when_it_is_asked_for_and_nothing_is_said_to_be_nothing(
    browser: Browser, server: Running, bot: RawClient
) -> None:
    await said(bot, "tea", *(f"pot {number}" for number in range(40)), "最后一个茶壶")
    reader = await visitor(browser, server.url, "Ann")
    await reader.page.keyboard.press("Control+Shift+F")
    await reader.page.keyboard.type("pot")
    hits = reader.page.locator("#search-results .search-result .message-text")
    await expect(hits).to_have_count(30)
    await reader.page.get_by_role("button", name="More").click()
    await expect(hits).to_have_text([f"pot {number}" for number in reversed(range(40))])
    await expect(reader.page.get_by_role("button", name="More")).to_be_hidden()
    await reader.page.locator("#search-input").fill("壶")
    await expect(hits).to_have_text(["最后一个茶壶"])
    await reader.page.locator("#search-input").fill("nowhere")
    await expect(reader.page.locator("#search-status")).to_have_text("Nothing was found.")
    await reader.page.keyboard.press("Escape")
    await expect(reader.page.locator("#search")).to_be_hidden()
    reader.behaved()


async def test_what_the_server_refuses_is_said(browser: Browser, server: Running) -> None:
    reader = await visitor(browser, server.url, "Ann")
    await reader.tab.page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            send.call(this, String(data).replace('"limit":30', '"limit":0'));
          };
        }"""
    )
    await reader.say("/search kettle")
    await expect(reader.page.locator("#search-status")).to_have_text(re.compile("This server cannot search yet"))
    reader.behaved()
