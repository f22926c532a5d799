"""What one chooses in the page: language, looks, notifications, a nickname; and who is marked as what."""

import pytest
from playwright.async_api import Browser, Page, expect

from server.runtime import Running
from tests.support.browser import open_tab
from tests.support.raw_client import RawClient, raw_client
from tests.support.visitor import Visitor, visitor

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

GROUND = "getComputedStyle(document.body).backgroundColor"
LOOK_AWAY = """(away) => {
  document.hasFocus = () => !away;
  window.dispatchEvent(new Event(away ? "blur" : "focus"));
}"""
RECORD = """
window.told = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { return (Notification.permission = window.allowed ?? "granted"); }
  constructor(title, { body, tag }) { super(); this.close = () => {}; told.push({ title, body, tag, one: this }); }
};
"""
TOLD = "told.map(({ title, body, tag }) => [title, body, tag])"


async def expect_told(page: Page, count: int) -> None:
    """Wait until so many notifications were made; the page's policy forbids Playwright's own way."""
    while await page.evaluate("told.length") < count:
        await page.evaluate("new Promise(requestAnimationFrame)")


async def open_settings(page: Page) -> None:
    await page.locator("#settings-open").click()


async def test_another_language_is_spoken_at_once_and_kept(browser: Browser, server: Running, bot: RawClient) -> None:
    await bot.ask("sendMessage", {"room": "tea", "message": "hello"})
    reader = await visitor(browser, server.url, "Ann")
    await reader.composer.fill("half a sen")
    await open_settings(reader.page)
    await reader.page.get_by_role("radio", name="中文").click()
    await expect(reader.page.locator("#settings-title")).to_have_text("设置")
    await expect(reader.page.get_by_role("radio", name="中文")).to_be_focused()
    await reader.page.keyboard.press("Escape")
    await expect(reader.page.locator(".day")).to_have_text("今天")
    await expect(reader.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(reader.composer).to_have_attribute("placeholder", "发消息到 tea")
    await expect(reader.composer).to_have_value("half a sen")
    await expect(reader.page.locator("#connection")).to_have_text("在线")
    await reader.page.reload()
    await expect(reader.page.locator("#rooms h2")).to_have_text("房间")
    reader.behaved()


async def test_the_door_speaks_the_other_language_too(browser: Browser, server: Running) -> None:
    tab = await open_tab(browser)
    await tab.page.goto(server.url)
    await tab.page.get_by_role("button", name="中文").click()
    await expect(tab.page.locator("#join-submit")).to_have_text("进入")
    await tab.page.get_by_role("button", name="English").click()
    await expect(tab.page.locator("#join-submit")).to_have_text("Enter")


async def test_light_and_dark_follow_the_system_until_one_is_chosen(browser: Browser, server: Running) -> None:
    reader = await visitor(browser, server.url, "Ann", color_scheme="dark")
    dark = await reader.page.evaluate(GROUND)
    await reader.page.emulate_media(color_scheme="light")
    light = await reader.page.evaluate(GROUND)
    assert light != dark
    await open_settings(reader.page)
    await reader.page.get_by_role("radio", name="Dark").click()
    assert await reader.page.evaluate(GROUND) == dark
    await reader.page.reload()
    await expect(reader.composer).to_be_visible()
    assert await reader.page.evaluate(GROUND) == dark
    await open_settings(reader.page)
    await reader.page.get_by_role("radio", name="As the system").click()
    assert await reader.page.evaluate(GROUND) == light
    reader.behaved()


async def test_a_nickname_is_changed_everywhere_or_said_to_be_none(
    browser: Browser, server: Running, bot: RawClient
) -> None:
    reader = await visitor(browser, server.url, "Ann")
    await reader.say("/join coffee")
    await open_settings(reader.page)
    await reader.page.locator("#settings-nick").fill("x" * 33)
    await reader.page.keyboard.press("Enter")
    await expect(reader.page.locator("#settings-nick-error")).to_have_text("That is too long.")
    await reader.page.locator("#settings-nick").fill("小安")
    await reader.page.keyboard.press("Enter")
    await expect(reader.page.locator("#settings-dialog")).to_be_hidden()
    await expect(reader.page.locator("#member-list .nick")).to_have_text(["小安"])
    joined = await bot.join("tea", "bot")
    assert {member["nickName"] for member in joined["members"]} == {"bot", "小安"}
    reader.behaved()


async def test_only_who_is_named_and_looks_elsewhere_is_notified(
    browser: Browser, server: Running, bot: RawClient
) -> None:
    tab = await open_tab(browser)
    await tab.context.add_init_script(RECORD)
    reader = Visitor(tab)
    await reader.go(server.url, "Ann")
    await open_settings(reader.page)
    await reader.page.get_by_label("When somebody names me").check()
    await reader.page.keyboard.press("Escape")
    send = [
        {"room": "tea", "message": text} for text in ("Ann, seen", "not you", "Ann: <b>one</b>", "ann?", "later, Ann")
    ]
    await bot.ask("sendMessage", send[0])
    await reader.sees("Ann, seen")
    await reader.page.evaluate(LOOK_AWAY, True)
    for message in send[1:4]:
        await bot.ask("sendMessage", message)
    await expect_told(reader.page, 1)
    assert await reader.page.evaluate(TOLD) == [["You were named 2 times in tea", "Ann: <b>one</b>\nann?", "tea"]]
    await open_settings(reader.page)
    await reader.page.get_by_label("Without what was said").check()
    await reader.page.keyboard.press("Escape")
    await reader.page.evaluate(LOOK_AWAY, True)
    await bot.ask("sendMessage", send[4])
    await expect_told(reader.page, 2)
    assert await reader.page.evaluate("[told[1].title, told[1].body]") == ["You were named in tea", ""]
    await reader.say("/join coffee")
    await reader.page.evaluate("told[1].one.dispatchEvent(new Event('click'))")
    await expect(reader.page.locator("#room-name")).to_have_text("tea")
    reader.behaved()


async def test_a_browser_that_does_not_allow_notifications_is_told_so(browser: Browser, server: Running) -> None:
    tab = await open_tab(browser)
    await tab.context.add_init_script(RECORD + "window.allowed = 'denied';")
    reader = Visitor(tab)
    await reader.go(server.url, "Ann")
    await open_settings(reader.page)
    await reader.page.get_by_label("When somebody names me").click()
    await expect(reader.page.locator("#notify-error")).to_contain_text("does not allow")
    await expect(reader.page.get_by_label("When somebody names me")).not_to_be_checked()
    reader.behaved()


async def test_somebody_with_a_plain_client_has_a_quiet_mark(browser: Browser, server: Running) -> None:
    reader = await visitor(browser, server.url, "Ann")
    async with raw_client(server.url) as plain:
        await plain.ws.send_str('42["joinRoom","tea"]')
        guest = reader.page.locator("#member-list li", has_text="guest")
        await expect(guest.locator(".note")).to_have_text("bare")
        await plain.ws.send_str('42["sendMessage",{"room":"tea","message":"<i>hi</i>"}]')
        await reader.sees("<i>hi</i>")
    reader.behaved()
