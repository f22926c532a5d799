"""Rooms of accounts in the page: creation, policy, invites, webhooks and moderation."""

import re

import pytest
from aiohttp import ClientSession
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.accounts import create_account, open_connection
from tests.support.browser import Browser
from tests.support.chat_page import UNREACHABLE_ERRORS, ChatPage, open_as_account, open_chat_page
from tests.support.raw_client import raw_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

HOLD_REQUEST = """(event) => {
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    if (String(data).includes(`"${event}"`)) window.sendHeld = () => send.call(this, data);
    else send.call(this, data);
  };
}"""
"""Script that holds a request with this event until `sendHeld` is called."""


async def create_room(chat_page: ChatPage, name: str, *, is_private: bool = False) -> None:
    """Create a room in its dialog, and wait for the join."""
    page = chat_page.page
    await page.locator("#room-dialog-open").click()
    await page.locator("#room-create").click()
    await page.locator("#room-settings-name").fill(name)
    await page.locator("#room-settings-private").set_checked(is_private)
    await page.locator("#room-settings-submit").click()
    await chat_page.expect_room(name)


async def enter_room(chat_page: ChatPage, text: str) -> None:
    """Submit a name or link in the room dialog, and wait until it is closed."""
    await chat_page.page.keyboard.press("Control+K")
    await chat_page.page.locator("#room-dialog-input").fill(text)
    await chat_page.page.keyboard.press("Enter")
    await expect(chat_page.page.locator("#room-dialog")).to_be_hidden()


async def expect_rejected_join(chat_page: ChatPage, url: str) -> None:
    """Wait for the message of a room that does not exist, and for the return to room `lobby`."""
    await expect(chat_page.page).to_have_url(f"{url}/#/lobby")
    await expect(chat_page.page.locator("#toast")).to_contain_text("Room not found.")


@pytest.mark.parametrize("server_options", [{"conversations": "on"}], ids=["conversations"])
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
    await expect(owner.page.locator("#room-settings-dialog #toast")).to_have_text("Copied to clipboard.")
    await owner.page.keyboard.press("Escape")
    await expect(owner.page.locator("body > #toast")).to_have_text("Copied to clipboard.")
    await owner.composer.press("Control+V")
    await expect(owner.composer).to_have_value(link)
    await owner.composer.fill("")
    await stranger.page.goto(link)
    await expect_rejected_join(stranger, server.url)
    await owner.send_message("/group-code")
    await expect(owner.page.get_by_text("New group code of Secret tea:")).to_be_visible()
    await owner.send_message("/hook CI")
    hook = owner.page.locator("#timeline-lines .notice", has_text="/api/hooks/")
    address = re.search(r"http\S+", await hook.inner_text())
    assert address is not None
    async with ClientSession() as session, session.post(address[0], json={"text": "build 7"}) as response:
        assert response.status == 200
    message = owner.page.locator("#timeline-lines .message", has_text="build 7")
    await expect(message.locator(".message-header")).to_contain_text("CIbot")
    hooks = await owner.open_list("/hooks")
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
    await owner.open_member("bob")
    await page.locator("#member-reason").fill("spam")
    await page.get_by_role("button", name="Silence", exact=True).click()
    await expect(page.locator("#timeline-lines .notice").last).to_contain_text("ann silenced bob")
    await guest.send_message("hello")
    await expect(guest.page.locator("#timeline-lines .message.failed")).to_have_count(1)
    sanctions = await owner.open_list("/sanctions")
    await expect(sanctions).to_contain_text(["ann silenced bob"])
    await sanctions.get_by_role("button", name="End silence: bob").click()
    await expect(page.locator("#list-status")).to_have_text("No silenced or banned members.")
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
    await owner.open_member("bob")
    await page.locator("#member-delete-recent").select_option("3600")
    await page.get_by_role("button", name="Ban", exact=True).click()
    await expect(page.locator("#confirm-text")).to_have_text(
        "Other guests from the same address are banned too.\nThe messages of the last 1 hour are deleted."
    )
    await page.locator("#confirm-dialog .danger").click()
    await expect(guest.page.locator("#join-error")).to_have_text("You are banned from this room.")
    await expect(page.locator("#timeline-lines .notice", has_text="ann banned bob")).to_have_count(1)
    audit = await owner.open_list("/audit")
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


async def test_policies_and_names_apply_to_present_members_and_a_paste_survives_a_rename(
    browser: Browser, server: RunningServer
) -> None:
    issued = await create_account(server, "ann")
    owner = await open_as_account(browser, server, "ann", issued)
    await create_room(owner, "tea")
    async with raw_client(server.url) as guest, open_connection(server, {"token": issued.token}) as (device, _):
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
        await owner.composer.fill("")
        await owner.paste("line\n" * 6)
        await expect(owner.page.locator("#confirm-dialog")).to_be_visible()
        assert (await device.request("updateRoom", {"room": "tea", "roomName": "green tea"}))["ok"]
        await expect(owner.page.locator("#room-name")).to_have_text("green tea")
        await owner.page.get_by_role("button", name="Insert into message").click()
        await expect(owner.composer).to_have_value("\n".join(["line"] * 6))
        await owner.send_message("/rename white tea")
        await expect(owner.page.locator("#room-name")).to_have_text("white tea")
        owner.assert_no_errors()


async def test_a_late_room_creation_or_deletion_closes_no_other_dialog_and_replaces_no_room_that_the_user_has_selected(
    browser: Browser, server: RunningServer
) -> None:
    owner = await open_as_account(browser, server, "ann")
    await create_room(owner, "tea")
    page, dialog = owner.page, owner.page.locator("#room-settings-dialog")
    rooms, name = page.locator("#room-rows .name"), page.locator("#room-settings-name")
    await page.evaluate(HOLD_REQUEST, "createRoom")
    for room in ("coffee", "cocoa"):
        await page.locator("#room-dialog-open").click()
        await page.locator("#room-create").click()
        await name.fill(room)
        if room == "coffee":
            await page.locator("#room-settings-submit").click()
            await page.keyboard.press("Escape")
            await rooms.get_by_text("lobby").click()
    await page.evaluate("sendHeld()")
    await expect(rooms).to_have_text(["lobby", "tea", "coffee"])
    await expect(dialog).to_be_visible()
    await expect(name).to_have_value("cocoa")
    await owner.expect_room("lobby")
    await page.keyboard.press("Escape")
    await rooms.get_by_text("coffee").click()
    await page.evaluate(HOLD_REQUEST, "deleteRoom")
    await page.locator("#room-settings-open").click()
    await page.locator("#room-delete").click()
    await page.locator("#confirm-dialog .danger").click()
    await page.keyboard.press("Escape")
    await rooms.get_by_text("tea").click()
    await page.locator("#room-settings-open").click()
    await expect(name).to_have_value("tea")
    await page.evaluate("sendHeld()")
    await expect(rooms).to_have_text(["lobby", "tea"])
    await expect(dialog).to_be_visible()
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
