"""End of a session, and actions that a room switch interrupts."""

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.chat_page import UNREACHABLE_ERRORS, open_chat_page
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_a_room_that_is_joined_again_sends_its_unsent_messages_and_can_be_left(
    browser: Browser, server: RunningServer
) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    leave = writer.page.get_by_role("button", name="Leave tea")
    join = writer.page.locator("#join-submit")
    await writer.go_offline()
    await writer.send_message("unsent")
    await expect(writer.page.locator(".message.pending")).to_have_count(1)
    await leave.click()
    await expect(join).to_be_visible()
    await writer.tab.context.set_offline(False)
    await join.click()
    await expect(writer.composer).to_be_visible()
    await writer.expect_messages("unsent")
    await writer.expect_all_sent()
    await leave.click()
    await expect(join).to_be_visible()
    writer.tab.ignore_errors(*UNREACHABLE_ERRORS)
    writer.assert_no_errors()


async def test_a_room_switch_cancels_the_jump_to_a_search_result_and_the_emoji_picker(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.join("coffee", "bot")
    for room in ("tea", "coffee"):
        await bot.send_messages(room, [f"first in {room}"])
    reader = await open_chat_page(browser, server.url, "Ann")
    page = reader.page
    room_name = page.locator("#room-name")
    await reader.expect_messages("first in tea")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("a")
    await expect(page.locator("#emoji-picker")).to_be_visible()
    await page.evaluate("location.hash = '#/lobby'")
    await expect(room_name).to_have_text("lobby")
    await expect(page.locator("#emoji-picker")).to_be_hidden()

    await page.locator("#search-toggle").click()
    await page.locator("#search-all-rooms").check()
    await page.locator("#search-input").fill("first")
    await expect(page.locator(".search-result")).to_have_count(2)
    await reader.go_offline()
    await page.locator(".search-result", has_text="first in coffee").click()
    await expect(room_name).to_have_text("coffee")
    await page.locator(".room-open", has_text="tea").click()
    await expect(room_name).to_have_text("tea")
    await reader.tab.context.set_offline(False)
    await reader.expect_connection_state()
    while not await page.locator(".room-open", has_text="coffee").locator(".badge").is_visible():
        await bot.send_messages("coffee", ["unread as soon as the room is joined"])
    await expect(page.locator(".highlighted")).to_have_count(0)
    reader.tab.ignore_errors(*UNREACHABLE_ERRORS)
    reader.assert_no_errors()
