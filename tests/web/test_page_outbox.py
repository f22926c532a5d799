"""Unsent messages: reloads, closed tabs and concurrent tabs."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.browser import Browser, BrowserTab
from tests.support.chat_page import UNREACHABLE_ERRORS, ChatPage, open_chat_page
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def open_further_tab(existing: ChatPage, url: str, init_script: str) -> ChatPage:
    """Open a further tab with the same storage, and join room `tea` under the same nickname."""
    further = ChatPage(BrowserTab(existing.tab.context, await existing.tab.context.new_page()))
    await further.page.add_init_script(init_script)
    await further.join_room(url, "Ann")
    return further


WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });"
"""Emulates plain HTTP from a remote host, where the Web Locks API is unavailable."""


@pytest.mark.parametrize("init_script", ["", WITHOUT_LOCKS], ids=["with locks", "without"])
async def test_unsent_messages_of_a_closed_tab_are_sent_once_by_another_tab(
    browser: Browser, tmp_path: Path, page_port: int, init_script: str
) -> None:
    async with running_server(tmp_path, port=page_port) as server:
        first = ChatPage(await browser.open_tab())
        await first.page.add_init_script(init_script)
        await first.join_room(server.url, "Ann")
        second = await open_further_tab(first, server.url, init_script)
        third = await open_further_tab(first, server.url, init_script)
    tabs = (first, second, third)
    for client in tabs:
        await client.expect_connection_state("offline")
    await first.send_message("one")
    await first.send_message("two")
    await expect(first.page.locator(".message.pending")).to_have_count(2)
    await expect(second.page.locator(".message.pending")).to_have_count(0)  # the tab of the items is open
    await first.page.close()
    async with running_server(tmp_path, port=page_port) as server, raw_client(server.url) as reader:
        await reader.join("tea", "reader")
        for client in (second, third):
            await client.page.evaluate("window.dispatchEvent(new Event('online'))")
            await client.expect_connection_state()
            # Without a close message, other tabs detect the closed tab by probing every few seconds.
            await expect(client.messages).to_have_count(2, timeout=20_000)
            await client.expect_messages("one", "two")
            await client.expect_all_sent()
        history = await reader.request("history", {"room": "tea", "after": 0})
        assert [entry["message"] for entry in history["messages"]] == ["one", "two"]
        assert await second.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('outbox'))") == []
        for client in (second, third):
            client.tab.ignore_errors(*UNREACHABLE_ERRORS)
            client.assert_no_errors()


async def test_messages_written_offline_are_sent_after_a_reload(
    browser: Browser, tmp_path: Path, page_port: int
) -> None:
    async with running_server(tmp_path, port=page_port) as server:
        writer = await open_chat_page(browser, server.url, "Ann")
        await writer.open_room("coffee")
    await writer.expect_connection_state("offline")
    await writer.send_message("unsent in coffee")
    await writer.page.evaluate("location.hash = '#/tea'")
    await expect(writer.page.locator("#room-name")).to_have_text("tea")
    await writer.send_message("unsent in tea")
    await expect(writer.page.locator(".message.pending .message-text")).to_have_text(["unsent in tea"])
    async with running_server(tmp_path, port=page_port):
        await writer.page.reload()
        await writer.expect_messages("unsent in tea")
        await writer.expect_all_sent()
        await writer.page.keyboard.press("Alt+ArrowDown")
        await expect(writer.page.locator("#room-name")).to_have_text("coffee")
        await writer.expect_messages("unsent in coffee")
        await writer.expect_all_sent()
        writer.tab.ignore_errors(*UNREACHABLE_ERRORS)
        writer.assert_no_errors()


async def test_rooms_with_unsent_messages_reopen_for_the_same_nickname(
    browser: Browser, tmp_path: Path, page_port: int
) -> None:
    async with running_server(tmp_path, port=page_port) as server:
        writer = await open_chat_page(browser, server.url, "Ann", "coffee")
    await writer.expect_connection_state("offline")
    await writer.send_message("unsent in coffee")
    context = writer.tab.context
    await writer.page.close()
    async with running_server(tmp_path, port=page_port) as server, raw_client(server.url) as reader:
        await reader.join("coffee", "reader")
        returned = ChatPage(BrowserTab(context, await context.new_page()))
        await returned.join_room(server.url, "Bob", "tea")
        await expect(returned.page.locator("#room-list .name")).to_have_text(["tea"])
        await returned.send_message("/leave")
        await returned.join_room(server.url, "ann", "tea")
        await expect(returned.page.locator("#room-list .name")).to_have_text(["tea", "coffee"])
        assert (await reader.wait_for_push("message", kind="message"))["message"] == "unsent in coffee"
        returned.tab.ignore_errors(*UNREACHABLE_ERRORS)
        returned.assert_no_errors()


INSERT_LONE_SURROGATE = """(composer) => {
    composer.value = "cut \\ud83d";
    composer.dispatchEvent(new Event("input"));
}"""
"""Types a lone surrogate, which Playwright would replace."""

ADD_STORED_SURROGATE = """() => {
    for (const [key, value] of Object.entries(localStorage)) {
        if (key.includes("outbox")) localStorage.setItem(key, value.replace("half", "half \\\\ud83d"));
    }
}"""
"""Adds a lone surrogate to the stored outbox items, as an earlier version of the page could."""


async def test_a_lone_surrogate_is_rejected_and_a_stored_one_fails_without_delaying_later_items(
    browser: Browser, tmp_path: Path, page_port: int
) -> None:
    async with running_server(tmp_path, port=page_port) as server:
        writer = await open_chat_page(browser, server.url, "Ann")
        await writer.composer.evaluate(INSERT_LONE_SURROGATE)
        await writer.composer.press("Enter")
        await expect(writer.page.get_by_text("The text contains invalid characters.")).to_be_visible()
    await writer.expect_connection_state("offline")
    await writer.composer.fill("")
    await writer.send_message("half")
    await writer.send_message("two")
    await expect(writer.page.locator(".message.pending")).to_have_count(2)
    await writer.page.evaluate(ADD_STORED_SURROGATE)
    async with running_server(tmp_path, port=page_port):
        await writer.page.reload()
        await expect(writer.page.locator(".message.failed")).to_have_count(1)
        await expect(writer.page.locator(".message:not(.failed) .message-text")).to_have_text(["two"])
        await expect(writer.page.locator(".message.failed")).to_contain_text("invalid characters")
        writer.tab.ignore_errors(*UNREACHABLE_ERRORS)
        writer.assert_no_errors()
