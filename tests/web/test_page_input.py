"""Text input of the page: characters of keyboard layouts, paste outside the composer, pasted files."""

import re

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.browser import Browser, send_devtools_command
from tests.support.chat_page import open_chat_page
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

ALT = 1
"""Modifier bit of the Chrome DevTools Protocol."""
HANDLE_KEY = """([selector, key, code, options]) => {
  const event = new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...options });
  return !document.querySelector(selector).dispatchEvent(event);
}"""
"""Dispatch a keydown event; the result is whether the page handled the event."""


async def test_characters_typed_with_option_or_altgr_run_no_shortcut(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.join("coffee", "bot")
    chat_page = await open_chat_page(browser, server.url, "Ann")
    page = chat_page.page
    await chat_page.open_room("coffee")
    await bot.request("sendMessage", {"room": "tea", "message": "unread"})
    await expect(page.locator("#room-list .badge")).to_have_text("1")
    await chat_page.composer.focus()
    for key, code in (("å", "KeyA"), ("ф", "KeyA"), ("ü", "KeyU"), ("γ", "KeyU")):
        character = {"type": "keyDown", "key": key, "code": code, "modifiers": ALT, "text": key}
        await send_devtools_command(page, "Input.dispatchKeyEvent", character)
    dead_key = {"type": "rawKeyDown", "key": "Dead", "code": "KeyU", "modifiers": ALT}
    await send_devtools_command(page, "Input.dispatchKeyEvent", dead_key)
    await expect(chat_page.composer).to_have_value("åфüγ")
    await expect(page.locator("#room-name")).to_have_text("coffee")
    for options in ({"altKey": True, "modifierAltGraph": True}, {"altKey": True, "ctrlKey": True}):
        for code in ("KeyA", "KeyU"):
            key = code[-1].lower()
            arguments = ["#composer-input", key, code, options]
            assert not await page.evaluate(HANDLE_KEY, arguments)
    assert not await page.evaluate(HANDLE_KEY, ["#composer-input", "Dead", "KeyU", {"altKey": True}])
    # Outside of text fields, the position of the key counts: Option and other scripts type nothing there.
    assert await page.evaluate(HANDLE_KEY, ["#timeline", "Dead", "KeyU", {"altKey": True}])
    await page.keyboard.press("Alt+A")
    await expect(page.locator("#room-name")).to_have_text("tea")
    chat_page.assert_no_errors()


async def test_a_paste_outside_of_text_fields_reaches_the_composer(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.request("sendMessage", {"room": "tea", "message": "a message"})
    writer = await open_chat_page(browser, server.url, "Ann")
    page = writer.page
    await writer.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate("navigator.clipboard.writeText('two\\nlines')")
    await writer.composer.fill("before ")
    await writer.messages.first.click()
    await expect(writer.rows.first).to_be_focused()
    await page.keyboard.press("Control+V")
    await expect(writer.composer).to_have_value("before two\nlines")
    await expect(writer.composer).to_be_focused()
    await page.keyboard.press("Control+K")
    await page.keyboard.press("Control+V")
    await expect(page.locator("#room-dialog-input")).to_have_value("two lines")
    await expect(writer.composer).to_have_value("before two\nlines")
    writer.assert_no_errors()


async def test_pasted_text_files_are_inserted_and_others_are_uploaded(browser: Browser, server: RunningServer) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    page = writer.page
    await writer.composer.fill("text ")
    assert await writer.paste("", "你好".encode(), b"second")
    await expect(writer.composer).to_have_value("text 你好\nsecond")
    for selector in ("#composer-input", "#timeline"):
        await writer.composer.fill("kept")
        assert await writer.paste("", b"good", b"\xff\xd8\xff", selector=selector)
        await expect(page.locator(".upload")).to_have_count(2)
        await expect(page.locator(".upload.failed")).to_contain_text("The image is damaged")
        await expect(writer.composer).to_have_value("kept")
        for _ in range(2):
            await page.locator(".upload").get_by_role("button", name="Remove").first.click()
        await expect(page.locator(".upload")).to_have_count(0)
    # Office programs put a picture of the text beside the text.
    assert await writer.paste(" cells", b"\x89P", selector="#timeline")
    await expect(writer.composer).to_have_value("kept cells")
    assert not await writer.paste()
    writer.tab.ignore_errors("status of 400")
    writer.assert_no_errors()


async def test_the_paste_dialog_inserts_cancels_and_sends_by_keyboard_and_typed_text_sends_nothing(
    browser: Browser, server: RunningServer
) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    keys, dialog = writer.page.keyboard, writer.page.get_by_role("dialog")
    text = "\n".join(["/list", *(f"line {number}" for number in range(9))])

    async def paste(selector: str = "#composer-input") -> None:
        """Paste the text, with an empty composer, and wait for the dialog."""
        await writer.composer.fill("")
        await writer.paste(text, selector=selector)
        await expect(dialog).to_be_visible()

    await paste()
    await expect(dialog.get_by_role("button", name="Insert into message")).to_be_focused()
    await keys.type("so what")
    await expect(dialog).to_be_hidden()
    await expect(writer.composer).to_have_value(re.compile("line 8"))
    await expect(writer.messages).to_have_count(0)
    for selector in ("#composer-input", "#timeline"):
        await paste(selector)
        await keys.press("ArrowLeft")
        await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        await keys.press("Enter")
        await expect(writer.composer).to_be_focused()
        await expect(writer.composer).to_have_value("")
    await paste("#timeline")
    await keys.press("ArrowRight")
    await expect(dialog.get_by_role("button", name="Send as one message")).to_be_focused()
    await keys.press("Enter")
    await writer.expect_messages(text)
    await expect(writer.composer).to_be_focused()
    writer.assert_no_errors()
