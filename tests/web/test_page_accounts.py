"""Accounts in the page: registration, login, devices, password and rejected tokens."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from server.app import RunningServer
from tests.support.account_api import AccountApiClient, account_api
from tests.support.accounts import PASSWORD
from tests.support.browser import Browser
from tests.support.chat_page import ChatPage, open_chat_page
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

HASHING_REQUESTS = re.compile(r"/api/(accounts|sessions|me/password)$")
"""Requests that compute password hashes, which have a lower priority than all other work."""


@pytest_asyncio.fixture(loop_scope="session")
async def server(tmp_path: Path, page_port: int) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off", registration="open", port=page_port) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def api(server: RunningServer) -> AsyncGenerator[AccountApiClient]:
    async with account_api(server.url) as client:
        yield client


async def open_account(page: Page) -> None:
    """Open the dialog of the login or the account."""
    await page.locator("#settings-open").click()
    await page.locator("#account-open").click()


async def submit_login(page: Page, account: str, password: str) -> None:
    """Submit the login or the registration in the open dialog, and wait for the response."""
    await page.locator("#login-account").fill(account)
    await page.locator("#login-password").fill(password)
    async with page.expect_response(HASHING_REQUESTS):
        await page.locator("#login-password").press("Enter")


def account_sign(chat_page: ChatPage) -> Locator:
    """Return the account sign of the user, who is the first in the member panel."""
    return chat_page.page.locator("#member-list .member").first.locator(".account-sign")


async def expect_logged_in(chat_page: ChatPage, account: str) -> None:
    """Wait for the message of a login, and for the join as the account."""
    await expect(chat_page.page.locator("#toast")).to_have_text(f"Logged in as {account}")
    await expect(account_sign(chat_page)).to_have_accessible_name(f"account {account}")


async def test_a_guest_registers_keeps_messages_rooms_and_read_markers_and_saves_a_profile_text(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.request("changeNick", {"nickName": "Ann"})
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await expect(chat_page.page.locator("#timeline-lines .notice")).to_contain_text("The server assigned Ann2.")
    await chat_page.send_message("before")
    await chat_page.expect_all_sent()
    await chat_page.send_message("/away lunch")
    await expect(chat_page.page.locator("#away-banner")).to_be_visible()
    await chat_page.open_room("coffee")
    await bot.send_messages("tea", ["one", "two"])
    badge = chat_page.page.locator("#room-list .badge")
    await expect(badge).to_have_text("2")
    await chat_page.send_message("/register")
    await submit_login(chat_page.page, "ann", PASSWORD)
    await expect_logged_in(chat_page, "ann")
    await expect(chat_page.page.locator("#member-list .member")).to_contain_text("away: lunch")
    token = (await chat_page.page.evaluate("JSON.parse(localStorage.getItem('chat.account'))"))["token"]
    async with ChatClient(server.url, token=token, account="ann") as phone:
        read_marker = (await phone.join("tea", nick="Ann")).read_marker
        await wait_until(lambda: read_marker.state is not None and read_marker.state.unread == 2)
        await expect(badge).to_have_text("2")
        await chat_page.page.keyboard.press("Alt+A")
        await wait_until(lambda: read_marker.state is not None and read_marker.state.unread == 0)
    await expect(badge).to_have_count(0)
    await chat_page.send_message("after")
    await chat_page.expect_all_sent()
    await expect(chat_page.page.locator("#timeline-lines .message.own")).to_have_count(2)
    await chat_page.page.reload()
    await chat_page.expect_messages("before", "one", "two", "after")
    await open_account(chat_page.page)
    await expect(chat_page.page.locator("#account-title")).to_have_text("Logged in as ann")
    await expect(chat_page.page.locator("#account-log-out")).to_be_focused()
    about = chat_page.page.get_by_label("About")
    await about.fill("x" * 251)
    await about.press("Enter")
    await expect(chat_page.page.locator("#account-error")).to_have_text(
        "The text about you has 251 characters, the limit is 250."
    )
    await about.fill("drinks tea")
    await about.press("Enter")
    await expect(chat_page.page.locator("#account-status")).to_have_text("Profile saved.")
    await chat_page.page.keyboard.press("Escape")
    await open_account(chat_page.page)
    await expect(about).to_have_value("drinks tea")
    chat_page.tab.ignore_errors("413")
    chat_page.assert_no_errors()


async def test_a_wrong_password_is_reported_and_removed_when_the_dialog_closes(
    browser: Browser, server: RunningServer, api: AccountApiClient
) -> None:
    await api.register("ann")
    chat_page = await open_chat_page(browser, server.url, "Bob")
    page = chat_page.page
    await open_account(page)
    await submit_login(page, "ann", "wrong password")
    await expect(page.locator("#account-error")).to_have_text("Wrong account name or password.")
    async with page.expect_response(HASHING_REQUESTS):
        await page.locator("#login-submit").click()
    await expect(page.locator("#login-submit")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#account-dialog")).to_be_hidden()
    await expect(page.locator("#login-password")).to_have_value("")
    chat_page.tab.ignore_errors("401")
    chat_page.assert_no_errors()


async def test_another_device_is_logged_out_by_its_button_or_by_a_password_change(
    browser: Browser, server: RunningServer, api: AccountApiClient
) -> None:
    registered = await api.register("ann", nickName="Ann")
    pages: list[ChatPage] = []
    for _ in range(2):
        chat_page = await open_chat_page(browser, server.url, "Bob")
        await open_account(chat_page.page)
        await submit_login(chat_page.page, "ann", PASSWORD)
        await expect_logged_in(chat_page, "ann")
        pages.append(chat_page)
    first, second = pages
    await open_account(first.page)
    await expect(first.page.locator("#device-list li")).to_have_count(3)
    await first.page.get_by_role("button", name="Log out Unnamed device").click()
    await expect(first.page.locator("#device-list li")).to_have_count(2)
    await expect(first.page.locator("#device-list")).to_be_focused()
    assert (await api.with_token(registered.body["token"]).request("GET", "/api/me")).status == 401
    await second.page.locator("#settings-open").click()
    await first.page.locator("#password-old").fill(PASSWORD)
    await first.page.locator("#password-new").fill("another long password")
    async with first.page.expect_response(HASHING_REQUESTS):
        await first.page.locator("#password-new").press("Enter")
    await expect(first.page.locator("#account-status")).to_have_text(
        "Password changed. All other devices are logged out."
    )
    await expect(first.page.locator("#device-list li")).to_have_count(1)
    await expect(second.page.locator("#join-error")).to_have_text(
        "You were logged out. Log in again, or join as a guest."
    )
    await expect(second.page.locator("#settings-dialog")).to_be_hidden()
    assert await second.page.evaluate("localStorage.getItem('chat.account')") is None
    await second.page.locator("#join-nick").fill("Bob")
    await second.page.locator("#join-submit").click()
    await expect(second.composer).to_be_visible()
    first.assert_no_errors()


async def test_a_logout_revokes_the_token_and_continues_as_a_guest(
    browser: Browser, server: RunningServer, api: AccountApiClient
) -> None:
    await api.register("ann", nickName="Ann")
    chat_page = await open_chat_page(browser, server.url, "Bob")
    await open_account(chat_page.page)
    await submit_login(chat_page.page, "ann", PASSWORD)
    await expect_logged_in(chat_page, "ann")
    token = (await chat_page.page.evaluate("JSON.parse(localStorage.getItem('chat.account'))"))["token"]
    await open_account(chat_page.page)
    await chat_page.page.locator("#account-log-out").click()
    await expect(chat_page.page.locator("#toast")).to_have_text("Logged out")
    await expect(account_sign(chat_page)).to_have_count(0)
    await expect(chat_page.page.locator("#member-list .member")).to_have_count(1)
    assert (await api.with_token(token).request("GET", "/api/me")).status == 401


async def test_the_deletion_of_an_account_asks_for_the_password_and_about_the_messages(
    browser: Browser, server: RunningServer, api: AccountApiClient
) -> None:
    await api.register("ann", nickName="Ann")
    chat_page = await open_chat_page(browser, server.url, "Bob")
    page = chat_page.page
    await open_account(page)
    await submit_login(page, "ann", PASSWORD)
    await expect_logged_in(chat_page, "ann")
    await open_account(page)
    await page.locator("#account-delete").click()
    await expect(page.locator("#account-error")).to_have_text("Enter the current password to delete the account.")
    await page.locator("#password-old").fill(PASSWORD)
    await page.locator("#account-delete").click()
    await page.get_by_role("button", name="Delete, keep messages").click()
    await expect(page.locator("#toast")).to_have_text("Logged out")
    assert (await api.log_in("ann")).reason == "login_failed"
