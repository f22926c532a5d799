"""Automated accessibility checks with axe-core: page states in both color schemes, most of them in two viewports."""

import re

import pytest
from PIL import Image
from playwright.async_api import FilePayload, expect

from server.app import RunningServer
from tests.support.axe import AxeReport, load_axe, violations
from tests.support.browser import DESKTOP_VIEWPORT, PHONE_VIEWPORT, Browser, record_navigations
from tests.support.chat_page import UNREACHABLE_ERRORS, ChatPage, open_as_account, reject_marked_texts
from tests.support.raw_client import RawClient
from tests.support.uploads import encode_image, upload_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.needs_node, pytest.mark.asyncio(loop_scope="session")]


MESSAGES = ("你好 👋", "@Ann, see https://example.org/a", "/me waves", "🎉", "deleted text", "long\n" * 40)
DRAG = """(type) => document.querySelector("#conversation").dispatchEvent(
  new DragEvent(type, { dataTransfer: new DataTransfer(), bubbles: true, cancelable: true }),
)"""


async def create_messages(bot: RawClient) -> None:
    """Fill room `tea` with `MESSAGES`, of which one is deleted, and an answer."""
    await bot.join("coffee", "bot")
    await bot.request("setTopic", {"room": "tea", "topic": "茶 and more"})
    for text in MESSAGES:
        await bot.request("sendMessage", {"room": "tea", "message": text})
    await bot.request("sendMessage", {"room": "tea", "message": "an answer", "replyTo": 2})
    reaction = await bot.request("react", {"room": "tea", "seq": 2, "emoji": "👍", "on": True})
    assert reaction["ok"], reaction
    await bot.request("deleteMessage", {"room": "tea", "seq": 6})


async def open_tea(browser: Browser, server: RunningServer, bot: RawClient, viewport: dict[str, int]) -> ChatPage:
    """Open a page with axe-core and the join form of a room with messages."""
    await create_messages(bot)
    tab = await browser.open_tab(viewport=viewport)
    await reject_marked_texts(tab.page)
    await tab.page.goto(f"{server.url}/#/tea")
    await load_axe(tab.page)
    return ChatPage(tab)


async def join_as_ann(chat_page: ChatPage) -> None:
    """Submit the join form, and wait for the messages."""
    await chat_page.page.locator("#join-nick").fill("Ann")
    await chat_page.page.locator("#join-submit").click()
    await expect(chat_page.rows).to_have_count(len(MESSAGES) + 1)


both_viewports = pytest.mark.parametrize("viewport", [PHONE_VIEWPORT, DESKTOP_VIEWPORT], ids=["phone", "desktop"])


@both_viewports
async def test_states_of_the_conversation_pass_axe(
    browser: Browser, server: RunningServer, bot: RawClient, viewport: dict[str, int]
) -> None:
    chat_page = await open_tea(browser, server, bot, viewport)
    page = chat_page.page
    report = AxeReport(page)
    check = report.check
    await check("join form")
    await page.locator("#join-submit").click()
    await check("join form with an error")
    await join_as_ann(chat_page)
    await check("empty composer")
    await chat_page.send_message("rejected")
    await chat_page.send_message("/join coffee")
    await bot.send_messages("tea", ["@Ann?", "long\n" * 40, "long\n" * 40])
    await page.locator("#room-list .badge").wait_for(state="attached")
    if viewport is PHONE_VIEWPORT:
        await page.get_by_role("button", name="Rooms").click()
        await check("rooms")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Members").click()
        await check("members")
        await page.keyboard.press("Escape")
    await page.keyboard.press("Alt+ArrowUp")
    await page.locator("#timeline-lines .failed").wait_for()
    await expect(page.locator("#jump-to-unread")).to_be_visible()
    await check("room")
    await page.evaluate(DRAG, "dragenter")
    await check("drag of a file", "#conversation")
    await page.evaluate(DRAG, "dragleave")
    await expect(page.locator("#drop-zone")).to_be_hidden()
    await chat_page.messages.first.click()
    await check("message with a toolbar")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page.locator("#jump-to-newest")).to_be_hidden()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("ArrowUp")
    await expect(chat_page.rows.last).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await check("selected message")
    await page.keyboard.press("a")
    await expect(page.locator("#emoji-picker")).to_be_visible()
    await check("emoji picker")
    await page.locator("#emoji-picker input").fill("not one emoji")
    await page.keyboard.press("Enter")
    await check("emoji picker with an error")
    await page.keyboard.press("Escape")
    await expect(chat_page.rows.nth(-2)).to_be_focused()
    await page.keyboard.press("r")
    await expect(page.locator("#compose-context")).to_be_visible()
    await check("reply")
    await page.keyboard.press("Escape")
    await chat_page.send_message("own message")
    await chat_page.send_message("/nonsense")
    await check("unknown command")
    await chat_page.composer.fill("")
    await chat_page.composer.press_sequentially("@b")
    await expect(page.locator("#composer-completion")).to_be_visible()
    await check("nickname completion")
    await page.keyboard.press("Escape")
    await chat_page.composer.fill("/")
    await expect(page.locator("#composer-completion")).to_be_visible()
    await check("command completion")
    await chat_page.composer.fill("x" * 4001)
    await check("text over the limit")
    report.assert_empty()
    chat_page.assert_no_errors()


@both_viewports
async def test_dialogs_and_banners_pass_axe(
    browser: Browser, server: RunningServer, bot: RawClient, viewport: dict[str, int]
) -> None:
    chat_page = await open_tea(browser, server, bot, viewport)
    page = chat_page.page
    report = AxeReport(page)
    check = report.check
    await join_as_ann(chat_page)
    await chat_page.send_message("own message")
    await chat_page.send_message("/audit")
    await expect(page.locator("#list-error")).not_to_be_empty()
    await check("list dialog with an error")
    await page.keyboard.press("Escape")
    await chat_page.send_message("/away lunch")
    await expect(page.locator("#away-banner")).to_be_visible()
    for text in ("line\n" * 60, "x" * 5000):
        await chat_page.paste(text)
        await expect(page.locator("#confirm-dialog")).to_be_visible()
        await check(f"paste dialog for {len(text)} characters")
        await page.keyboard.press("Escape")
    await page.keyboard.press("Control+K")
    await check("room dialog")
    await page.keyboard.type("new")
    await check("room dialog with a new name")
    await page.keyboard.press("Escape")
    await page.keyboard.press("F1")
    await check("help")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Settings").click()
    await check("settings")
    await page.locator("#account-open").click()
    await check("login dialog")
    await page.locator("#login-mode").click()
    await check("registration dialog")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+Shift+F")
    await page.keyboard.type("waves")
    await page.locator(".search-result").wait_for()
    await check("search")
    await page.keyboard.press("Escape")
    if viewport is PHONE_VIEWPORT:
        await page.keyboard.press("Escape")
    await chat_page.composer.focus()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("d")
    await expect(page.locator("#confirm-dialog")).to_be_visible()
    await check("confirm dialog")
    await page.keyboard.press("y")
    await expect(page.locator(".undo")).to_be_visible()
    await check("undo of a deletion")
    await page.keyboard.press("u")
    await expect(page.locator(".undo")).to_have_count(0)
    await page.locator("#timeline").evaluate("(scroller) => scroller.scrollTo(0, 0)")
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('#timeline-lines'))")
    await check("selected text")
    await chat_page.go_offline()
    await check("offline")
    report.assert_empty()
    chat_page.tab.ignore_errors(*UNREACHABLE_ERRORS)
    chat_page.assert_no_errors()


async def test_files_and_dialogs_of_rooms_and_accounts_pass_axe(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    bot_key = (await bot.join("tea", "bot"))["guestKey"]
    async with upload_client(server, f"Guest {bot_key}") as files:
        photo = (await files.upload(encode_image(Image.new("RGB", (900, 600), "teal")), "tea.png", "coffee")).body
        video = (await files.upload(b"\x1aE\xdf\xa3B\x82\x84webm", "clip.webm", "coffee")).body
    chat_page = await open_as_account(browser, server, "ann", viewport=PHONE_VIEWPORT)
    page, keys = chat_page.page, chat_page.page.keyboard
    invalid = page.locator("[aria-invalid=true]:visible")
    await load_axe(page)
    report = AxeReport(page)

    async def check(state: str, scope: str = "dialog:modal") -> None:
        await report.check(state, scope)

    await keys.press("Control+K")
    await page.locator("#room-create").click()
    await keys.press("Enter")
    await expect(invalid).to_have_id("room-settings-name")
    await expect(invalid).to_be_focused()
    await check("creation of a room with an error")
    await keys.type("coffee")
    await expect(invalid).to_have_count(0)
    await keys.press("Enter")
    await expect(page.locator("#room-name")).to_have_text("coffee")
    await bot.join("coffee", "bot")
    message = {"room": "coffee", "message": "@ann", "attachments": [photo["id"], video["id"]]}
    assert (await bot.request("sendMessage", message))["ok"]
    for command, notice in {
        "/silence bot 1h": "ann silenced bot",
        "/block bot": "bot is blocked",
        "/unblock bot": "bot is no longer blocked",
    }.items():
        await chat_page.send_message(command)
        await expect(page.locator("#timeline-lines .notice").last).to_contain_text(notice)
    await page.locator(".attachment.file").wait_for()
    await page.route("**/api/uploads?**slow**", lambda _route: None)
    uploads: list[FilePayload] = [
        {"name": name, "mimeType": "", "buffer": b"\xff\xd8\xff"} for name in ("x" * 60 + ".jpg", "slow")
    ]
    await page.locator("#file-picker").set_input_files(uploads)
    await expect(page.locator(".upload.failed")).to_be_visible()
    await expect(page.get_by_role("progressbar", name="Uploading slow")).to_be_visible()
    await check("files and uploads", "#conversation")
    for _ in uploads:
        await page.locator(".upload .icon-button").first.click()
    await page.locator("#room-settings-open").click()
    await page.locator("#room-invite-create").click()
    await expect(page.locator("#room-invite-link")).to_be_focused()
    await check("room settings")
    for button in ("room-invite-list", "room-sanctions", "room-audit"):
        await page.locator(f"#{button}").click()
        await page.locator("#list-rows li").first.wait_for()
        await check(button, "#list-dialog")
        await keys.press("Escape")
    await keys.press("Escape")
    await page.locator("#members-toggle").click()
    await page.locator("#member-list .member", has_text="bot").click()
    await check("member")
    await keys.press("Escape")
    await keys.press("Escape")
    await page.locator("#settings-open").click()
    await page.locator("#account-open").click()
    await expect(page.locator("#device-list li")).to_have_count(1)
    await check("account")
    await page.locator("#password-new").press("Enter")
    await expect(invalid).to_have_id("password-new")
    await expect(invalid).to_be_focused()
    await check("account with an error")
    await keys.press("Escape")
    await keys.press("Escape")
    await chat_page.send_message("/part")
    await page.locator("#rooms-toggle").click()
    await page.get_by_role("list", name="Not open").get_by_role("button", name="coffee").wait_for()
    await check("rooms", "#rooms")
    await page.locator("#mentions-open").click()
    await page.locator("#list-rows .list-open").wait_for()
    await check("mentions")
    report.assert_empty()
    chat_page.tab.ignore_errors("status of 400")
    chat_page.assert_no_errors()


async def test_only_the_invalid_field_is_marked(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    page, chat_page = tab.page, ChatPage(tab)
    invalid = page.locator("[aria-invalid=true]:visible")
    await reject_marked_texts(page)
    await page.goto(server.url)
    await page.locator("#join-submit").click()
    await expect(invalid).to_have_id("join-room")
    await page.locator("#join-room").fill("tea")
    await expect(invalid).to_have_count(0)
    await page.locator("#join-submit").click()
    await expect(invalid).to_have_id("join-nick")
    await page.locator("#join-nick").fill("rejected by the server")
    await page.locator("#join-submit").click()
    await expect(page.locator("#join-error")).not_to_be_empty()
    await expect(invalid).to_have_id("join-nick")
    await expect(invalid).to_be_focused()
    await page.locator("#join-nick").fill("Ann")
    await page.locator("#join-submit").click()
    await expect(chat_page.composer).to_be_visible()
    await expect(invalid).to_have_count(0)
    await chat_page.send_message("/nonsense")
    await expect(invalid).to_have_id("composer-input")
    await expect(chat_page.composer).to_have_accessible_description(re.compile("Unknown command: /nonsense"))
    await chat_page.composer.fill("x" * 4001)
    await expect(invalid).to_have_id("composer-input")
    await expect(chat_page.composer).to_have_accessible_description("1 over the limit")
    await chat_page.composer.fill("fine")
    await expect(invalid).to_have_count(0)
    await page.locator("#settings-open").click()
    await page.locator("#settings-nick").fill("")
    await page.keyboard.press("Enter")
    await expect(invalid).to_have_id("settings-nick")
    await page.locator("#settings-nick").fill("B")
    await expect(invalid).to_have_count(0)
    chat_page.assert_no_errors()


async def test_pages_without_the_chat_pass_axe(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    await tab.page.goto(f"{server.url}/nothing")
    await load_axe(tab.page)
    assert await violations(tab.page) == []
    await tab.page.route("**/app.js", lambda route: route.abort())
    navigations = record_navigations(tab.page)
    async with tab.page.expect_event("load", lambda _: len(navigations) == 2):  # the page reloads itself once
        await tab.page.goto(server.url)
    await expect(tab.page.locator("#load-error")).to_be_visible()
    await load_axe(tab.page)
    assert await violations(tab.page) == []
