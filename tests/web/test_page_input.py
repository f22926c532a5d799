"""Text input of the page: characters of keyboard layouts, paste outside the composer, pasted files."""

import pytest
from playwright.async_api import Browser, expect

from server.app import RunningServer
from tests.support.browser import send_devtools_command
from tests.support.chat_page import open_chat_page
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

ALT = 1
"""Modifier bit of the Chrome DevTools Protocol."""
HANDLES_KEY = """([selector, key, code, options]) => {
  const event = new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...options });
  return !document.querySelector(selector).dispatchEvent(event);
}"""


async def test_alt_letters_of_option_keys_and_altgr_layouts_type_characters(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.join("coffee", "bot")
    chat_page = await open_chat_page(browser, server.url, "Ann")
    page = chat_page.page
    await chat_page.send_message("/join coffee")
    await expect(page.locator("#room-name")).to_have_text("coffee")
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
            assert not await page.evaluate(HANDLES_KEY, arguments)
    assert not await page.evaluate(HANDLES_KEY, ["#composer-input", "Dead", "KeyU", {"altKey": True}])
    # Outside of text fields, the position of the key counts: Option and other scripts type nothing there.
    assert await page.evaluate(HANDLES_KEY, ["#timeline", "Dead", "KeyU", {"altKey": True}])
    await page.keyboard.press("Alt+A")
    await expect(page.locator("#room-name")).to_have_text("tea")
    chat_page.assert_no_errors()
