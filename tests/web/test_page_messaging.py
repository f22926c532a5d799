"""Messaging between browser pages over a real server."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.browser import PHONE_VIEWPORT, Browser
from tests.support.chat_page import ChatPage, open_chat_page, reject_marked_texts
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


PARAGRAPH_SIDES = """[...document.querySelectorAll(".message-text")].map((element) => {
    const text = element.firstChild;
    const box = element.getBoundingClientRect();
    let start = 0;
    return text.data.split("\\n").map((paragraph) => {
        const range = document.createRange();
        range.setStart(text, start);
        range.setEnd(text, start + paragraph.length);
        start += paragraph.length + 1;
        const line = range.getBoundingClientRect();
        return line.left - box.left < box.right - line.right ? "left" : "right";
    });
})"""
"""Sides on which the paragraphs of the messages start."""


async def post(client: RawClient, *texts: str) -> list[int]:
    """Send messages and return their sequence numbers."""
    return [(await client.request("sendMessage", {"room": "tea", "message": text}))["seq"] for text in texts]


async def test_two_pages_exchange_messages(browser: Browser, server: RunningServer) -> None:
    ming = await open_chat_page(browser, server.url, "小明")
    await ming.set_join_visibility("all")
    ann = await open_chat_page(browser, server.url, "Ann")
    await ming.send_message("你好 👋")
    await ann.expect_messages("你好 👋")
    await ann.send_message("hello")
    await ming.expect_messages("你好 👋", "hello")
    await ming.expect_all_sent()
    await expect(ming.rows.first.locator(".delivery-state")).to_have_attribute("aria-label", "Sent")
    await expect(ming.page.locator(".notice")).to_have_text("Ann joined")
    await expect(ming.page.locator("#member-list .nick")).to_have_text(["小明", "Ann"])
    await expect(ming.composer).to_have_value("")
    await ann.page.get_by_role("button", name="Leave tea").click()
    await expect(ming.page.locator(".notice").last).to_have_text("Ann left")
    await expect(ming.page.locator("#member-list .nick")).to_have_text(["小明"])
    ming.assert_no_errors()
    ann.assert_no_errors()


UPGRADE_REJECTED = 'setTimeout(() => { this.onerror(new Event("error")); this.onclose(new Event("close")); });'
"""Simulates a proxy that rejects the WebSocket upgrade."""

UPGRADE_STALLED = ""
"""Simulates a proxy that never answers the WebSocket upgrade."""


@pytest.mark.parametrize("websocket_behavior", [UPGRADE_REJECTED, UPGRADE_STALLED], ids=["rejected", "stalled"])
async def test_polling_is_used_when_websockets_are_blocked(
    browser: Browser, server: RunningServer, bot: RawClient, websocket_behavior: str
) -> None:
    tab = await browser.open_tab()
    await tab.page.add_init_script(
        f"window.WebSocket = class {{ constructor() {{ {websocket_behavior} }} close() {{}} }};"
    )
    await tab.page.clock.install()
    ann = ChatPage(tab)
    await tab.page.goto(f"{server.url}/#tea")
    await tab.page.locator("#join-nick").fill("Ann")
    await tab.page.locator("#join-submit").click()
    await tab.page.clock.fast_forward(11_000)
    await expect(ann.composer).to_be_visible()
    await ann.send_message("hello")
    await ann.expect_all_sent()
    await post(bot, "hello yourself")
    await ann.expect_messages("hello", "hello yourself")
    ann.assert_no_errors()


async def test_user_content_is_rendered_as_text(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    hostile = [
        '<img src=x onerror="document.title=1">',
        "<script>document.title = 2</script>",
        "javascript:alert(1) data:text/html,x vbscript:x",
        "https://example.org/\"onmouseover='alert(1)",
        "{{constructor.constructor('return 1')()}} ${1} &lt;b&gt; &#x202e;",
    ]
    await bot.request("changeNick", {"nickName": "<b>bot</b>"})
    await bot.request("setTopic", {"room": "tea", "topic": "<u>topic</u>"})
    await post(bot, *hostile)
    chat_page = await open_chat_page(browser, server.url, "<i>me</i>")
    await chat_page.expect_messages(*hostile)
    await chat_page.send_message(hostile[0])
    await chat_page.expect_messages(*hostile, hostile[0])
    await chat_page.expect_all_sent()
    lines = chat_page.page.locator("#timeline-lines")
    await expect(lines.locator("img, script, b, i, u, iframe, [onerror], [onmouseover]")).to_have_count(0)
    await expect(lines.locator("a")).to_have_count(1)
    await expect(lines.locator("a")).to_have_text("https://example.org/")
    await expect(lines.locator(".nick").first).to_have_text("<b>bot</b>")
    await expect(chat_page.page.locator("#room-topic")).to_have_text("<u>topic</u>")
    await expect(chat_page.page).to_have_title("tea · Chat")
    chat_page.assert_no_errors()


async def test_stacked_combining_marks_do_not_cover_other_messages(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "reader")
    await post(bot, "first", "second", "third")
    await chat_page.expect_messages("first", "second", "third")
    first = chat_page.messages.first
    before = await first.screenshot()
    stacked = "a" + "\N{COMBINING GRAVE ACCENT}" * 500
    assert (await bot.request("editMessage", {"room": "tea", "seq": 3, "message": stacked}))["ok"]
    await expect(chat_page.messages.last).to_contain_text("(edited)")
    assert await first.screenshot() == before


async def test_urls_become_links_without_trailing_punctuation(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await post(bot, "see (https://example.org/a_(b)), https://例え.jp/路?q=1。mailto:me@example.org! ftp://example.org")
    chat_page = await open_chat_page(browser, server.url, "Ann")
    links = chat_page.page.locator("#timeline-lines a")
    await expect(links).to_have_text(["https://example.org/a_(b)", "https://例え.jp/路?q=1", "mailto:me@example.org"])
    await expect(links.first).to_have_attribute("rel", "noopener noreferrer")
    await expect(links.first).to_have_attribute("target", "_blank")
    chat_page.assert_no_errors()


async def test_a_room_link_joins_a_room_of_this_server_and_explains_another_server(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_url = server.url.replace("http://", "chat://")
    await post(bot, f"www.example.org {chat_url}/green%20tea", "chat://chat.example/tea")
    ann = await open_chat_page(browser, server.url, "Ann")
    links, dialog = ann.page.locator("#timeline-lines a"), ann.page.locator("#confirm-dialog")
    await expect(links).to_have_text(["www.example.org", f"{chat_url}/green%20tea", "chat://chat.example/tea"])
    await expect(links.first).to_have_attribute("href", "http://www.example.org")
    await links.nth(2).click()
    await expect(dialog).to_contain_text("another server, chat.example")
    await dialog.get_by_role("button", name="Cancel").click()
    await links.nth(1).click()
    await dialog.get_by_role("button", name="Join “green tea”").click()
    await expect(ann.page.locator("#room-name")).to_have_text("green tea")
    ann.assert_no_errors()


async def test_a_disguised_link_shows_its_real_host(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    await post(bot, "https://paypal.com@evil.example/", "https://аррӏе.com/ https://例え.jp")
    ann = await open_chat_page(browser, server.url, "Ann")
    await ann.expect_messages(
        "https://paypal.com@evil.example/ (link to evil.example)",
        "https://аррӏе.com/ (link to xn--80ak6aa92e.com) https://例え.jp",
    )
    ann.assert_no_errors()


SELECT_MESSAGES = """([first, last]) => {
    const rows = [...document.querySelectorAll("#timeline-lines .message")];
    const texts = rows.map((row) => row.querySelector(".message-text"));
    const range = document.createRange();
    range.setStart(first === null ? rows[0] : texts[0].firstChild, first ?? 0);
    if (last === null) range.setEndAfter(rows.at(-1));
    else range.setEnd(texts.at(-1).firstChild, last);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}"""
"""Select the messages from an offset in the text of the first to one in the text of the last, null for their rows."""


async def test_complete_messages_are_copied_with_time_and_author_and_without_controls(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    selections = {  # start and end in the first and last message, None for the complete one
        (None, None): r"\[TIME\] bot: one\n\[TIME\] \* bot waves\n\[TIME\] bot: two\nlines",
        (1, None): r"ne\n\[TIME\] \* bot waves\n\[TIME\] bot: two\nlines",
        (0, 2): r"\[TIME\] bot: one\n\[TIME\] \* bot waves\ntw",
    }
    await post(bot, "one", "/me waves", "two\nlines")
    ann = await open_chat_page(browser, server.url, "Ann")
    await expect(ann.messages).to_have_count(3)
    for selection, expected in selections.items():
        await ann.messages.nth(1).hover()  # shows the toolbar
        await ann.page.evaluate(SELECT_MESSAGES, selection)
        await ann.page.keyboard.press("Control+c")
        await ann.composer.fill("")
        await ann.page.keyboard.press("Control+v")
        pattern = expected.replace("TIME", r"\d\d:\d\d( [AP]M)?")
        await expect(ann.composer).to_have_value(re.compile(f"^{pattern}$"))
    ann.assert_no_errors()


async def test_each_paragraph_of_a_message_has_its_own_direction(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await post(bot, "hello world\nשלום עולם\nend", "שלום\nhello")
    ann = await open_chat_page(browser, server.url, "Ann")
    await expect(ann.messages).to_have_count(2)
    sides = await ann.page.evaluate(PARAGRAPH_SIDES)
    assert sides == [["left", "right", "left"], ["right", "left"]]


async def test_enter_sends_unless_shift_or_composition_is_active(browser: Browser, server: RunningServer) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.composer.press_sequentially("one")
    await writer.composer.press("Shift+Enter")
    await writer.composer.press_sequentially("two")
    composing: list[dict[str, Any]] = [{"isComposing": True}, {"keyCode": 229}]
    for properties in composing:
        await writer.composer.dispatch_event("keydown", {"key": "Enter", "bubbles": True, **properties})
    await expect(writer.composer).to_have_value("one\ntwo")
    await expect(writer.messages).to_have_count(0)
    await writer.composer.press("Enter")
    await writer.expect_messages("one\ntwo")
    await writer.composer.press("Enter")
    await writer.send_message("   ")
    await writer.composer.fill("\u2800\u3164\u00ad\u200b\ufe0f")
    await writer.composer.press("Enter")
    await expect(writer.page.locator("#composer-error")).to_have_text("A message cannot be empty.")
    await writer.composer.fill("")
    await writer.expect_all_sent()
    await writer.expect_messages("one\ntwo")
    writer.assert_no_errors()


async def test_edits_deletions_and_reactions_update_the_message_in_place(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    first, second, third = await post(bot, "frist", "deleted later", "liked")
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.expect_messages("frist", "deleted later", "liked")
    await bot.request("editMessage", {"room": "tea", "seq": first, "message": "first"})
    await bot.request("deleteMessage", {"room": "tea", "seq": second})
    await bot.request("react", {"room": "tea", "seq": third, "emoji": "👍", "on": True})
    await bot.request("sendMessage", {"room": "tea", "message": "an answer", "replyTo": first})
    await bot.request("setTopic", {"room": "tea", "topic": "茶"})
    await expect(chat_page.messages).to_have_text(["first (edited)", "This message was deleted.", "liked", "an answer"])
    await expect(chat_page.page.locator(".reaction")).to_have_text("👍 1")
    await expect(chat_page.page.locator(".quote")).to_have_text("bot first")
    await expect(chat_page.page.locator("#room-topic")).to_have_text("茶")
    await expect(chat_page.page.locator(".notice").last).to_have_text("bot set the topic: 茶")
    chat_page.assert_no_errors()


async def test_a_rejected_message_can_be_retried_and_remains_until_discarded(
    browser: Browser, server: RunningServer
) -> None:
    writer = ChatPage(await browser.open_tab())
    await reject_marked_texts(writer.page)
    await writer.join_room(server.url, "Ann")
    await writer.send_message("rejected")
    error = writer.page.locator(".failed .send-error")
    await expect(error).to_contain_text("Not sent: A message cannot be empty.")
    rejected_row = await writer.rows.element_handle()
    await error.get_by_role("button", name="Retry").click()
    await rejected_row.wait_for_element_state("hidden")  # the retry renders a new row
    await expect(error).to_contain_text("Not sent: A message cannot be empty.")
    await writer.send_message("fine")
    await expect(writer.rows.first).to_contain_text("fine")
    await error.get_by_role("button", name="Discard").click()
    await writer.expect_messages("fine")
    writer.assert_no_errors()


async def test_text_is_sanitized_before_sending_and_stays_in_the_composer_if_nothing_remains(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.send_message("\x01\x02")
    await expect(writer.page.locator("#composer-error")).to_have_text("A message cannot be empty.")
    await expect(writer.composer).to_have_value("\x01\x02")
    await writer.send_message("e\u0301 \u202etea\x07")
    await writer.expect_messages("é tea")
    await writer.expect_all_sent()
    history = await bot.request("history", {"room": "tea", "after": 0})
    assert [entry["message"] for entry in history["messages"]] == ["é tea"]
    writer.assert_no_errors()


async def test_text_over_the_limit_shows_the_excess_and_is_not_sent(browser: Browser, server: RunningServer) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.send_message("🙂" * 4001)
    await expect(writer.page.locator("#char-count")).to_have_text("1 over the limit")
    await expect(writer.page.locator("#send-button")).to_be_disabled()
    await expect(writer.messages).to_have_count(0)
    await writer.send_message("🙂" * 4000)
    await writer.expect_messages("🙂" * 4000)
    await writer.expect_all_sent()
    writer.assert_no_errors()


@pytest.mark.usefixtures("bot")
async def test_a_taken_nickname_gets_a_numbered_replacement_and_a_notice(
    browser: Browser, server: RunningServer
) -> None:
    second = await open_chat_page(browser, server.url, "Bot")
    await expect(second.page.locator(".notice")).to_have_text("Nickname taken. The server assigned Bot2.")
    await second.send_message("hi")
    await expect(second.page.locator("#timeline-lines .nick")).to_have_text("Bot2")
    second.assert_no_errors()


async def test_the_join_form_shows_an_error_for_an_invalid_name(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    newcomer = ChatPage(tab)
    await tab.page.goto(server.url)
    await expect(tab.page.locator("#join-room")).to_be_focused()
    await tab.page.locator("#join-submit").click()
    await expect(tab.page.get_by_role("alert")).to_have_text("Enter a room name.")
    await tab.page.goto(f"{server.url}/#/coffee")
    await expect(tab.page.locator("#join-room")).to_have_value("coffee")
    await tab.page.locator("#join-room").fill("")
    await tab.page.locator("#join-submit").click()
    await expect(tab.page).to_have_url(f"{server.url}/#/coffee")
    await tab.page.locator("#join-room").fill("~aaaaaaaaaaaaaaaa")
    await tab.page.locator("#join-nick").fill("Ann")
    await tab.page.locator("#join-submit").click()
    await expect(tab.page.get_by_role("alert")).to_have_text("Room not found.")
    await expect(tab.page.locator("#join-room")).to_have_value("~aaaaaaaaaaaaaaaa")
    await tab.page.locator("#join-room").fill("tea")
    await tab.page.locator("#join-nick").fill("x" * 33)
    await tab.page.locator("#join-submit").click()
    await expect(tab.page.get_by_role("alert")).to_have_text("The nickname is too long. Use at most 32 characters.")
    await tab.page.locator("#join-nick").fill("Ann")
    await tab.page.locator("#join-nick").press("Enter")
    await expect(newcomer.composer).to_be_focused()
    newcomer.assert_no_errors()


async def test_a_reload_restores_room_draft_and_member_and_a_later_join_the_member(
    browser: Browser, server: RunningServer
) -> None:
    writer = await open_chat_page(browser, server.url, "Ann", "茶 室/1")
    await writer.send_message("own message")
    await writer.expect_all_sent()
    await writer.composer.fill("half a sen")
    await writer.page.reload()
    await expect(writer.composer).to_have_value("half a sen")
    await writer.expect_messages("own message")
    await expect(writer.rows.locator(".delivery-state")).to_have_count(1)
    await expect(writer.page.locator("#member-list .nick")).to_have_text(["Ann"])
    await writer.page.get_by_role("button", name="Leave 茶 室/1").click()
    await expect(writer.page.locator("#join-room")).to_have_value("茶 室/1")
    await expect(writer.page.locator("#join-nick")).to_have_value("Ann")
    await writer.page.locator("#join-submit").click()
    await writer.expect_messages("own message")
    await expect(writer.rows.locator(".delivery-state")).to_have_count(1)
    writer.assert_no_errors()


async def test_the_page_uses_the_browser_language(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    chat_page = await open_chat_page(browser, server.url, "小明", locale="zh-CN", viewport=PHONE_VIEWPORT)
    await expect(chat_page.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(chat_page.composer).to_have_attribute("placeholder", "发消息到 tea")
    await bot.request("typing", {"room": "tea", "on": True})
    await expect(chat_page.page.locator("#typing-indicator")).to_have_text("bot 正在输入…")
    await post(bot, "嗨")
    await expect(chat_page.page.locator("#typing-indicator")).to_have_text("")
    await expect(chat_page.page.locator(".day")).to_have_text("今天")
    chat_page.assert_no_errors()
