"""Multiple rooms: unread counts, drafts, navigation and commands."""

import re

import pytest
from playwright.async_api import Locator, expect

from server.app import RunningServer
from tests.support.browser import PHONE_VIEWPORT, Browser, BrowserTab
from tests.support.chat_page import ChatPage, open_chat_page
from tests.support.raw_client import RawClient, raw_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


def room_row(chat_page: ChatPage, room: str) -> Locator:
    """Return the row of a room in the room list."""
    return chat_page.page.locator("#room-list li", has=chat_page.page.get_by_text(room, exact=True))


async def open_tea_and_coffee(browser: Browser, server: RunningServer, bot: RawClient) -> ChatPage:
    """Join room `tea`, and then room `coffee`, with the bot in both."""
    await bot.join("coffee", "bot")
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.open_room("coffee")
    return chat_page


async def test_unread_counts_of_other_rooms_reset_when_viewed(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_tea_and_coffee(browser, server, bot)
    await bot.send_messages("tea", ["one", "for @ann!", "channel"])
    await expect(room_row(chat_page, "tea").locator(".badge")).to_have_text("@3")
    await expect(chat_page.page).to_have_title("(3) coffee")
    await expect(chat_page.page.locator("#favicon")).to_have_attribute("href", re.compile(r"/icon-mention\.svg$"))
    await chat_page.page.keyboard.press("Alt+A")
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    await expect(chat_page.page.locator(".divider.unread + .message")).to_contain_text("one")
    await expect(chat_page.page.locator("#room-list .badge")).to_have_count(0)
    await expect(chat_page.page).to_have_title("tea · Chat")
    await expect(chat_page.page.locator("#favicon")).to_have_attribute("href", re.compile(r"/icon\.svg$"))
    await bot.send_messages("coffee", ["quiet"])
    await expect(room_row(chat_page, "coffee").locator(".badge")).to_have_text("1")
    await expect(chat_page.page.locator("#favicon")).to_have_attribute("href", re.compile(r"/icon-unread\.svg$"))
    chat_page.assert_no_errors()


async def test_changes_during_a_click_on_a_room_or_a_member_do_not_cancel_the_click(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_tea_and_coffee(browser, server, bot)
    await room_row(chat_page, "tea").get_by_text("tea", exact=True).hover(force=True)
    await chat_page.page.mouse.down()
    await bot.send_messages("tea", ["one"])
    await expect(room_row(chat_page, "tea").locator(".badge")).to_have_text("1")
    await chat_page.page.mouse.up()
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    await chat_page.page.locator("#member-list .member", has_text="bot").hover()
    await chat_page.page.mouse.down()
    async with raw_client(server.url) as zoe:
        await zoe.join("tea", "zoe")
        await expect(chat_page.page.locator("#member-list .member", has_text="zoe")).to_be_visible()
        await chat_page.page.mouse.up()
        await expect(chat_page.page.get_by_role("dialog")).to_contain_text("bot")
    chat_page.assert_no_errors()


async def test_the_url_names_the_room_and_its_changes_switch_rooms(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await expect(chat_page.page).to_have_url(f"{server.url}/#/tea")
    await chat_page.open_room("茶 室/1")
    await expect(chat_page.page).to_have_url(re.compile(r"/#/%E8%8C%B6%20%E5%AE%A4%2F1$"))
    await chat_page.page.go_back()
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    await chat_page.page.go_forward()
    await expect(chat_page.page.locator("#room-name")).to_have_text("茶 室/1")
    await chat_page.page.evaluate("location.hash = '#/coffee'")
    await expect(chat_page.page.locator("#room-name")).to_have_text("coffee")
    await expect(chat_page.page.locator("#room-list .name")).to_have_text(["tea", "茶 室/1", "coffee"])
    await chat_page.page.keyboard.press("Alt+ArrowDown")
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    chat_page.assert_no_errors()


async def test_confusable_nicknames_are_marked(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann", "hall")
    await bot.join("hall", "\u0410nn")
    await bot.send_messages("hall", ["trust me", "really"])
    label = "looks like the nickname of another member"
    await chat_page.expect_messages("trust me", "really")
    await expect(chat_page.page.locator(".line.notice")).to_have_text("\u0410nn (look-alike) joined")
    await expect(chat_page.rows.first.get_by_label(label)).to_have_text("!")
    await expect(chat_page.rows.last.locator(".visually-hidden")).to_have_text("\u0410nn (look-alike): ")
    await expect(chat_page.page.locator("#member-list li", has_text="\u0410nn").get_by_label(label)).to_have_text("!")
    await expect(chat_page.page.locator("#member-list").get_by_label(label)).to_have_count(1)
    await bot.request("leaveRoom", {"room": "hall"})
    await expect(chat_page.page.locator("#member-list").get_by_label(label)).to_have_count(0)
    await expect(chat_page.rows.first.get_by_label(label)).to_have_count(1)
    chat_page.assert_no_errors()


async def test_ambiguous_nicknames_are_quoted_in_notices(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann", "hall", locale="zh-CN")
    await chat_page.set_join_visibility("all")
    await bot.join("hall", "小明和小红")
    await expect(chat_page.page.locator(".line.notice")).to_have_text("“小明和小红” 加入了房间")
    await bot.request("changeNick", {"nickName": "bob left"})
    await expect(chat_page.page.locator(".line.notice")).to_contain_text("“小明和小红” 改名为 “bob left”")
    await bot.request("typing", {"room": "hall", "on": True})
    await expect(chat_page.page.locator("#typing-indicator")).to_contain_text("“bob left”")
    chat_page.assert_no_errors()


async def test_drafts_are_per_room_and_survive_a_reload(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.send_messages("tea", ["a question"])
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.send_message("/join coffee")
    await writer.composer.fill("half a sen")
    await writer.page.keyboard.press("Alt+ArrowUp")
    await expect(writer.composer).to_have_value("")
    # The next keys act without a wait for the lines of the other room.
    await writer.page.keyboard.press("Shift+Tab")
    await writer.page.keyboard.press("ArrowUp")
    await writer.page.keyboard.press("r")
    await writer.composer.press_sequentially("an ans")
    await writer.page.keyboard.press("Alt+ArrowDown")
    await expect(writer.composer).to_have_value("half a sen")
    await expect(writer.page.locator("#compose-context")).to_be_hidden()
    await writer.page.reload()
    await expect(writer.composer).to_have_value("half a sen")
    await room_row(writer, "tea").locator(".room-open").click()
    await expect(writer.composer).to_have_value("an ans")
    await expect(writer.page.locator("#compose-context")).to_contain_text("Replying to bot")
    await writer.composer.press("Enter")
    await expect(writer.page.locator(".quote")).to_have_text("bot a question")
    await writer.expect_all_sent()
    writer.assert_no_errors()


async def test_a_new_tab_restores_the_latest_draft_until_it_is_sent(browser: Browser, server: RunningServer) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.composer.fill("half a sen")
    await writer.page.close()

    async def open_second_tab() -> ChatPage:
        chat_page = ChatPage(BrowserTab(writer.tab.context, await writer.tab.context.new_page()))
        await chat_page.join_room(server.url, "Ann")
        return chat_page

    second = await open_second_tab()
    await expect(second.composer).to_have_value("half a sen")
    third = await open_second_tab()
    await third.send_message("another text")
    await expect(third.composer).to_have_value("")
    await second.composer.press("End")
    await second.composer.press_sequentially("tence")
    await third.page.reload()  # the draft of another tab does not return after the message was sent
    await expect(third.composer).to_be_visible()
    await expect(third.composer).to_have_value("")
    await second.composer.press("Enter")
    await second.expect_messages("another text", "half a sentence")
    await second.page.close()
    fourth = await open_second_tab()
    await expect(fourth.composer).to_have_value("")
    for chat_page in (second, third, fourth):
        chat_page.assert_no_errors()


async def test_the_room_dialog_finds_rooms_by_a_part_of_the_name_and_by_a_link(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    for room in ("coffee", "cocoa"):
        await bot.join(room, "bot")
    await bot.request("setTopic", {"room": "cocoa", "topic": "hot and sweet"})
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.page.keyboard.press("Control+K")
    options = chat_page.page.get_by_role("option")
    await expect(options).to_have_count(2)
    await chat_page.page.keyboard.type("COCO")
    await expect(options).to_have_text([re.compile("cocoa.*1 member.*hot and sweet"), "Join “COCO”"])
    await expect(options.last).to_have_attribute("aria-selected", "true")
    await chat_page.page.keyboard.press("ArrowUp")
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#room-name")).to_have_text("cocoa")
    await expect(chat_page.page.locator("#room-topic")).to_have_text("hot and sweet")
    await chat_page.page.get_by_role("button", name="Join or switch room").click()
    await chat_page.page.keyboard.type("brand new")
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#room-name")).to_have_text("brand new")
    await chat_page.page.keyboard.press("Control+K")
    await chat_page.page.keyboard.type("te")
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    await expect(chat_page.page.locator("#room-list .name")).to_have_text(["tea", "cocoa", "brand new"])
    await bot.join("brand", "bot")
    await chat_page.page.keyboard.press("Control+K")
    await chat_page.page.keyboard.type("brand")
    await expect(chat_page.page.locator("#room-dialog-list [aria-selected=true]")).to_have_text("brand1 member")
    await expect(options).to_have_text(["brand new1 member", "brand1 member"])
    await chat_page.page.locator("#room-dialog-input").fill("")
    await chat_page.page.keyboard.type("https://other.example/#/tea")
    await expect(chat_page.page.locator("#room-dialog-list")).to_contain_text("another server, other.example")
    assert await chat_page.page.locator("#room-dialog-input").get_attribute("aria-activedescendant") is None
    await chat_page.page.locator("#room-dialog-input").fill(f"{server.url}/#/cocoa")
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#room-name")).to_have_text("cocoa")
    chat_page.assert_no_errors()


async def test_leaving_a_room_shows_the_next_one_or_the_join_form(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_tea_and_coffee(browser, server, bot)
    await chat_page.send_message("/leave")
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    await expect(chat_page.page.locator("#room-list .name")).to_have_text(["tea"])
    notice = await bot.wait_for_push("message", kind="leave")
    assert (notice["room"], notice["nickName"]) == ("coffee", "Ann")
    await chat_page.send_message("/leave")
    await expect(chat_page.page.locator("#join-screen")).to_be_visible()
    await expect(chat_page.page).to_have_title("Chat")
    chat_page.assert_no_errors()


async def test_an_invalid_room_name_keeps_the_current_room(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.send_message("/join " + "x" * 65)
    await expect(chat_page.page.locator("#toast")).to_contain_text(
        "The room name is too long. Use at most 64 characters."
    )
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    await expect(chat_page.page.locator("#room-list .name")).to_have_text(["tea"])
    await expect(chat_page.page).to_have_url(re.compile("/#/tea$"))
    await chat_page.send_message("still here")
    await chat_page.expect_all_sent()
    chat_page.assert_no_errors()


async def test_commands_run_and_unknown_ones_are_not_sent(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.send_message("/etc/hosts is a file")
    await expect(writer.page.locator("#composer-error")).to_contain_text("Unknown command: /etc/hosts")
    await expect(writer.composer).to_have_value("/etc/hosts is a file")
    await writer.send_message("//etc/hosts is a file")
    await writer.expect_messages("/etc/hosts is a file")
    await writer.send_message("/topic about <b>tea</b>")
    await expect(writer.page.locator("#room-topic")).to_have_text("about <b>tea</b>")
    await writer.send_message("/nick Anne")
    await expect(writer.page.locator("#member-list .nick")).to_have_text(["Anne", "bot"])
    await writer.send_message("/names")
    await expect(writer.page.locator(".notice").last).to_contain_text("2 members: Anne, bot")
    await writer.send_message("/me waves at <i>bot</i>")
    await expect(writer.page.locator(".action .message-text")).to_have_text("* Anne waves at <i>bot</i>")
    await writer.expect_all_sent()
    history = await bot.request("history", {"room": "tea", "before": 1000})
    texts = [entry["message"] for entry in history["messages"] if entry["kind"] == "message"]
    assert texts == ["/etc/hosts is a file", "/me waves at <i>bot</i>"]
    await writer.unfocus()
    await writer.page.evaluate("dispatchEvent(new Event('pagehide'))")  # saves the read marker
    await bot.send_messages("tea", ["unread before the reload"])
    await expect(writer.page).to_have_title("(1) tea")
    await writer.send_message("/nick Annie")
    await expect(writer.page.locator("#member-list .nick")).to_have_text(["Annie", "bot"])
    await writer.page.reload()
    await expect(writer.page.locator("#member-list .nick")).to_have_text(["Annie", "bot"])
    await expect(writer.page.locator(".divider.unread + .line")).to_contain_text("unread before the reload")
    writer.assert_no_errors()


async def test_messages_in_an_unfocused_page_count_in_the_title_until_another_tab_reads_them_or_mutes_the_room(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.unfocus()
    await bot.send_messages("tea", ["one", "two"])
    await expect(chat_page.page).to_have_title("(2) tea")
    context = chat_page.tab.context
    second_page = ChatPage(BrowserTab(context, await context.new_page()))
    await second_page.join_room(server.url, "Ann")
    await expect(second_page.messages).to_have_count(2)
    await expect(chat_page.page).to_have_title("tea · Chat")
    await second_page.unfocus()
    await bot.send_messages("tea", ["three"])
    await expect(chat_page.page).to_have_title("(1) tea")
    for command, title in (("/mute", "tea · Chat"), ("/unmute", "(1) tea")):
        await second_page.send_message(command)
        await expect(chat_page.page).to_have_title(title)
    chat_page.assert_no_errors()


async def test_opening_a_room_closes_the_drawers_on_phones(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann", viewport=PHONE_VIEWPORT)
    await chat_page.send_message("/join coffee")
    await bot.send_messages("tea", ["@Ann?"])
    await expect(chat_page.page.locator("#rooms-badge")).to_have_text("1")
    await expect(chat_page.page.locator("#rooms")).to_be_hidden()
    await chat_page.page.get_by_role("button", name="Rooms").click()
    await expect(room_row(chat_page, "coffee").locator(".room-open")).to_be_focused()
    await room_row(chat_page, "tea").locator(".room-open").click()
    await expect(chat_page.page.locator("#rooms")).to_be_hidden()
    await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
    await expect(chat_page.page.locator("#rooms-badge")).to_be_hidden()
    await chat_page.page.locator("#members-toggle").click()
    await chat_page.page.locator("#member-list .member", has_text="bot").click()
    await chat_page.page.get_by_role("button", name="Direct message").click()
    await expect(chat_page.page.locator("#room-name")).to_have_text("bot")
    await expect(chat_page.page.locator("#members")).to_be_hidden()
    chat_page.assert_no_errors()


async def test_a_button_jumps_to_the_first_unread_message_above_the_viewport(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_tea_and_coffee(browser, server, bot)
    await bot.send_messages("tea", [f"line {number}" for number in range(150)])
    await expect(room_row(chat_page, "tea").locator(".badge")).to_have_text("99+")
    await chat_page.page.keyboard.press("Alt+ArrowUp")
    await expect(chat_page.messages.last).to_be_in_viewport()
    button = chat_page.page.get_by_role("button", name="Jump to first unread")
    await button.click()
    await expect(chat_page.page.get_by_text("line 0", exact=True)).to_be_in_viewport()
    await expect(button).to_be_hidden()
    await chat_page.page.keyboard.press("Escape")
    await chat_page.page.keyboard.press("Escape")
    await expect(chat_page.messages.last).to_be_in_viewport()
    await expect(button).to_be_hidden()
    await bot.send_messages("coffee", ["one"])
    await expect(room_row(chat_page, "coffee").locator(".badge")).to_have_text("1")
    await chat_page.page.keyboard.press("Alt+ArrowDown")
    await expect(chat_page.page.locator(".divider.unread + .message")).to_contain_text("one")
    await expect(button).to_be_hidden()
    chat_page.assert_no_errors()
