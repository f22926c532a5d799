"""Direct rooms, and rooms that the devices of an account share, in the page."""

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.accounts import create_account, open_connection
from tests.support.browser import Browser
from tests.support.chat_page import open_as_account
from tests.support.page_notifications import RECORD_NOTIFICATIONS, show_notifications
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_a_direct_message_opens_a_room_named_after_the_other_member_unless_blocked(
    browser: Browser, server: RunningServer
) -> None:
    accounts = {name: await create_account(server, name) for name in ("ann", "bob")}
    ann, bob = [await open_as_account(browser, server, name, issued) for name, issued in accounts.items()]
    await ann.open_member("bob")
    await ann.page.get_by_role("button", name="Direct message").click()
    await expect(ann.page.locator("#room-name")).to_have_text("bob")
    await ann.send_message("psst")
    await bob.page.locator("#room-list .room-open", has_text="ann").click()
    await bob.expect_messages("psst")
    await expect(bob.page.locator("#room-name")).to_have_text("ann")
    await bob.page.reload()
    await expect(bob.page.locator("#room-name")).to_have_text("ann")
    await bob.open_room("tea")
    await expect(bob.page.locator("#room-rows .name")).to_have_text(["lobby", "tea"])
    await expect(bob.page.get_by_role("list", name="Direct messages").locator(".name")).to_have_text(["ann"])
    await bob.page.keyboard.press("Alt+ArrowDown")
    await expect(bob.page.locator("#room-name")).to_have_text("ann")
    await bob.send_message("/join lobby")
    await expect(bob.page.locator("#room-name")).to_have_text("lobby")
    await bob.send_message("noise")
    await bob.send_message("@ann")
    await ann.send_message("/part")
    await ann.expect_messages("noise", "@ann")
    await ann.send_message("/block bob")
    await expect(ann.messages).to_have_count(0)
    await expect(ann.page.locator("#timeline-lines .notice")).to_contain_text(["2 messages of blocked members"])
    await expect(ann.page.locator("#member-list .member", has_text="bob")).to_contain_text("blocked")
    await bob.send_message("/msg ann psst")
    await expect(bob.page.locator("#composer-error")).to_have_text(
        "This member does not accept direct messages from you."
    )
    blocks = await ann.open_list("/blocks")
    await blocks.get_by_role("button", name="Unblock bob").click()
    await expect(ann.page.locator("#list-status")).to_have_text("You have not blocked anybody.")
    await ann.expect_messages("noise", "@ann")
    async with open_connection(server, {"token": accounts["ann"].token}) as (device, _):
        bob_id = {"memberId": accounts["bob"].account.member_id}
        for event, count in (("block", 0), ("unblock", 2)):
            assert (await device.request(event, bob_id))["ok"]
            await expect(ann.messages).to_have_count(count)
            await expect(blocks.get_by_role("button")).to_have_count(int(event == "block"))
    await ann.page.keyboard.press("Escape")
    await ann.send_message("/msg bob all right")
    await expect(ann.page.locator("#room-name")).to_have_text("bob")
    await ann.expect_messages("psst", "all right")
    await ann.page.locator("#mentions-open").click()
    await ann.page.locator("#list-rows .list-open").click()
    await expect(ann.page.locator("#room-name")).to_have_text("lobby")
    await expect(ann.page.locator("#timeline-lines .highlighted .message-text")).to_have_text("@ann")
    await ann.page.evaluate(RECORD_NOTIFICATIONS)
    await ann.page.locator("#settings-open").click()
    await ann.page.get_by_label("Notify me of mentions and direct messages").check()
    await ann.page.keyboard.press("Escape")
    await ann.unfocus()
    await bob.send_message("/msg ann first")
    await expect(ann.page.locator("#direct-rooms .badge")).to_have_text("1")
    address = await bob.page.evaluate("location.hash.slice(2)")
    assert await show_notifications(ann.page) == [["bob", "first", address]]
    for count, text in ((2, "second"), (3, "third")):
        await bob.send_message(text)
        await expect(ann.page.locator("#direct-rooms .badge")).to_have_text(str(count))
    assert (await show_notifications(ann.page))[1:] == [["2 messages in bob", "second\nthird", address]]
    in_background = "Notification.permission = 'granted'; document.hasFocus = () => false;"
    await ann.page.add_init_script(f"{RECORD_NOTIFICATIONS}{in_background}")
    await ann.page.reload()
    await expect(ann.page.locator("#direct-rooms .badge")).to_have_text("3")
    await bob.send_message("fourth")
    await expect(ann.page.locator("#direct-rooms .badge")).to_have_text("4")
    assert await show_notifications(ann.page) == [["bob", "fourth", address]]
    ann.assert_no_errors()
    bob.assert_no_errors()


async def test_devices_of_an_account_share_read_markers_of_open_and_closed_rooms_and_a_reload_keeps_exact_counts(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    issued = await create_account(server, "ann")
    first = await open_as_account(browser, server, "ann", issued)
    second = await open_as_account(browser, server, "ann", issued)
    for chat_page in (first, second):
        await chat_page.page.goto(f"{server.url}/#tea")
        await chat_page.expect_room("tea")
        await chat_page.page.locator("#room-list .room-open", has_text="lobby").click()
    await bot.request("sendMessage", {"room": "tea", "message": "news"})
    unread = [chat_page.page.locator("#room-list .unread", has_text="tea") for chat_page in (first, second)]
    for badge in unread:
        await expect(badge).to_have_count(1)
    await first.page.locator("#room-list .room-open", has_text="tea").click()
    for badge in unread:
        await expect(badge).to_have_count(0)
    await first.composer.press("Shift+Tab")
    await first.page.keyboard.press("ArrowUp")
    await first.page.keyboard.press("n")
    for badge in unread:
        await expect(badge).to_have_count(1)
    await first.page.keyboard.press("Escape")
    await first.page.keyboard.press("Escape")
    for badge in unread:
        await expect(badge).to_have_count(0)
    await first.page.locator("#room-list .room-open", has_text="lobby").click()
    await first.page.goto(f"{server.url}/health")
    for number in range(120):
        await bot.request("sendMessage", {"room": "tea", "message": "@ann" if number == 3 else f"missed {number}"})
    await first.page.goto(server.url)
    badge = first.page.locator("#room-list .unread", has_text="tea").locator(".visually-hidden")
    await expect(badge).to_have_text(", 120 unread, 1 mentioning you")
    await bot.request("sendMessage", {"room": "tea", "message": "live"})
    await expect(badge).to_have_text(", 121 unread, 1 mentioning you")
    await first.page.locator("#room-list .room-open", has_text="tea").click()
    await expect(badge).to_have_count(0)
    await first.page.keyboard.press("Alt+u")
    await expect(first.page.locator("#timeline-lines .highlighted .message-text")).to_have_text("missed 0")
    await first.send_message("/part")
    closed_rooms = first.page.get_by_role("list", name="Not open").get_by_role("button")
    await expect(closed_rooms).to_have_text(["tea"])
    for title in ("(1) lobby", "(2) lobby"):
        await bot.request("sendMessage", {"room": "tea", "message": "@ann"})
        await first.page.locator("#room-dialog-open").click()
        await expect(first.page).to_have_title(title)
        await first.page.keyboard.press("Escape")
    await expect(closed_rooms).to_have_text(["tea @2, 2 unread, 2 mentioning you"])
    await second.page.locator("#room-list .room-open", has_text="tea").click()
    await expect(closed_rooms).to_have_text(["tea"])
    await expect(first.page).to_have_title("lobby · Chat")
    await second.composer.press("Shift+Tab")
    await second.page.keyboard.press("ArrowUp")
    await second.page.keyboard.press("n")
    await expect(closed_rooms).to_have_text(["tea @1, 1 unread, 1 mentioning you"])
    await first.page.keyboard.press("Alt+A")
    await first.expect_room("tea")
    await expect(first.page.locator("#closed-rooms")).to_be_hidden()
    for command in ("/mute", "/part"):
        await first.send_message(command)
    await expect(closed_rooms).to_have_text(["tea, muted"])
    first.assert_no_errors()
