"""Forced colors, hover styles, touch targets, print, and the change of the date."""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from server.app import RunningServer
from tests.support.browser import PHONE_VIEWPORT, Browser
from tests.support.chat_page import ChatPage, open_chat_page
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

VISIBLE_EDGE = """(element) => {
  const { outlineStyle, outlineWidth, borderInlineStartWidth, borderBlockStartWidth, borderStyle, borderColor } =
    getComputedStyle(element);
  return [outlineStyle, outlineWidth, borderInlineStartWidth, borderBlockStartWidth, borderStyle, borderColor].join();
}"""
HOVER_RULES = """(() => {
  const [limited, unlimited] = [[], []];
  const visit = (rules, isHover) => {
    for (const rule of rules) {
      if (rule.selectorText?.includes(":hover")) (isHover ? limited : unlimited).push(rule.selectorText);
      if (rule.cssRules) visit(rule.cssRules, isHover || rule.media?.mediaText.includes("hover: hover"));
    }
  };
  for (const sheet of document.styleSheets) visit(sheet.cssRules, false);
  return [limited.length, unlimited];
})()"""
"""Number of rules with `:hover` inside of media queries for devices that hover, and the selectors of all others."""
SMALL_TARGETS = """(() => {
  const inText = (element) => element.matches("a") && element.closest(".message-text");
  const targetOf = (element) => element.closest("label") ?? element;
  return [...document.querySelectorAll("button, input, textarea, a, summary, [role=option]")]
    .filter((element) => element.checkVisibility() && !inText(element) && !element.closest("[inert]"))
    .map((element) => [element.outerHTML.slice(0, 100), targetOf(element).getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 44 || height < 44)
    .map(([html, { width, height }]) => `${width}x${height} ${html}`);
})()"""


async def edge(locator: Locator) -> str:
    """Return the computed outline and border of an element."""
    return await locator.evaluate(VISIBLE_EDGE)


async def create_messages(bot: RawClient) -> None:
    """Send three messages to room `tea`, with two reactions to the first."""
    for text in ("plain text", "@Ann, a question", "long\n" * 30):
        await bot.request("sendMessage", {"room": "tea", "message": text})
    for emoji in ("👍", "🎉"):
        await bot.request("react", {"room": "tea", "seq": 1, "emoji": emoji, "on": True})


async def test_forced_colors_distinguish_states_by_outlines_or_borders(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await create_messages(bot)
    await bot.join("lunch", "bot")
    chat_page = await open_chat_page(browser, server.url, "Ann", forced_colors="active")
    page, rows = chat_page.page, chat_page.rows
    await chat_page.send_message("/join coffee")
    await page.keyboard.press("Alt+ArrowUp")
    await expect(rows).to_have_count(3)
    assert await edge(rows.nth(1)) != await edge(rows.nth(2)), "mention"
    pressed, unpressed = page.locator(".reaction", has_text="👍"), page.locator(".reaction", has_text="🎉")
    await pressed.click()
    await expect(pressed).to_have_attribute("aria-pressed", "true")
    await chat_page.composer.focus()
    assert await edge(pressed) != await edge(unpressed), "pressed reaction"
    rooms = page.locator("#room-list li")
    assert await edge(rooms.nth(0)) != await edge(rooms.nth(1)), "current room"
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("ArrowUp")
    await expect(rows.last).to_be_focused()
    assert await edge(rows.last) != await edge(rows.first), "selected message"
    await page.locator("#search-toggle").click()
    assert await edge(page.locator("#search-toggle")) != await edge(page.locator("#members-toggle")), "open panel"
    await page.locator("#settings-open").click()
    themes = page.locator("#theme-options span")
    assert await edge(themes.nth(0)) != await edge(themes.nth(1)), "selected option"
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+K")
    options = page.locator("#room-dialog-list li")
    await expect(options).to_have_count(2)
    assert await edge(options.nth(0)) != await edge(options.nth(1)), "selected room"
    chat_page.assert_no_errors()


async def test_hover_styles_are_limited_to_devices_that_hover(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    await tab.page.goto(server.url)
    limited_count, unlimited = await tab.page.evaluate(HOVER_RULES)
    assert limited_count > 0
    assert unlimited == []


async def small_targets(page: Page) -> list[str]:
    """Return the size and markup of the visible touch targets below 44 px."""
    found: Any = await page.evaluate(SMALL_TARGETS)
    return found


async def test_touch_targets_are_at_least_44_px(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    await create_messages(bot)
    await bot.request("sendMessage", {"room": "tea", "message": "an answer", "replyTo": 1})
    tab = await browser.open_tab(viewport=PHONE_VIEWPORT, has_touch=True, is_mobile=True)
    page, chat_page = tab.page, ChatPage(tab)
    await page.goto(f"{server.url}/#/tea")
    assert await page.evaluate("matchMedia('(pointer: coarse)').matches")
    found = {"join form": await small_targets(page)}
    await page.locator("#join-nick").fill("Ann")
    await page.locator("#join-submit").tap()
    await expect(chat_page.rows).to_have_count(4)
    await chat_page.open_room("coffee")
    await page.evaluate("location.hash = '#/tea'")
    await chat_page.rows.last.tap()
    await expect(page.locator(".message-toolbar")).to_be_visible()
    found["room"] = await small_targets(page)
    await page.locator(".toolbar-button").first.tap()
    await expect(page.locator("#emoji-picker")).to_be_visible()
    found["emoji picker"] = await small_targets(page)
    await page.keyboard.press("Escape")
    for name in ("rooms", "members", "search"):
        await page.locator(f"#{name}-toggle").tap()
        await expect(page.locator(f"#{name}")).to_be_visible()
        if name == "search":
            await page.locator("#search-input").fill("text")
            await page.locator(".search-result").first.wait_for()
        found[name] = await small_targets(page)
        await page.locator(f"#{name} [data-close-panel]").tap()
        await expect(page.locator(f"#{name}")).to_be_hidden()
    await page.locator("#settings-open").tap()
    await expect(page.locator("#settings-dialog")).to_be_visible()
    found["settings"] = await small_targets(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+K")
    await expect(page.locator("#room-dialog-list li").first).to_be_visible()
    found["room dialog"] = await small_targets(page)
    await page.keyboard.press("Escape")
    await chat_page.paste("line\n" * 9)
    await expect(page.locator("#confirm-dialog")).to_be_visible()
    found["paste dialog"] = await small_targets(page)
    assert {state: targets for state, targets in found.items() if targets} == {}
    chat_page.assert_no_errors()


async def test_print_shows_all_loaded_messages_without_controls(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.send_messages("tea", [f"line {number}" for number in range(90)])
    chat_page = await open_chat_page(browser, server.url, "Ann", color_scheme="dark")
    page = chat_page.page
    await expect(chat_page.messages.last).to_have_text("line 89")
    await page.emulate_media(media="print")
    for selector in ("#composer", "#rooms", "#members", "#settings-open", "#connection"):
        await expect(page.locator(selector)).to_be_hidden()
    await expect(page.locator("#room-name")).to_be_visible()
    await expect(page.locator(".message time").first).to_be_visible()
    heights = "({ scrollHeight, clientHeight }) => [scrollHeight, clientHeight]"
    scroll_height, client_height = await page.locator("#timeline").evaluate(heights)
    assert scroll_height == client_height > 2000
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 251, 250)"
    chat_page.assert_no_errors()


async def test_day_dividers_change_at_midnight_without_an_event(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab(timezone_id="UTC")
    page, chat_page = tab.page, ChatPage(tab)
    await page.clock.install(time=datetime.now(UTC).replace(hour=23, minute=55))
    await chat_page.join_room(server.url, "Ann")
    await chat_page.send_message("before midnight")
    await expect(page.locator(".day")).to_have_text("Today")
    await page.clock.fast_forward("06:00")
    await expect(page.locator(".day")).to_have_text("Yesterday")
    chat_page.assert_no_errors()
