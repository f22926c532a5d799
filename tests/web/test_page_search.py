"""Message search and navigation to results."""

import re

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.browser import DESKTOP_VIEWPORT, PHONE_VIEWPORT, Browser
from tests.support.chat_page import ChatPage, open_chat_page
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def reopen_search(chat_page: ChatPage, *, is_phone: bool) -> None:
    """Open the search panel again on a phone, where the selection of a result closes the panel."""
    if is_phone:
        await expect(chat_page.page.locator("#search")).to_be_hidden()
        await chat_page.page.get_by_role("button", name="Search").click()


@pytest.mark.parametrize("viewport", [DESKTOP_VIEWPORT, PHONE_VIEWPORT], ids=["desktop", "phone"])
async def test_results_are_highlighted_and_open_in_their_room(
    browser: Browser, server: RunningServer, bot: RawClient, viewport: dict[str, int]
) -> None:
    is_phone = viewport is PHONE_VIEWPORT
    await bot.join("coffee", "bot")
    await bot.send_messages("tea", ["the <b>Kettle</b> is hot", "茶壶在这里"])
    await bot.send_messages("tea", [f"line {number}" for number in range(300)])
    await bot.send_messages("coffee", ["a kettle for coffee"])
    chat_page = await open_chat_page(browser, server.url, "Ann", viewport=viewport)
    await chat_page.send_message("/search ｋettle")
    results = chat_page.page.locator("#search-results .search-result .message-text")
    await expect(results).to_have_text(["the <b>Kettle</b> is hot"])
    await expect(results.locator("mark")).to_have_text(["Kettle"])
    await expect(chat_page.page.locator("#search-status")).to_have_text("1 result, newest first")
    await chat_page.page.get_by_label("Search all rooms").check()
    await expect(results).to_have_text(["a kettle for coffee", "the <b>Kettle</b> is hot"])
    await results.last.click()
    await expect(chat_page.page.locator(".message.highlighted")).to_contain_text("the <b>Kettle</b> is hot")
    await expect(chat_page.page.locator(".message.highlighted")).to_be_in_viewport()
    await reopen_search(chat_page, is_phone=is_phone)
    await chat_page.page.locator("#search-input").fill("茶壶")
    await expect(results).to_have_text(["茶壶在这里"])
    await results.click()
    await expect(chat_page.page.locator(".message.highlighted")).to_contain_text("茶壶在这里")
    await reopen_search(chat_page, is_phone=is_phone)
    await chat_page.page.locator("#search-input").fill("kettle")
    await expect(results).to_have_text(["a kettle for coffee", "the <b>Kettle</b> is hot"])
    await results.first.click()
    await expect(chat_page.page.locator("#room-name")).to_have_text("coffee")
    await expect(chat_page.page.locator(".message.highlighted")).to_contain_text("a kettle for coffee")
    chat_page.assert_no_errors()


async def test_results_are_paged_and_survive_a_language_change_and_an_empty_result_is_reported(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.send_messages("tea", [*(f"pot {number}" for number in range(40)), "最后一个茶壶"])
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.page.keyboard.press("Control+Shift+F")
    await chat_page.page.keyboard.insert_text("pot")  # one input event, and so one search
    results = chat_page.page.locator("#search-results .search-result .message-text")
    await expect(results).to_have_count(30)
    await chat_page.page.get_by_role("button", name="Load more").click()
    await expect(results).to_have_text([f"pot {number}" for number in reversed(range(40))])
    await expect(chat_page.page.get_by_role("button", name="Load more")).to_be_hidden()
    await chat_page.page.locator("#settings-open").click()
    for language, status in (("中文", "40 条结果，最新在前"), ("English", "40 results, newest first")):
        await chat_page.page.get_by_role("radio", name=language).click()
        await expect(chat_page.page.locator("#search-status")).to_have_text(status)
        await expect(results).to_have_count(40)
    await chat_page.page.keyboard.press("Escape")
    await chat_page.page.locator("#search-input").fill("壶")
    await expect(results).to_have_text(["最后一个茶壶"])
    await chat_page.page.locator("#search-input").fill("nowhere")
    await expect(chat_page.page.locator("#search-status")).to_have_text("No results.")
    await chat_page.page.keyboard.press("Escape")
    await expect(chat_page.page.locator("#search")).to_be_hidden()
    chat_page.assert_no_errors()


async def test_a_search_with_a_rejected_cursor_starts_again(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.send_messages("tea", [f"pan {number}" for number in range(40)])
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.send_message("/search pan")
    results = chat_page.page.locator("#search-results .search-result .message-text")
    await expect(results).to_have_count(30)
    await chat_page.page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            const damaged = String(data).replace('"cursor":"', '"cursor":"x');
            if (damaged !== data) WebSocket.prototype.send = send;
            send.call(this, damaged);
          };
        }"""
    )
    load_more = chat_page.page.get_by_role("button", name="Load more")
    await load_more.click()
    await expect(chat_page.page.locator("#search-status")).to_have_text("The search cannot continue. Search again.")
    await bot.send_messages("tea", ["pan 40"])
    await load_more.click()
    await expect(results.first).to_have_text("pan 40")
    await expect(results).to_have_count(30)
    await load_more.click()
    await expect(results).to_have_text([f"pan {number}" for number in reversed(range(41))])
    chat_page.assert_no_errors()


async def test_a_server_without_search_is_reported(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.tab.page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            send.call(this, String(data).replace('["search"', '["seek"'));
          };
        }"""
    )
    await chat_page.send_message("/search kettle")
    await expect(chat_page.page.locator("#search-status")).to_have_text(
        re.compile("Search is not available on this server")
    )
    chat_page.assert_no_errors()
