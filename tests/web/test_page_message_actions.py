"""Actions on messages: reply, edit, delete, react and copy."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.browser import DESKTOP_VIEWPORT, PHONE_VIEWPORT, Browser
from tests.support.chat_page import UNREACHABLE_ERRORS, ChatPage, open_chat_page, reject_marked_texts
from tests.support.raw_client import RawClient, raw_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

STOP_UNDO_TIMERS = """
const startTimer = globalThis.setTimeout;
globalThis.setTimeout = (run, delay, ...rest) => (delay === 5000 ? 0 : startTimer(run, delay, ...rest));
"""
"""Let the time to undo a deletion last until the page closes."""

WAIT_FOR_SCROLL = """(box, distance) => new Promise((resolve) => {
  const check = () => (box.scrollTop > distance ? resolve() : requestAnimationFrame(check));
  check();
})"""


async def test_reply_edit_react_delete_and_scrolling_need_only_the_keyboard(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.request("sendMessage", {"room": "tea", "message": "a question"})
    writer = await open_chat_page(browser, server.url, "Ann")
    keys = writer.page.keyboard
    await writer.expect_messages("a question")
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    await expect(writer.rows.first).to_be_focused()
    await keys.press("ArrowUp")  # no message above
    await keys.press("e")  # no effect on another member's message
    await keys.press("r")
    await expect(writer.composer).to_be_focused()
    await expect(writer.page.locator("#compose-context")).to_contain_text("Replying to bot a question")
    await keys.type("an anwser")
    await keys.press("Enter")
    await expect(writer.page.locator(".quote")).to_have_text("bot a question")
    await expect(writer.page.locator("#compose-context")).to_be_hidden()
    await writer.expect_all_sent()
    await keys.press("ArrowUp")
    await expect(writer.composer).to_have_value("an anwser")
    await writer.composer.fill("an answer")
    await keys.press("Enter")
    await expect(writer.messages).to_have_text(["a question", "an answer (edited)"])
    await writer.expect_all_sent()
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    await keys.press("a")
    await keys.press("ArrowRight")
    await keys.press("Enter")
    await expect(writer.page.locator(".reaction")).to_have_text("❤️ 1")
    await expect(writer.page.locator(".reaction")).to_have_attribute("aria-pressed", "true")
    await expect(writer.rows.last).to_be_focused()
    await keys.press("d")
    await expect(writer.page.get_by_role("dialog")).to_contain_text("an answer")
    await bot.request("react", {"room": "tea", "seq": 2, "emoji": "👍", "on": True})  # replaces the row
    await expect(writer.page.locator(".reaction")).to_have_count(2)
    await keys.press("Escape")
    await expect(writer.messages).to_have_text(["a question", "an answer (edited)"])
    await expect(writer.rows.last).to_be_focused()
    await keys.press("d")
    await writer.page.get_by_role("button", name="Delete", exact=True).click()
    await expect(writer.messages).to_have_text(["a question", "Deleting… Undo"])
    await expect(writer.messages).to_have_text(["a question", "This message was deleted."])
    await writer.expect_all_sent()
    history = await bot.request("history", {"room": "tea", "after": 0})
    kinds = [entry["kind"] for entry in history["messages"]]
    assert kinds == ["message", "message", "edit", "reaction", "reaction", "delete"]
    assert history["messages"][1]["replyTo"] == 1
    await bot.send_messages("tea", ["line\n" * 60])
    box = writer.page.locator(".message-text.scrollable")
    await box.focus()
    for key, distance in (("ArrowDown", 0), ("PageDown", 100)):  # px; ArrowDown scrolls by 40
        await keys.press(key)
        await box.evaluate(WAIT_FOR_SCROLL, distance)
        await expect(box).to_be_focused()
    writer.assert_no_errors()


async def test_typed_text_never_acts_on_messages(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    keys, dialog = writer.page.keyboard, writer.page.get_by_role("dialog")
    await writer.send_message("a secret")
    await writer.expect_all_sent()

    async def expect_typed(text: str) -> None:
        await expect(writer.composer).to_have_value(text)
        await expect(dialog).to_be_hidden()
        await expect(writer.messages).to_have_text(["a secret"])
        await writer.composer.fill("")

    for text in ("do we agree?", "hello everybody", "yes", "Delete it", "kjrdyu"):
        await writer.messages.first.click()
        await expect(writer.rows.first).to_be_focused()
        await keys.type(text)
        await expect_typed(text)
    for text, expected in {"hello everybody": "hello everybody", "do we agree?": "o we agree?", "dd y": "d y"}.items():
        await keys.press("Shift+Tab")
        await keys.press("ArrowUp")
        await keys.type(text)
        await expect_typed(expected)
    await bot.request("sendMessage", {"room": "tea", "message": "about that", "replyTo": 1})
    await writer.page.locator(".quote").click()
    await expect(writer.rows.first).to_be_focused()
    await keys.type("delay")
    await expect(writer.composer).to_have_value("delay")
    await expect(writer.messages).to_have_text(["a secret", "about that"])
    writer.assert_no_errors()


async def test_a_deletion_asks_and_can_be_undone_until_the_page_closes(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    writer = ChatPage(await browser.open_tab())
    await writer.page.add_init_script(STOP_UNDO_TIMERS)
    await writer.join_room(server.url, "Ann")
    keys, dialog = writer.page.keyboard, writer.page.get_by_role("dialog")
    await writer.send_message("a secret")
    await writer.expect_all_sent()
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    await keys.press("d")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await keys.press("Space")
    await expect(dialog).to_be_hidden()
    await writer.expect_messages("a secret")
    for undo_key in ("u", "button"):
        await keys.press("d")
        await expect(dialog).to_be_visible()
        await keys.press("y")
        await expect(writer.messages).to_have_text(["Deleting… Undo"])
        if undo_key == "u":
            await keys.press("u")
        else:
            await writer.page.get_by_role("button", name="Undo").click()
        await writer.expect_messages("a secret")
        await keys.press("Shift+Tab")
        await keys.press("ArrowUp")
    await writer.send_message("/delete")
    await keys.press("y")
    await expect(writer.messages).to_have_text(["Deleting… Undo"])
    await writer.send_message("/undo")
    await writer.expect_messages("a secret")
    await writer.send_message("/undo")
    await expect(writer.page.get_by_text("No deletion to undo.")).to_be_visible()
    await writer.composer.fill("")
    await writer.send_message("/delete")
    await keys.press("y")
    await expect(writer.messages).to_have_text(["Deleting… Undo"])
    history = await bot.request("history", {"room": "tea", "after": 0})
    assert [entry["kind"] for entry in history["messages"]] == ["message"]
    await writer.page.reload()
    await writer.expect_messages("This message was deleted.")
    await writer.expect_all_sent()
    writer.assert_no_errors()


async def test_the_mouse_adds_and_removes_reactions_and_copies_a_message(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.request("sendMessage", {"room": "tea", "message": "like it?"})
    await bot.request("react", {"room": "tea", "seq": 1, "emoji": "🎉", "on": True})
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.rows.first.hover()
    tools = chat_page.page.get_by_role("toolbar").get_by_role("button")
    await expect(tools).to_have_count(4)
    chip = chat_page.page.locator(".reaction")
    await expect(chip).to_have_attribute("title", "bot")
    await chip.click()
    await expect(chip).to_have_text("🎉 2")
    await expect(chip).to_have_attribute("title", "bot and Ann")
    await chat_page.expect_all_sent()  # the acknowledgement replaces the row, and thereby the target of a click
    await chip.click()
    await expect(chip).to_have_text("🎉 1")
    await chat_page.expect_all_sent()
    await tools.first.click()
    other = chat_page.page.get_by_role("textbox", name="Other emoji")
    await other.fill("not a reaction")
    await chat_page.page.keyboard.press("Enter")
    validation_message = await other.evaluate("(field) => field.validationMessage")
    assert validation_message == "Enter one emoji, or a word of up to 8 letters."
    await expect(chip).to_have_count(1)
    await other.fill("🫖")
    await chat_page.page.keyboard.press("Enter")
    await expect(chip).to_have_text(["🎉 1", "🫖 1"])
    await chat_page.expect_all_sent()
    await chat_page.rows.first.hover()
    await chat_page.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tools.and_(chat_page.page.get_by_role("button", name="Copy")).click()
    await expect(chat_page.page.locator("#toast")).to_have_text("Copied to clipboard.")
    assert await chat_page.page.evaluate("navigator.clipboard.readText()") == "like it?"
    chat_page.assert_no_errors()


async def test_an_offline_edit_shows_immediately_and_syncs_later(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.send_message("frist")
    await writer.expect_all_sent()
    await writer.go_offline()
    await writer.composer.press("ArrowUp")
    await writer.send_message("first")
    await expect(writer.messages).to_have_text(["first (edited)"])
    await expect(writer.page.locator(".change-pending .delivery-state")).to_have_attribute("aria-label", "Sending…")
    await writer.tab.context.set_offline(False)
    await writer.expect_connection_state()
    await expect(writer.page.locator(".change-pending")).to_have_count(0)
    await expect(writer.messages).to_have_text(["first (edited)"])
    history = await bot.request("history", {"room": "tea", "after": 0})
    assert history["messages"][0]["message"] == "first"
    writer.tab.ignore_errors(*UNREACHABLE_ERRORS)
    writer.assert_no_errors()


async def test_a_rejected_edit_shows_the_reason_and_reverts_the_message(
    browser: Browser, server: RunningServer
) -> None:
    writer = ChatPage(await browser.open_tab())
    await reject_marked_texts(writer.page)
    await writer.join_room(server.url, "Ann")
    await writer.send_message("fine")
    await writer.expect_all_sent()
    await writer.composer.press("ArrowUp")
    await writer.send_message("rejected")
    error = writer.page.locator(".send-error")
    await expect(error).to_contain_text("Change not saved: A message cannot be empty.")
    await expect(writer.messages).to_have_text(["fine"])
    await error.get_by_role("button", name="Edit").click()
    await expect(writer.page.locator("#compose-context")).to_contain_text("Editing message")
    await expect(writer.composer).to_have_value("rejected")
    await expect(error).to_have_count(0)
    await writer.composer.press("Escape")
    await writer.send_message("accepted")
    await writer.expect_messages("fine", "accepted")
    await writer.send_message("rejected again")
    await writer.composer.fill("half a sen")
    await error.get_by_role("button", name="Edit").click()
    await expect(writer.composer).to_have_value("rejected again\nhalf a sen")
    await writer.expect_messages("fine", "accepted")
    writer.assert_no_errors()


async def test_copy_works_without_the_clipboard_api(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    await bot.request("sendMessage", {"room": "tea", "message": "copied\n  text"})
    tab = await browser.open_tab()
    # Plain HTTP on a LAN has no Clipboard API.
    await tab.page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined })")
    chat_page = ChatPage(tab)
    await chat_page.join_room(server.url, "Ann")
    await chat_page.expect_messages("copied\n  text")
    await chat_page.page.keyboard.press("Shift+Tab")
    await chat_page.page.keyboard.press("ArrowUp")
    await chat_page.page.keyboard.press("y")
    await expect(chat_page.page.locator("#toast")).to_have_text("Copied to clipboard.")
    await expect(chat_page.rows.first).to_be_focused()
    await chat_page.composer.focus()
    await chat_page.page.keyboard.press("Control+V")
    await expect(chat_page.composer).to_have_value("copied\n  text")
    chat_page.assert_no_errors()


async def test_reactions_name_the_members_for_mouse_keyboard_and_touch(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.request("sendMessage", {"room": "tea", "message": "a message"})
    names: list[str] = []
    async with AsyncExitStack() as stack:
        for number in range(23):
            client = await stack.enter_async_context(raw_client(server.url))
            names.append("two words" if number == 0 else f"nick{number}")
            await client.join("tea", names[-1])
            await client.request("react", {"room": "tea", "seq": 1, "emoji": "👍", "on": True})
        await bot.request("react", {"room": "tea", "seq": 1, "emoji": "🎉", "on": True})
        for touch in (False, True):
            viewport = PHONE_VIEWPORT if touch else DESKTOP_VIEWPORT
            options: dict[str, Any] = {"has_touch": True, "is_mobile": True} if touch else {}
            tab = await browser.open_tab(viewport=viewport, **options)
            chat_page = ChatPage(tab)
            await chat_page.join_room(server.url, "Ann")
            shown = ", ".join(["“two words”", *names[1:20]]) + " and 3 more"
            chip, reactors = tab.page.locator(".reaction").first, tab.page.locator(".reaction-names")
            await expect(chip).to_have_attribute("title", shown)
            await expect(reactors).to_be_hidden()
            if touch:
                await chat_page.messages.first.tap()
            else:
                await chat_page.messages.first.click()
                await expect(reactors).to_be_hidden()  # the tooltip shows the names
                await tab.page.keyboard.press("Escape")
                await tab.page.keyboard.press("Shift+Tab")
                await tab.page.keyboard.press("ArrowUp")
            await expect(reactors).to_be_visible()
            await expect(reactors.locator("span")).to_have_text([f"👍 {shown}", "🎉 bot"])
            chat_page.assert_no_errors()
