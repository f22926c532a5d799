"""Rooms with more members than a join response lists: member panel and commands."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Route, WebSocketRoute, expect

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.chat_page import ChatPage
from tests.support.raw_client import RawClient, raw_client
from tests.support.wait import wait_until
from tui_chat.protocol import limits

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

CROWD = [f"m{number}" for number in range(6)]


@pytest_asyncio.fixture(loop_scope="session")
async def crowd(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[list[RawClient]]:
    """Six members of the room `tea`. A join response lists three members."""
    monkeypatch.setattr(limits, "MEMBER_PAGE", 3)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server.url)) for _ in CROWD]
        for client, nick in zip(clients, CROWD, strict=True):
            await client.join("tea", nick)
        yield clients


async def open_page(browser: Browser, url: str, on_socket: Callable[[WebSocketRoute], None] | None = None) -> ChatPage:
    """Join as Ann with a page that loads three members per request; `on_socket` routes its WebSocket."""

    async def lower_limit(route: Route) -> None:
        response = await route.fetch()
        source = await response.text()
        assert "MEMBER_PAGE = 500" in source
        await route.fulfill(response=response, body=source.replace("MEMBER_PAGE = 500", "MEMBER_PAGE = 3"))

    chat_page = ChatPage(await browser.open_tab())
    await chat_page.page.route("**/app.js", lower_limit)
    if on_socket is not None:
        await chat_page.page.route_web_socket("**/socket.io/**", on_socket)
    await chat_page.join_room(url, "Ann")
    return chat_page


def nicks(chat_page: ChatPage) -> Locator:
    """Return the nicknames of the member panel."""
    return chat_page.page.locator("#member-list .nick")


def last_notice(chat_page: ChatPage) -> Locator:
    """Return the last notice of the timeline."""
    return chat_page.page.locator(".line.notice").last


async def test_the_member_panel_shows_unlisted_members_on_request(
    browser: Browser, server: RunningServer, crowd: list[RawClient]
) -> None:
    chat_page = await open_page(browser, server.url)
    unlisted, more = chat_page.page.locator("#members-unlisted"), chat_page.page.locator("#members-more")
    await expect(chat_page.page.locator("#members-total")).to_have_text("7")
    await expect(nicks(chat_page)).to_have_text(["Ann", "m4", "m5"])
    await expect(unlisted).to_have_text("and 4 more")
    await more.focus()
    await chat_page.page.keyboard.press("Enter")
    await expect(nicks(chat_page)).to_have_count(6)
    await expect(unlisted).to_have_text("and 1 more")
    await expect(more).to_be_focused()
    await chat_page.page.keyboard.press("Enter")
    await expect(nicks(chat_page)).to_have_text(["Ann", *CROWD])
    await expect(unlisted).to_be_hidden()
    await expect(more).to_be_hidden()
    await expect(chat_page.page.locator("#member-list")).to_be_focused()
    await crowd[0].ws.close()
    await expect(nicks(chat_page)).to_have_text(["Ann", *CROWD[1:]])
    await expect(chat_page.page.locator("#members-total")).to_have_text("6")
    chat_page.assert_no_errors()


@pytest.mark.usefixtures("crowd")
async def test_the_member_search_finds_stored_and_unlisted_members(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_page(browser, server.url)
    field, status = chat_page.page.get_by_label("Find members").last, chat_page.page.locator("#member-search-status")
    await field.press_sequentially("M4")
    await expect(nicks(chat_page)).to_have_text(["m4"])
    await expect(status).to_have_text("1 found")
    await field.fill("m0")
    await expect(nicks(chat_page)).to_have_text(["m0"])
    await field.fill("m")
    await expect(status).to_have_text(re.compile(r"\d\+ found"))
    await expect(nicks(chat_page)).to_have_count(3)
    await chat_page.page.locator("#members-more").click()
    await expect(nicks(chat_page)).to_have_text(CROWD)
    await expect(status).to_have_text("6 found")
    await field.fill("zoe")
    await expect(status).to_have_text("No matching members")
    await field.press("Escape")
    await expect(field).to_have_value("")
    await expect(field).to_be_focused()
    await expect(nicks(chat_page)).to_have_count(3)
    await expect(status).to_be_empty()
    await field.fill("ann")
    await expect(nicks(chat_page)).to_have_text(["Ann"])
    await chat_page.page.locator("#member-search").get_by_label("Clear").click()
    await expect(field).to_be_focused()
    await expect(nicks(chat_page)).to_have_count(3)
    await field.fill("m1")
    await expect(status).to_have_text("1 found")
    await chat_page.send_message("/join coffee")
    await expect(nicks(chat_page)).to_have_text(["Ann"])
    await expect(field).to_have_value("")
    chat_page.assert_no_errors()


@pytest.mark.usefixtures("crowd")
async def test_a_search_continues_after_the_failed_load_of_an_earlier_query(
    browser: Browser, server: RunningServer
) -> None:
    held_sends: list[Callable[[], None]] = []

    def hold_and_invalidate(route: WebSocketRoute) -> None:
        upstream = route.connect_to_server()

        def forward(message: str | bytes) -> None:
            invalid = str(message).replace('"query":"m0"', '"query":7')
            if invalid == str(message):
                upstream.send(message)
            else:
                held_sends.append(lambda: upstream.send(invalid))

        route.on_message(forward)

    chat_page = await open_page(browser, server.url, hold_and_invalidate)
    field, status = chat_page.page.get_by_label("Find members").last, chat_page.page.locator("#member-search-status")
    await field.fill("m0")
    await field.press("Enter")
    await wait_until(lambda: held_sends)
    await field.fill("m1")
    await field.press("Enter")  # ignored during the load
    held_sends[0]()
    await expect(nicks(chat_page)).to_have_text(["m1"])
    await expect(status).to_have_text("1 found")
    chat_page.assert_no_errors()


@pytest.mark.usefixtures("crowd")
async def test_commands_find_unlisted_members_and_the_status_changes_manually_and_by_inactivity(
    browser: Browser, server: RunningServer
) -> None:
    chat_page = await open_page(browser, server.url)
    await chat_page.send_message("/who M3")
    await expect(last_notice(chat_page)).to_contain_text("1 found: m3")
    await chat_page.send_message("/who zoe")
    await expect(last_notice(chat_page)).to_contain_text("No such nickname: zoe.")
    await chat_page.send_message("/whois @M1")
    await expect(last_notice(chat_page)).to_contain_text("m1: guest")
    await chat_page.send_message("/whois nobody")
    await expect(last_notice(chat_page)).to_contain_text("No such nickname: nobody.")
    await chat_page.send_message("/names")
    await expect(last_notice(chat_page)).to_contain_text("7 members: Ann, " + ", ".join(CROWD))
    banner, own_row = chat_page.page.locator("#away-banner"), chat_page.page.locator("#member-list .member").first
    await chat_page.send_message("/away lunch")
    await expect(chat_page.page.locator("#away-text")).to_have_text("You are away: lunch")
    await expect(own_row).to_contain_text("away: lunch")
    await chat_page.page.reload()
    await expect(own_row).to_contain_text("away: lunch")
    await banner.get_by_role("button", name="I’m back").click()
    await expect(own_row).not_to_contain_text("away")
    await expect(banner).to_be_hidden()
    await chat_page.page.locator("#settings-open").click()
    await chat_page.page.locator("#settings-status").fill("in a meeting")
    await chat_page.page.get_by_role("button", name="Set away").click()
    await expect(own_row).to_contain_text("away: in a meeting")
    await banner.get_by_role("button", name="I’m back").click()
    await chat_page.page.locator("#settings-open").click()
    away_after = chat_page.page.get_by_label("Minutes without input after which others see you as away")
    await away_after.fill("1441")
    await expect(chat_page.page.locator("#settings-away-after-error")).to_have_text(
        "Enter a whole number from 0 to 1440."
    )
    await away_after.fill("5")
    await expect(chat_page.page.locator("#settings-away-after-error")).to_be_empty()
    await chat_page.page.keyboard.press("Escape")
    await chat_page.page.evaluate("""() => {
      localStorage.setItem('chat.lastInput', '0');
      dispatchEvent(new StorageEvent('storage', { key: 'chat.lastInput' }));
    }""")
    await expect(chat_page.page.locator("#away-text")).to_have_text("You are away.")
    await expect(own_row).to_contain_text("away")
    await chat_page.composer.press("a")
    await expect(own_row).not_to_contain_text("away")
    await expect(banner).to_be_hidden()
    chat_page.assert_no_errors()


@pytest.mark.usefixtures("crowd")
async def test_the_composer_completes_commands_and_unlisted_nicknames(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_page(browser, server.url)
    options = chat_page.page.get_by_role("listbox", name="Members").get_by_role("option")
    nick = options.locator(".nick")
    await chat_page.composer.press_sequentially("hi @M0")
    await expect(nick).to_have_text(["m0"])
    await chat_page.composer.press("Tab")
    await expect(chat_page.composer).to_have_value("hi @m0 ")
    await expect(options).to_have_count(0)
    await chat_page.composer.press_sequentially("and 茶@m")
    await expect(options).to_have_count(len(CROWD))
    await chat_page.composer.press("ArrowDown")
    await chat_page.composer.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await expect(chat_page.composer).to_have_attribute("aria-activedescendant", "completion-option-1")
    await chat_page.composer.press("Enter")
    await expect(chat_page.composer).to_have_value("hi @m0 and 茶@m1 ")
    await chat_page.composer.press_sequentially("@m")
    await expect(options).to_have_count(len(CROWD))
    await options.last.click()
    await expect(chat_page.composer).to_have_value("hi @m0 and 茶@m1 @m5 ")
    await chat_page.composer.press_sequentially("@m")
    await expect(options).to_have_count(len(CROWD))
    await chat_page.composer.press("Escape")
    await expect(options).to_have_count(0)
    await chat_page.composer.press_sequentially("2")
    await expect(nick).to_have_text(["m2"])
    await chat_page.composer.press("Enter")
    await chat_page.expect_messages("hi @m0 and 茶@m1 @m5 @m2")
    commands = chat_page.page.get_by_role("listbox", name="Commands").get_by_role("option")
    await chat_page.composer.press_sequentially("/who")
    await expect(commands.first).to_contain_text("/whois nickname")
    await chat_page.composer.press("Tab")
    await chat_page.composer.press_sequentially("m4")
    await chat_page.composer.press("Tab")
    await expect(chat_page.composer).to_have_value("/whois m4 ")
    await chat_page.composer.press("Enter")
    await expect(last_notice(chat_page)).to_contain_text("m4: guest")
    await expect(options).to_have_count(0)
    chat_page.assert_no_errors()
