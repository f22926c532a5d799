"""Rooms of accounts in the page: creation, policy, invites, webhooks, moderation, direct rooms and read markers."""

import re

import pytest
from aiohttp import ClientSession
from playwright.async_api import Locator, expect

from server.app import RunningServer
from tests.support.accounts import connected, create_account
from tests.support.browser import Browser
from tests.support.chat_page import UNREACHABLE_ERRORS, ChatPage, open_as_account, open_chat_page
from tests.support.page_notifications import RECORD_NOTIFICATIONS, show_notifications
from tests.support.raw_client import RawClient, raw_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def create_room(chat_page: ChatPage, name: str, *, is_private: bool = False) -> None:
    """Create a room in its dialog, and wait for the join."""
    page = chat_page.page
    await page.locator("#room-dialog-open").click()
    await page.locator("#room-create").click()
    await page.locator("#room-settings-name").fill(name)
    await page.locator("#room-settings-private").set_checked(is_private)
    await page.locator("#room-settings-submit").click()
    await chat_page.expect_room(name)


async def open_member(chat_page: ChatPage, nick: str) -> None:
    """Open the dialog of a member."""
    await chat_page.page.locator("#member-list .member", has_text=nick).click()


async def enter_room(chat_page: ChatPage, text: str) -> None:
    """Submit a name or link in the room dialog, and wait until it is closed."""
    await chat_page.page.keyboard.press("Control+K")
    await chat_page.page.locator("#room-dialog-input").fill(text)
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#room-dialog")).to_be_hidden()


async def open_list(chat_page: ChatPage, command: str) -> Locator:
    """Open a list dialog with a command, and return its rows."""
    await chat_page.send_message(command)
    await expect(chat_page.page.locator("#list-dialog")).to_be_visible()
    return chat_page.page.locator("#list-rows li")


async def expect_rejected_join(chat_page: ChatPage, url: str) -> None:
    """Wait for the message of a room that does not exist, and for the return to room `lobby`."""
    await expect(chat_page.page).to_have_url(f"{url}/#/lobby")
    await expect(chat_page.page.locator("#toast")).to_contain_text("Room not found.")


async def test_a_private_room_is_joined_with_an_invite_only_and_receives_webhook_messages(
    browser: Browser, server: RunningServer
) -> None:
    owner = await open_as_account(browser, server, "ann")
    await create_room(owner, "Secret tea", is_private=True)
    await owner.send_message("hidden")
    await owner.expect_all_sent()
    await owner.page.locator("#room-settings-open").click()
    await owner.page.locator("#room-invite-create").click()
    await expect(owner.page.locator("#room-invite-link")).to_have_value(re.compile(r"/#/~\w+\?invite="))
    link = await owner.page.locator("#room-invite-link").input_value()
    # Plain HTTP has no Clipboard API.
    await owner.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await owner.page.locator("#room-invite-copy").click()
    await expect(owner.page.locator("#toast")).to_have_text("Copied to clipboard.")
    await owner.page.locator("#toast").click(trial=True)  # fails below a dialog
    await expect(owner.page.locator("#room-invite-copy")).to_be_focused()
    stranger = await open_chat_page(browser, server.url, "eve", "lobby")
    url = link.partition("?")[0]
    await stranger.page.goto(url)
    await expect_rejected_join(stranger, server.url)
    guest = ChatPage(await browser.open_tab())
    await guest.page.goto(server.url)
    await guest.page.locator("#join-room").fill("chat://other.example/~room?invite=code")
    await guest.page.locator("#join-nick").fill("bob")
    await guest.page.locator("#join-submit").click()
    await expect(guest.page.locator("#join-error")).to_contain_text("another server, other.example")
    await guest.page.locator("#join-room").fill(link)
    await guest.page.locator("#join-submit").click()
    await guest.expect_messages("hidden")
    await expect(guest.page).to_have_url(url)
    await expect(guest.page.locator("#room-name")).to_have_text("Secret tea")
    await expect(guest.composer).to_have_attribute("placeholder", "Message Secret tea")
    await expect(guest.page.locator("#room-settings-open")).to_be_hidden()
    await owner.page.locator("#room-invite-list").click()
    invites, status = owner.page.locator("#list-rows li"), owner.page.locator("#list-status")
    await expect(invites).to_contain_text(["9 uses left"])
    await invites.get_by_role("button", name="Revoke invite 1").click()
    await expect(status).to_have_text("No valid invites.")
    await expect(owner.page.locator("#list-rows")).to_be_focused()
    await owner.page.keyboard.press("Escape")
    await owner.page.keyboard.press("Escape")
    await owner.composer.press("Control+V")
    await expect(owner.composer).to_have_value(link)
    await owner.composer.fill("")
    await stranger.page.goto(link)
    await expect_rejected_join(stranger, server.url)
    await owner.send_message("/hook CI")
    hook = owner.page.locator("#timeline-lines .notice", has_text="/api/hooks/")
    address = re.search(r"http\S+", await hook.inner_text())
    assert address is not None
    async with ClientSession() as session, session.post(address[0], json={"text": "build 7"}) as response:
        assert response.status == 200
    message = owner.page.locator("#timeline-lines .message", has_text="build 7")
    await expect(message.locator(".message-header")).to_contain_text("CIbot")
    hooks = await open_list(owner, "/hooks")
    await expect(hooks).to_contain_text(["CI"])
    await hooks.get_by_role("button", name="Revoke webhook CI").click()
    await expect(status).to_have_text("No webhooks. /hook NAME creates one.")
    await owner.page.keyboard.press("Escape")
    await expect(owner.page.locator("#timeline-lines")).to_contain_text("ann revoked the webhook CI")
    await owner.send_message("/unhook CI")
    await expect(owner.page.get_by_text("No such webhook.")).to_be_visible()
    await owner.composer.fill("")
    await owner.send_message("/invite many")
    await expect(owner.page.locator("#composer-error")).to_contain_text("such as /invite 1 2h.")
    await owner.send_message("/invite 3 2h")
    notice = owner.page.locator("#timeline-lines .notice", has_text="?invite=")
    await expect(notice).to_contain_text(re.compile(r"^Invite for 3 people until .*\?invite="))
    code = (await notice.inner_text()).rpartition("?invite=")[2].strip()
    invite = f"{url.replace('http:', 'chat:').replace('#/', '')}?invite={code}"
    await enter_room(stranger, invite[:-1])
    await expect_rejected_join(stranger, server.url)
    await stranger.go_offline()
    await stranger.send_message(f"/join {invite[:-1]}")
    await stranger.page.goto(f"{url}?invite={code}")
    await stranger.tab.context.set_offline(False)
    await stranger.expect_messages("hidden", "build 7")
    await expect(stranger.page).to_have_url(url)
    stranger.tab.ignore_errors(*UNREACHABLE_ERRORS)
    await stranger.send_message("/part")
    await enter_room(stranger, invite)
    await stranger.expect_messages("hidden", "build 7")
    await expect(stranger.page).to_have_url(url)
    await stranger.page.goto(f"{url}?invite={code}")
    await expect(stranger.page).to_have_url(url)
    await owner.page.locator("#search-toggle").click()
    await owner.page.locator("#search-all-rooms").check()
    await owner.page.locator("#search-input").fill("hidden")
    await expect(owner.page.locator(".search-result .room")).to_have_text("Secret tea")
    await owner.send_message("/part")
    await owner.page.locator("#room-dialog-open").click()
    await owner.page.locator("#room-dialog-list .option", has_text="Secret tea").click()
    await expect(owner.page.locator("#room-name")).to_have_text("Secret tea")
    for chat_page in (owner, guest, stranger):
        chat_page.assert_no_errors()


async def test_an_owner_silences_and_bans_a_member_and_deletes_a_message(
    browser: Browser, server: RunningServer
) -> None:
    owner = await open_as_account(browser, server, "ann")
    await create_room(owner, "tea")
    guest = await open_chat_page(browser, server.url, "bob", "tea")
    page = owner.page
    await open_member(owner, "bob")
    await page.locator("#member-reason").fill("spam")
    await page.get_by_role("button", name="Silence", exact=True).click()
    await expect(page.locator("#timeline-lines .notice").last).to_contain_text("ann silenced bob")
    await guest.send_message("hello")
    await expect(guest.page.locator("#timeline-lines .message.failed")).to_have_count(1)
    sanctions = await open_list(owner, "/sanctions")
    await expect(sanctions).to_contain_text(["ann silenced bob"])
    await sanctions.get_by_role("button", name="End silence: bob").click()
    await expect(page.locator("#list-status")).to_have_text("Nobody is silenced or banned.")
    await page.keyboard.press("Escape")
    await guest.page.get_by_role("button", name="Retry").click()
    await owner.expect_messages("hello")
    await page.locator("#timeline-lines .message").click()
    await page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    await expect(page.locator("#confirm-title")).to_have_text("Delete this message of bob?")
    await page.keyboard.press("y")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")  # ends the time to undo
    await expect(guest.page.locator(".message-text.deleted")).to_have_text("This message was deleted.")
    await owner.send_message("/kick carl")
    await expect(page.locator("#composer-error")).to_have_text("No such nickname: carl.")
    await expect(owner.composer).to_have_value("/kick carl")
    await open_member(owner, "bob")
    await page.locator("#member-delete-recent").select_option("3600")
    await page.get_by_role("button", name="Ban", exact=True).click()
    await expect(page.locator("#confirm-text")).to_have_text(
        "Other guests from the same address are banned too.\nThe messages of the last 1 hour are deleted."
    )
    await page.locator("#confirm-dialog .danger").click()
    await expect(guest.page.locator("#join-error")).to_have_text("You are banned from this room.")
    await expect(page.locator("#timeline-lines .notice", has_text="ann banned bob")).to_have_count(1)
    audit = await open_list(owner, "/audit")
    await expect(audit).to_contain_text(
        ["ann banned bob", "ann deleted a message of another member", "ann ended the silence", "ann silenced bob"]
    )
    await page.keyboard.press("Escape")
    await owner.send_message("/unban bob")
    await expect(page.locator("#timeline-lines .notice", has_text="ann ended the ban of bob")).to_have_count(1)
    await owner.send_message("/ban bob 1x spam")
    await expect(page.locator("#composer-error")).to_contain_text("1x is not a duration.")
    await owner.send_message("/unban bob")
    await expect(page.locator("#timeline-lines .notice").last).to_contain_text("No change for bob.")
    owner.assert_no_errors()


async def test_a_policy_changed_by_dialog_or_command_applies_to_present_members(
    browser: Browser, server: RunningServer
) -> None:
    issued = await create_account(server, "ann")
    owner = await open_as_account(browser, server, "ann", issued)
    await create_room(owner, "tea")
    async with raw_client(server.url) as guest, connected(server, {"token": issued.token}) as (device, _):
        await guest.join("tea", "bob")
        await owner.page.locator("#room-settings-open").click()
        await device.request("updateRoom", {"room": "tea", "react": "members"})
        await expect(owner.page.locator("#timeline-lines .notice").last).to_contain_text("react = members")
        await owner.page.locator("select[name=speak]").select_option("members")
        await owner.page.locator("#room-settings-submit").click()
        await expect(owner.page.locator("#timeline-lines .notice").last).to_contain_text(re.compile("speak = members$"))
        await expect(owner.page.locator("#room-settings-dialog")).to_be_hidden()
        refused = await guest.request("sendMessage", {"room": "tea", "message": "hi"})
        assert refused["error"]["reason"] == "members_only"
        await owner.composer.press_sequentially("/pol")
        await owner.composer.press("Tab")
        await owner.composer.press_sequentially("gue")
        await owner.composer.press("Tab")
        await owner.composer.press_sequentially("f")
        await owner.composer.press("Tab")
        await expect(owner.composer).to_have_value("/policy guestPost false ")
        await owner.composer.press("Enter")
        await expect(owner.page.locator("#timeline-lines .notice").last).to_contain_text("guestPost = false")
        await owner.send_message("/policy")
        await expect(owner.page.locator("#timeline-lines .notice").last).to_contain_text("guestPost = false\nreact =")
        await owner.send_message("/policy speak nobody")
        await expect(owner.page.locator("#composer-error")).to_have_text(
            "speak: expected everyone, members, moderators."
        )
        await owner.send_message("/rename green tea")
        await expect(owner.page.locator("#room-name")).to_have_text("green tea")
        owner.assert_no_errors()


async def test_a_guest_who_creates_a_room_is_asked_to_log_in(browser: Browser, server: RunningServer) -> None:
    guest = await open_chat_page(browser, server.url, "bob")
    await guest.page.locator("#room-dialog-open").click()
    await guest.page.locator("#room-create").click()
    await guest.page.locator("#room-settings-name").fill("mine")
    await guest.page.locator("#room-settings-submit").click()
    await expect(guest.page.locator("#room-settings-error")).to_have_text("Log in to do that.")
    guest.assert_no_errors()


async def test_only_an_owner_deletes_a_room_which_closes_for_all_members(
    browser: Browser, server: RunningServer
) -> None:
    owner = await open_as_account(browser, server, "ann")
    await create_room(owner, "tea")
    guest = await open_chat_page(browser, server.url, "bob", "lobby")
    await guest.open_room("tea")
    await guest.page.route("**/api/uploads?**", lambda _route: None)  # never completes
    await guest.page.locator("#file-picker").set_input_files({"name": "a", "mimeType": "", "buffer": b"a"})
    await expect(guest.page.get_by_role("progressbar", name="Uploading a")).to_be_visible()
    assert await guest.page.evaluate("onbeforeunload !== null")
    await owner.page.locator("#room-settings-open").click()
    await owner.page.locator("#room-delete").click()
    await owner.page.locator("#confirm-dialog .danger").click()
    await expect(owner.page.locator("#room-name")).to_have_text("lobby")
    await expect(owner.page.locator("#toast")).to_be_hidden()
    await expect(guest.page.locator("#toast")).to_have_text("tea: The room was deleted.")
    await expect(guest.page.locator("#room-name")).to_have_text("lobby")
    assert await guest.page.evaluate("onbeforeunload === null")
    await guest.send_message("/part")
    await create_room(owner, "coffee")
    await guest.join_room(server.url, "bob", "coffee")
    await guest.send_message("/delete-room")
    await expect(guest.page.locator("#composer-error")).to_have_text("Only an owner of the room can do this.")
    await owner.send_message("/delete-room")
    await owner.page.locator("#confirm-dialog .danger").click()
    await expect(guest.page.locator("#join-error")).to_have_text("The room was deleted.")


async def test_a_direct_message_opens_a_room_named_after_the_other_member_unless_blocked(
    browser: Browser, server: RunningServer
) -> None:
    accounts = {name: await create_account(server, name) for name in ("ann", "bob")}
    ann, bob = [await open_as_account(browser, server, name, issued) for name, issued in accounts.items()]
    await open_member(ann, "bob")
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
    await expect(bob.page.locator("#composer-error")).to_have_text("This member accepts no direct messages from you.")
    blocks = await open_list(ann, "/blocks")
    await blocks.get_by_role("button", name="Unblock bob").click()
    await expect(ann.page.locator("#list-status")).to_have_text("You have blocked nobody.")
    await ann.expect_messages("noise", "@ann")
    async with connected(server, {"token": accounts["ann"].token}) as (device, _):
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
    ann.assert_no_errors()
    bob.assert_no_errors()


async def test_devices_of_an_account_share_the_read_marker_also_of_a_closed_room_and_a_reload_keeps_exact_counts(
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
    first.assert_no_errors()
