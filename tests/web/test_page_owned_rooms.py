"""Owned rooms in the page: creation, policy, invites, member actions and deletion."""

import json
import re

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from server.gateway.account_service import IssuedToken
from tests.support.accounts import create_account
from tests.support.browser import Browser
from tests.support.chat_page import ChatPage, open_chat_page
from tests.support.raw_client import RawClient, raw_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def open_as_account(
    browser: Browser, server: RunningServer, name: str, issued: IssuedToken | None = None
) -> ChatPage:
    """Open a tab that is logged in with a token, by default that of a new account."""
    issued = issued or await create_account(server, name)
    account = json.dumps({"account": name, "nickName": name, "token": issued.token})
    chat_page = ChatPage(await browser.open_tab())
    await chat_page.page.add_init_script(f"localStorage.setItem('chat.account', JSON.stringify({account}))")
    await chat_page.join_room(server.url, name, "lobby")
    return chat_page


async def create_room(chat_page: ChatPage, name: str, *, is_private: bool = False) -> None:
    page = chat_page.page
    await page.locator("#room-dialog-open").click()
    await page.locator("#room-create").click()
    await page.locator("#room-settings-name").fill(name)
    await page.locator("#room-settings-private").set_checked(is_private)
    await page.locator("#room-settings-submit").click()
    await expect(page.locator("#room-name")).to_have_text(name)


async def open_member(chat_page: ChatPage, nick: str) -> None:
    await chat_page.page.locator("#member-list .member", has_text=nick).click()


async def test_a_private_room_is_joined_with_an_invite_link_only(browser: Browser, server: RunningServer) -> None:
    owner = await open_as_account(browser, server, "ann")
    await create_room(owner, "Secret tea", is_private=True)
    await owner.send_message("hidden")
    await owner.expect_all_sent()
    await owner.page.locator("#room-settings-open").click()
    await owner.page.locator("#room-invite-create").click()
    await expect(owner.page.locator("#room-invite-link")).to_have_value(re.compile(r"\?invite="))
    link = await owner.page.locator("#room-invite-link").input_value()
    stranger = await open_chat_page(browser, server.url, "eve", "lobby")
    await stranger.page.goto(f"{server.url}/#{link.rpartition('/')[2]}")
    await expect(stranger.page.locator("#toast")).to_contain_text("Room not found.")
    guest = ChatPage(await browser.open_tab())
    await guest.page.goto(link)
    await guest.page.locator("#join-nick").fill("bob")
    await guest.page.locator("#join-submit").click()
    await guest.expect_messages("hidden")
    await expect(guest.page.locator("#room-name")).to_have_text("Secret tea")
    await expect(guest.composer).to_have_attribute("placeholder", "Message Secret tea")
    await expect(guest.page.locator("#room-settings-open")).to_be_hidden()
    owner.assert_no_errors()
    guest.assert_no_errors()


async def test_an_owner_silences_removes_and_bans_a_member(browser: Browser, server: RunningServer) -> None:
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
    await open_member(owner, "bob")
    await page.get_by_role("button", name="Ban", exact=True).click()
    await expect(page.locator("#confirm-text")).to_have_text("Other guests from the same address are banned too.")
    await page.locator("#confirm-dialog .danger").click()
    await expect(guest.page.locator("#join-error")).to_have_text("You are banned from this room.")
    await expect(page.locator("#timeline-lines .notice").last).to_contain_text("ann banned bob")


async def test_a_policy_change_applies_to_present_members(browser: Browser, server: RunningServer) -> None:
    owner = await open_as_account(browser, server, "ann")
    await create_room(owner, "tea")
    async with raw_client(server.url) as guest:
        await guest.join("tea", "bob")
        await owner.page.locator("#room-settings-open").click()
        await owner.page.locator("select[name=speak]").select_option("members")
        await owner.page.locator("#room-settings-submit").click()
        await expect(owner.page.locator("#timeline-lines .notice").last).to_contain_text("speak = members")
        refused = await guest.request("sendMessage", {"room": "tea", "message": "hi"})
        assert refused["error"]["reason"] == "members_only"


async def test_a_guest_who_creates_a_room_is_asked_to_log_in(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    guest = await open_chat_page(browser, server.url, "bob")
    await guest.page.locator("#room-dialog-open").click()
    await guest.page.locator("#room-create").click()
    await guest.page.locator("#room-settings-name").fill("mine")
    await guest.page.locator("#room-settings-submit").click()
    await expect(guest.page.locator("#room-settings-error")).to_have_text("Log in to do that.")


async def test_a_deleted_room_closes_for_all(browser: Browser, server: RunningServer) -> None:
    owner = await open_as_account(browser, server, "ann")
    await create_room(owner, "tea")
    guest = await open_chat_page(browser, server.url, "bob", "tea")
    await owner.page.locator("#room-settings-open").click()
    await owner.page.locator("#room-delete").click()
    await owner.page.locator("#confirm-dialog .danger").click()
    await expect(owner.page.locator("#room-name")).to_have_text("lobby")
    await expect(owner.page.locator("#toast")).to_be_hidden()
    await expect(guest.page.locator("#join-error")).to_have_text("The room was deleted.")


async def test_a_direct_message_opens_a_room_with_the_name_of_the_other_member(
    browser: Browser, server: RunningServer
) -> None:
    ann = await open_as_account(browser, server, "ann")
    bob = await open_as_account(browser, server, "bob")
    await open_member(ann, "bob")
    await ann.page.get_by_role("button", name="Direct message").click()
    await expect(ann.page.locator("#room-name")).to_have_text("bob")
    await ann.send_message("psst")
    await bob.page.locator("#room-list .room-open", has_text="ann").click()
    await bob.expect_messages("psst")
    await expect(bob.page.locator("#room-name")).to_have_text("ann")
    await bob.page.reload()
    await expect(bob.page.locator("#room-name")).to_have_text("ann")
    ann.assert_no_errors()
    bob.assert_no_errors()


async def test_devices_of_an_account_share_the_read_marker(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    issued = await create_account(server, "ann")
    first = await open_as_account(browser, server, "ann", issued)
    second = await open_as_account(browser, server, "ann", issued)
    for chat_page in (first, second):
        await chat_page.page.goto(f"{server.url}/#tea")
        await expect(chat_page.page.locator("#room-name")).to_have_text("tea")
        await chat_page.page.locator("#room-list .room-open", has_text="lobby").click()
    await bot.request("sendMessage", {"room": "tea", "message": "news"})
    unread = [chat_page.page.locator("#room-list .unread", has_text="tea") for chat_page in (first, second)]
    for badge in unread:
        await expect(badge).to_have_count(1)
    await first.page.locator("#room-list .room-open", has_text="tea").click()
    for badge in unread:
        await expect(badge).to_have_count(0)
