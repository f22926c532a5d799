"""Settings: language, theme, nickname, join notices and notifications; member badges."""

import pytest
from playwright.async_api import Page, expect

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.chat_page import ChatPage, log_in, open_chat_page
from tests.support.page_notifications import RECORD_NOTIFICATIONS, show_notifications
from tests.support.raw_client import RawClient, raw_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

BACKGROUND = "getComputedStyle(document.body).backgroundColor"


async def open_settings(page: Page) -> None:
    """Open the settings dialog."""
    await page.locator("#settings-open").click()


async def test_a_language_change_applies_immediately_and_persists(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.request("sendMessage", {"room": "tea", "message": "hello"})
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.composer.fill("half a sen")
    await chat_page.page.keyboard.press("Control+Shift+F")
    await chat_page.page.keyboard.type("hello")
    await expect(chat_page.page.locator("#search-status")).to_have_text("1 result, newest first")
    await open_settings(chat_page.page)
    await chat_page.page.locator("#settings-nick").fill("")
    await chat_page.page.locator("#settings-nick").press("Enter")
    await expect(chat_page.page.locator("#settings-nick-error")).to_have_text("Enter a nickname.")
    await chat_page.page.get_by_role("radio", name="中文").click()
    await expect(chat_page.page.locator("#settings-title")).to_have_text("设置")
    await expect(chat_page.page.locator("#settings-nick-error")).to_be_empty()
    await expect(chat_page.page.get_by_role("radio", name="中文")).to_be_focused()
    await chat_page.page.keyboard.press("Escape")
    await expect(chat_page.page.locator(".day")).to_have_text("今天")
    await expect(chat_page.page.locator("#search-status")).to_have_text("1 条结果，最新在前")
    await expect(chat_page.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(chat_page.composer).to_have_attribute("placeholder", "发消息到 tea")
    await expect(chat_page.composer).to_have_value("half a sen")
    await expect(chat_page.page.locator("#connection")).to_have_text("在线")
    await chat_page.page.reload()
    await expect(chat_page.page.locator("#rooms h2")).to_have_text("房间")
    chat_page.assert_no_errors()


async def test_the_join_form_can_switch_the_language(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    await log_in(ChatPage(tab), "ct_unknown", "ann")
    await tab.page.goto(server.url)
    await tab.page.locator("#join-submit").click()
    await expect(tab.page.locator("#join-error")).to_have_text("Enter a room name.")
    await tab.page.get_by_role("button", name="中文").click()
    await expect(tab.page.locator("#join-submit")).to_have_text("加入")
    await expect(tab.page.locator("#join-error")).to_be_empty()
    await expect(tab.page.locator("#join-account")).to_have_text("已登录：ann")
    await tab.page.get_by_role("button", name="English").click()
    await expect(tab.page.locator("#join-submit")).to_have_text("Join")


async def test_the_theme_follows_the_system_unless_selected(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann", color_scheme="dark")
    dark = await chat_page.page.evaluate(BACKGROUND)
    await chat_page.page.emulate_media(color_scheme="light")
    light = await chat_page.page.evaluate(BACKGROUND)
    assert light != dark
    await open_settings(chat_page.page)
    await chat_page.page.get_by_role("radio", name="Dark").click()
    assert await chat_page.page.evaluate(BACKGROUND) == dark
    await chat_page.page.reload()
    await expect(chat_page.composer).to_be_visible()
    assert await chat_page.page.evaluate(BACKGROUND) == dark
    await open_settings(chat_page.page)
    await chat_page.page.get_by_role("radio", name="System").click()
    assert await chat_page.page.evaluate(BACKGROUND) == light
    chat_page.assert_no_errors()


async def test_a_nickname_change_applies_to_all_rooms_and_is_validated(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.open_room("coffee")
    await open_settings(chat_page.page)
    await chat_page.page.locator("#settings-nick").fill("x" * 33)
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#settings-nick-error")).to_have_text(
        "The nickname is too long. Use at most 32 characters."
    )
    await chat_page.page.locator("#settings-nick").fill("小安")
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#settings-dialog")).to_be_hidden()
    await expect(chat_page.page.locator("#member-list .nick")).to_have_text(["小安"])
    joined = await bot.join("tea", "bot")
    assert {member["nickName"] for member in joined["members"]} == {"bot", "小安"}
    chat_page.assert_no_errors()


@pytest.mark.usefixtures("bot")
async def test_a_nickname_change_explains_an_assigned_nickname(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await open_settings(chat_page.page)
    await chat_page.page.locator("#settings-nick").fill("Bot")
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#settings-dialog")).to_be_hidden()
    await expect(chat_page.page.locator(".notice")).to_contain_text("Nickname taken. The server assigned Bot2.")
    chat_page.assert_no_errors()


async def test_join_notices_follow_the_joins_setting(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    notices = chat_page.page.locator(".notice")
    async with raw_client(server.url) as carol:
        await carol.join("tea", "carol")
        await bot.request("sendMessage", {"room": "tea", "message": "hello"})
        await bot.request("leaveRoom", {"room": "tea"})
        await carol.request("leaveRoom", {"room": "tea"})
    await expect(notices).to_have_text(["bot left"])
    await chat_page.send_message("/nick Anne")
    await expect(notices).to_have_text(["bot left · Ann is now Anne"])
    await chat_page.set_join_visibility("all")
    await expect(notices).to_have_text(["carol joined", "bot and carol left · Ann is now Anne"])
    await chat_page.set_join_visibility("none")
    await expect(notices).to_have_text(["Ann is now Anne"])
    await chat_page.page.reload()
    await open_settings(chat_page.page)
    await expect(chat_page.page.locator("#joins-options :checked")).to_have_value("none")
    chat_page.assert_no_errors()


async def test_notifications_are_limited_to_mentions_in_the_background_and_to_rooms_that_are_not_muted(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    tab = await browser.open_tab()
    await tab.page.add_init_script(RECORD_NOTIFICATIONS)
    chat_page = ChatPage(tab)
    await chat_page.join_room(server.url, "Ann")
    await open_settings(chat_page.page)
    await chat_page.page.get_by_label("Notify me of mentions").check()
    await chat_page.page.keyboard.press("Escape")
    texts = ["@Ann seen", "not you", "Ann: <b>one</b>", "@ann?", "later, @Ann"]
    await bot.send_messages("tea", texts[:1])
    await chat_page.expect_messages(*texts[:1])
    await chat_page.unfocus()
    await bot.send_messages("tea", texts[1:4])
    await chat_page.expect_messages(*texts[:4])
    first = ["2 mentions in tea", "Ann: <b>one</b>\n@ann?", "tea"]
    assert await show_notifications(chat_page.page) == [first]
    await open_settings(chat_page.page)
    await chat_page.page.get_by_label("Hide message text").check()
    await chat_page.page.keyboard.press("Escape")
    await bot.send_messages("tea", texts[4:])
    await chat_page.expect_messages(*texts)
    mention = ["You were mentioned in tea", "", "tea"]
    assert await show_notifications(chat_page.page) == [first, mention]
    await chat_page.open_room("coffee")
    await chat_page.page.evaluate("notifications[1].notification.dispatchEvent(new Event('click'))")
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    await expect(chat_page.page).to_have_title("(4) tea")
    await chat_page.send_message("/mute")
    notice = chat_page.page.locator("#timeline-lines .notice")
    await expect(notice.last).to_have_text("Notifications for tea are off. /unmute turns them on.")
    await expect(chat_page.page).to_have_title("tea · Chat")
    await bot.send_messages("tea", ["muted, @Ann"])
    await chat_page.expect_messages(*texts, "muted, @Ann")
    assert await show_notifications(chat_page.page) == [first, mention]
    await chat_page.page.evaluate("() => { document.hasFocus = () => true; dispatchEvent(new Event('focus')); }")
    badge = chat_page.page.locator("#room-list .badge")
    await expect(badge).to_have_count(0)
    await chat_page.open_room("coffee")
    await bot.send_messages("tea", ["not you"])
    await expect(badge).to_have_text("1")
    await chat_page.page.keyboard.press("Alt+A")
    await chat_page.send_message("/unmute tea")
    await expect(notice.last).to_have_text("Notifications for tea are on.")
    await expect(chat_page.page.locator("#room-name")).to_have_text("coffee")
    await chat_page.page.keyboard.press("Alt+A")
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    chat_page.assert_no_errors()


async def test_denied_notification_permission_is_reported(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    await tab.page.add_init_script(RECORD_NOTIFICATIONS + "window.allowed = 'denied';")
    chat_page = ChatPage(tab)
    await chat_page.join_room(server.url, "Ann")
    await open_settings(chat_page.page)
    await chat_page.page.get_by_label("Notify me of mentions").click()
    await expect(chat_page.page.locator("#notify-error")).to_contain_text("Notifications are blocked")
    await expect(chat_page.page.get_by_label("Notify me of mentions")).not_to_be_checked()
    chat_page.assert_no_errors()


async def test_members_with_a_basic_client_have_a_badge(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    async with raw_client(server.url) as basic:
        await basic.ws.send_str('42["joinRoom","tea"]')
        guest = chat_page.page.locator("#member-list li", has_text="guest")
        await expect(guest.locator(".note")).to_have_text("string_join")
        await basic.ws.send_str('42["sendMessage",{"room":"tea","message":"<i>hi</i>"}]')
        await chat_page.expect_messages("<i>hi</i>")
    chat_page.assert_no_errors()
