"""The page through breaks of the connection: nothing lost, nothing twice, nothing out of order."""

import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from server.app import RunningServer
from tests.support.chat_page import UNREACHABLE_ERRORS, open_chat_page
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_a_killed_server_comes_back_and_everybody_has_everything_once(browser: Browser, tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "chat.db"))
    async with server_process(tmp_path, *database) as server:
        ann = await open_chat_page(browser, server.url, "Ann")
        bob = await open_chat_page(browser, server.url, "Bob")
        await ann.send_message("before")
        await bob.expect_messages("before")
        server.process.kill()
        await server.wait_closed()
        for one in (ann, bob):
            await one.expect_connection_state("offline")
        await ann.send_message("while away 1")
        await ann.send_message("while away 2")
        await expect(ann.page.locator("#lines .message.pending")).to_have_count(2)
        await expect(ann.page.locator("#banner")).to_contain_text("What you write is kept")
        port = ("--port", str(server.port))
    async with server_process(tmp_path, *database, *port):
        for one in (ann, bob):
            await one.page.evaluate("window.dispatchEvent(new Event('online'))")
            await one.expect_connection_state()
            await one.expect_messages("before", "while away 1", "while away 2")
        await ann.expect_all_sent()
        await bob.send_message("after")
        await ann.expect_messages("before", "while away 1", "while away 2", "after")
        await expect(ann.page.locator("#banner")).to_be_hidden()
        await expect(ann.page.locator("#members-list .nick")).to_have_text(["Ann", "Bob"])
        for one in (ann, bob):
            one.tab.ignore_errors(*UNREACHABLE_ERRORS)
            one.assert_no_errors()


async def test_a_message_whose_answer_was_lost_is_not_said_twice(browser: Browser, server: RunningServer) -> None:
    ann = await open_chat_page(browser, server.url, "Ann")
    bob = await open_chat_page(browser, server.url, "Bob")
    # The message goes out, and the connection ends before any answer can come in.
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
    await ann.expect_connection_state()
    await ann.expect_all_sent()
    await ann.expect_messages("once")
    await bob.send_message("seen")
    await ann.expect_messages("once", "seen")
    await bob.expect_messages("once", "seen")
    ann.assert_no_errors()


async def test_what_was_missed_stands_below_a_line(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    reader = await open_chat_page(browser, server.url, "Ann")
    await bot.request("sendMessage", {"room": "tea", "message": "known"})
    await reader.expect_messages("known")
    await expect(reader.page.locator(".rule.unread")).to_have_count(0)
    await reader.tab.context.set_offline(True)
    await reader.expect_connection_state("offline")
    await bot.request("sendMessage", {"room": "tea", "message": "missed"})
    await bot.request("editMessage", {"room": "tea", "seq": 1, "message": "known better"})
    await reader.tab.context.set_offline(False)
    await reader.expect_messages("known better", "missed")
    await expect(reader.page.locator(".rule.unread + .message")).to_contain_text("missed")
    await reader.send_message("thanks")
    await expect(reader.page.locator(".rule.unread")).to_have_count(0)
    reader.tab.ignore_errors(*UNREACHABLE_ERRORS)
    reader.assert_no_errors()


async def test_a_break_longer_than_a_page_of_history_is_caught_up(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    reader = await open_chat_page(browser, server.url, "Ann")
    await bot.request("sendMessage", {"room": "tea", "message": "known"})
    await reader.expect_messages("known")
    await reader.tab.context.set_offline(True)
    await reader.expect_connection_state("offline")
    for number in range(450):
        await bot.request("sendMessage", {"room": "tea", "message": f"missed {number}"})
    await reader.tab.context.set_offline(False)
    await reader.expect_connection_state()
    await expect(reader.messages.last).to_have_text("missed 449")
    newest = await reader.messages.all_text_contents()
    assert newest == [f"missed {number}" for number in range(450 - len(newest), 450)]
    await expect(reader.page).to_have_title("tea · Chat")
    reader.tab.ignore_errors(*UNREACHABLE_ERRORS)
    reader.assert_no_errors()


async def test_after_a_very_long_absence_it_begins_with_the_newest(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    reader = await open_chat_page(browser, server.url, "Ann")
    await reader.tab.context.set_offline(True)
    await reader.expect_connection_state("offline")
    await bot.send_messages("tea", [*(f"missed {number}" for number in range(1100)), "newest"])
    await reader.tab.context.set_offline(False)
    await expect(reader.messages.last).to_have_text("newest")
    await expect(reader.messages.nth(-2)).to_have_text("missed 1099")
    await bot.request("sendMessage", {"room": "tea", "message": "and on"})
    await expect(reader.messages.last).to_have_text("and on")
    reader.tab.ignore_errors(*UNREACHABLE_ERRORS)
    reader.assert_no_errors()


async def test_a_server_that_begins_anew_is_followed(browser: Browser, tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        reader = await open_chat_page(browser, server.url, "Ann")
        for text in ("one", "two", "three"):
            await reader.send_message(text)
        await reader.expect_all_sent()
    (tmp_path / "new").mkdir()
    async with running_server(tmp_path / "new", port=server.port), raw_client(server.url) as bot:
        await bot.join("tea", "bot")
        await bot.request("sendMessage", {"room": "tea", "message": "first again"})
        await reader.expect_messages("first again")
        await reader.send_message("me too")
        await reader.expect_messages("first again", "me too")
        await reader.expect_all_sent()
        reader.tab.ignore_errors(*UNREACHABLE_ERRORS)
        reader.assert_no_errors()


async def test_a_push_that_is_lost_is_fetched(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    reader = await open_chat_page(browser, server.url, "Ann")
    frames: list[str] = []

    async with raw_client(server.url) as other:
        await other.join("tea", "other")
        reader.page.on("websocket", lambda socket: socket.on("framesent", lambda data: frames.append(str(data))))
        await reader.page.evaluate(
            """() => {
              const descriptor = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data");
              Object.defineProperty(MessageEvent.prototype, "data", {
                ...descriptor,
                get() {
                  const data = descriptor.get.call(this);
                  return typeof data === "string" && data.includes("lost push") && data.startsWith('42["message"')
                    ? '42["nothing"]'
                    : data;
                },
              });
            }"""
        )
        await other.request("sendMessage", {"room": "tea", "message": "lost push"})
        await other.request("sendMessage", {"room": "tea", "message": "next"})
    await reader.expect_messages("lost push", "next")
    reader.assert_no_errors()


async def test_a_planned_stop_is_not_met_with_a_rush(browser: Browser, tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        reader = await open_chat_page(browser, server.url, "Ann")
        attempts: list[float] = []
        reader.page.on("websocket", lambda _: attempts.append(time.monotonic()))
    stopped = time.monotonic()
    async with running_server(tmp_path, port=server.port):
        await reader.expect_connection_state("offline")
        await reader.expect_connection_state()
        assert attempts[0] - stopped > 0.5
        await reader.send_message("back")
        await reader.expect_all_sent()
        await reader.expect_messages("back")
        reader.assert_no_errors()
