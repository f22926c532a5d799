"""Drafts, replies and edits in the composer during commands."""

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.chat_page import open_chat_page
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_commands_keep_the_draft_of_another_room_and_start_replies_and_edits(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.send_messages("tea", ["a question"])
    writer = await open_chat_page(browser, server.url, "Ann")
    room_name = writer.page.locator("#room-name")
    context = writer.page.locator("#compose-context")
    await writer.expect_messages("a question")
    await writer.composer.fill("half a sentence")
    await writer.page.evaluate("location.hash = '#/coffee'")
    await expect(room_name).to_have_text("coffee")
    assert [(await bot.wait_for_push("typing"))["on"] for _ in range(2)] == [True, False]
    await writer.send_message("/join tea")
    await expect(room_name).to_have_text("tea")
    await expect(writer.composer).to_have_value("half a sentence")
    await writer.page.keyboard.press("Alt+ArrowDown")
    await expect(room_name).to_have_text("coffee")
    await expect(writer.composer).to_have_value("")
    await writer.page.keyboard.press("Alt+ArrowDown")
    await expect(room_name).to_have_text("tea")
    await expect(writer.composer).to_have_value("half a sentence")

    await writer.send_message("/reply")
    await expect(context).to_contain_text("Replying to bot a question")
    await expect(writer.composer).to_have_value("")
    await writer.send_message("an answer")
    await expect(writer.page.locator(".quote")).to_have_text("bot a question")
    await writer.expect_all_sent()
    await writer.send_message("/edit")
    await expect(context).to_contain_text("Editing message an answer")
    await expect(writer.composer).to_have_value("an answer")
    await writer.page.keyboard.press("Escape")
    await expect(context).to_be_hidden()
    await expect(writer.composer).to_have_value("")
    await writer.send_message("/react far too long")
    await expect(writer.page.locator("#composer-error")).to_have_text("Enter one emoji, or a word of up to 8 letters.")
    await expect(writer.composer).to_have_value("/react far too long")
    writer.assert_no_errors()
