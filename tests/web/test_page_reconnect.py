"""Connection loss: no lost, duplicated or reordered messages after a reconnect."""

from pathlib import Path

import pytest
from playwright.async_api import WebSocketRoute, expect

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.chat_page import UNREACHABLE_ERRORS, ChatPage, open_chat_page
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_pages_recover_all_messages_once_after_a_server_crash(
    browser: Browser, tmp_path: Path, page_port: int
) -> None:
    flags = ("--database", str(tmp_path / "chat.db"), "--port", str(page_port))
    async with server_process(tmp_path, *flags) as server:
        ann = await open_chat_page(browser, server.url, "Ann")
        bob = await open_chat_page(browser, server.url, "Bob")
        await ann.send_message("before")
        await bob.expect_messages("before")
        server.process.kill()
        await server.wait_closed()
        for user in (ann, bob):
            await user.expect_connection_state("offline")
        await ann.send_message("while away 1")
        await ann.send_message("while away 2")
        await expect(ann.page.locator("#timeline-lines .message.pending")).to_have_count(2)
        await expect(ann.page.locator("#offline-banner")).to_contain_text("Messages will be sent when you reconnect")
    async with server_process(tmp_path, *flags):
        for user in (ann, bob):
            await user.page.evaluate("window.dispatchEvent(new Event('online'))")
            await user.expect_connection_state()
            await user.expect_messages("before", "while away 1", "while away 2")
        await ann.expect_all_sent()
        await bob.send_message("after")
        await ann.expect_messages("before", "while away 1", "while away 2", "after")
        await expect(ann.page.locator("#offline-banner")).to_be_hidden()
        await expect(ann.page.locator("#member-list .nick")).to_have_text(["Ann", "Bob"])
        for user in (ann, bob):
            user.tab.ignore_errors(*UNREACHABLE_ERRORS)
            user.assert_no_errors()


async def test_a_lost_acknowledgement_does_not_duplicate_the_message(browser: Browser, server: RunningServer) -> None:
    ann = await open_chat_page(browser, server.url, "Ann")
    bob = await open_chat_page(browser, server.url, "Bob")
    # Close the socket after the request is sent and before its acknowledgement arrives.
    await ann.page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            send.call(this, data);
            if (String(data).includes("sendMessage")) {
              WebSocket.prototype.send = send;
              this.onmessage = null;
              this.close();
            }
          };
        }"""
    )
    await ann.send_message("once")
    await bob.expect_messages("once")
    await ann.expect_all_sent()
    await ann.expect_messages("once")
    await bob.send_message("seen")
    await ann.expect_messages("once", "seen")
    await bob.expect_messages("once", "seen")
    ann.assert_no_errors()


async def test_messages_missed_while_offline_follow_the_unread_divider(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await bot.request("sendMessage", {"room": "tea", "message": "known"})
    await chat_page.expect_messages("known")
    await expect(chat_page.page.locator(".divider.unread")).to_have_count(0)
    await chat_page.go_offline()
    await bot.request("sendMessage", {"room": "tea", "message": "missed"})
    await bot.request("editMessage", {"room": "tea", "seq": 1, "message": "known better"})
    await chat_page.tab.context.set_offline(False)
    await chat_page.expect_messages("known better", "missed")
    await expect(chat_page.page.locator(".divider.unread + .message")).to_contain_text("missed")
    await chat_page.send_message("thanks")
    await expect(chat_page.page.locator(".divider.unread")).to_have_count(0)
    chat_page.tab.ignore_errors(*UNREACHABLE_ERRORS)
    chat_page.assert_no_errors()


async def test_an_outage_longer_than_one_history_page_is_loaded_completely(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await bot.request("sendMessage", {"room": "tea", "message": "known"})
    await chat_page.expect_messages("known")
    await chat_page.go_offline()
    for number in range(450):
        await bot.request("sendMessage", {"room": "tea", "message": f"missed {number}"})
    await chat_page.tab.context.set_offline(False)
    await chat_page.expect_connection_state()
    await expect(chat_page.messages.last).to_have_text("missed 449")
    newest = await chat_page.messages.all_text_contents()
    assert newest == [f"missed {number}" for number in range(450 - len(newest), 450)]
    await expect(chat_page.page).to_have_title("tea · Chat")
    chat_page.tab.ignore_errors(*UNREACHABLE_ERRORS)
    chat_page.assert_no_errors()


@pytest.mark.parametrize("length", [1, 5])
async def test_a_replaced_server_log_is_reloaded(browser: Browser, tmp_path: Path, page_port: int, length: int) -> None:
    async with running_server(tmp_path, port=page_port) as server:
        chat_page = await open_chat_page(browser, server.url, "Ann")
        for text in ("one", "two", "three"):
            await chat_page.send_message(text)
        await chat_page.expect_all_sent()
    (tmp_path / "new").mkdir()
    async with running_server(tmp_path / "new", port=page_port), raw_client(server.url) as bot:
        await bot.join("tea", "bot")
        texts = [f"again {number}" for number in range(length)]
        await bot.send_messages("tea", texts)
        await chat_page.expect_messages(*texts)
        await chat_page.send_message("me too")
        await chat_page.expect_messages(*texts, "me too")
        await chat_page.expect_all_sent()
        chat_page.tab.ignore_errors(*UNREACHABLE_ERRORS)
        chat_page.assert_no_errors()


async def test_a_lost_push_is_fetched_from_history(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    chat_page = ChatPage(await browser.open_tab())
    requests: list[str] = []

    def omit_push(route: WebSocketRoute) -> None:
        upstream = route.connect_to_server()

        def send(message: str | bytes) -> None:
            requests.append(str(message))
            upstream.send(message)

        def receive(message: str | bytes) -> None:
            if not (str(message).startswith('42["message"') and "lost push" in str(message)):
                route.send(message)

        route.on_message(send)
        upstream.on_message(receive)

    await chat_page.page.route_web_socket("**/socket.io/**", omit_push)
    await chat_page.join_room(server.url, "Ann")
    await bot.request("sendMessage", {"room": "tea", "message": "lost push"})
    await bot.request("sendMessage", {"room": "tea", "message": "next"})
    await chat_page.expect_messages("lost push", "next")
    assert [request for request in requests if '["history",' in request]
    chat_page.assert_no_errors()


RECORD_CONNECTIONS = """
globalThis.connections = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...options) {
    super(...options);
    this.times = { openedAt: performance.now(), closedAt: 0 };
    connections.push(this.times);
    this.addEventListener("close", () => (this.times.closedAt ||= performance.now()));
  }
  close(...options) {
    this.times.closedAt ||= performance.now();
    super.close(...options);
  }
};
"""
"""Record the times in milliseconds at which connections are opened, and are closed by either side."""


async def test_reconnects_after_a_planned_shutdown_are_delayed(
    browser: Browser, tmp_path: Path, page_port: int
) -> None:
    chat_page = ChatPage(await browser.open_tab())
    await chat_page.page.add_init_script(RECORD_CONNECTIONS)
    async with running_server(tmp_path, port=page_port) as server:
        await chat_page.join_room(server.url, "Ann")
    await chat_page.expect_connection_state("offline")
    async with running_server(tmp_path, port=page_port):
        await chat_page.expect_connection_state()
        await chat_page.send_message("back")
        await chat_page.expect_all_sent()
        await chat_page.expect_messages("back")
    delay = await chat_page.page.evaluate("connections[1].openedAt - connections[0].closedAt")
    assert delay > 500
    chat_page.tab.ignore_errors(*UNREACHABLE_ERRORS)  # on a busy machine, the delay may end before the restart
    chat_page.assert_no_errors()
