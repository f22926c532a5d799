"""Connection loss: no lost, duplicated or reordered messages after a reconnect."""

import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from server.runtime import Running
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process
from tests.support.serving import serving
from tests.support.visitor import UNREACHABLE, visitor

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_pages_recover_all_messages_once_after_a_server_crash(browser: Browser, tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "chat.db"))
    async with server_process(tmp_path, *database) as server:
        ann = await visitor(browser, server.url, "Ann")
        bob = await visitor(browser, server.url, "Bob")
        await ann.say("before")
        await bob.sees("before")
        server.process.kill()
        await server.ended()
        for user in (ann, bob):
            await user.online("offline")
        await ann.say("while away 1")
        await ann.say("while away 2")
        await expect(ann.page.locator("#timeline-lines .message.pending")).to_have_count(2)
        await expect(ann.page.locator("#offline-banner")).to_contain_text("Messages will be sent when you reconnect")
        port = ("--port", str(server.port))
    async with server_process(tmp_path, *database, *port):
        for user in (ann, bob):
            await user.page.evaluate("window.dispatchEvent(new Event('online'))")
            await user.online()
            await user.sees("before", "while away 1", "while away 2")
        await ann.all_sent()
        await bob.say("after")
        await ann.sees("before", "while away 1", "while away 2", "after")
        await expect(ann.page.locator("#offline-banner")).to_be_hidden()
        await expect(ann.page.locator("#member-list .nick")).to_have_text(["Ann", "Bob"])
        for user in (ann, bob):
            user.tab.forgive(*UNREACHABLE)
            user.behaved()


async def test_a_lost_acknowledgement_does_not_duplicate_the_message(browser: Browser, server: Running) -> None:
    ann = await visitor(browser, server.url, "Ann")
    bob = await visitor(browser, server.url, "Bob")
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
    await ann.say("once")
    await bob.sees("once")
    await ann.online()
    await ann.all_sent()
    await ann.sees("once")
    await bob.say("seen")
    await ann.sees("once", "seen")
    await bob.sees("once", "seen")
    ann.behaved()


async def test_messages_missed_while_offline_follow_the_unread_divider(
    browser: Browser, server: Running, bot: RawClient
) -> None:
    reader = await visitor(browser, server.url, "Ann")
    await bot.ask("sendMessage", {"room": "tea", "message": "known"})
    await reader.sees("known")
    await expect(reader.page.locator(".divider.unread")).to_have_count(0)
    await reader.tab.context.set_offline(True)
    await reader.online("offline")
    await bot.ask("sendMessage", {"room": "tea", "message": "missed"})
    await bot.ask("editMessage", {"room": "tea", "seq": 1, "message": "known better"})
    await reader.tab.context.set_offline(False)
    await reader.sees("known better", "missed")
    await expect(reader.page.locator(".divider.unread + .message")).to_contain_text("missed")
    await reader.say("thanks")
    await expect(reader.page.locator(".divider.unread")).to_have_count(0)
    reader.tab.forgive(*UNREACHABLE)
    reader.behaved()


async def test_an_outage_longer_than_one_history_page_is_loaded_completely(
    browser: Browser, server: Running, bot: RawClient
) -> None:
    reader = await visitor(browser, server.url, "Ann")
    await bot.ask("sendMessage", {"room": "tea", "message": "known"})
    await reader.sees("known")
    await reader.tab.context.set_offline(True)
    await reader.online("offline")
    for number in range(450):
        await bot.ask("sendMessage", {"room": "tea", "message": f"missed {number}"})
    await reader.tab.context.set_offline(False)
    await reader.online()
    await expect(reader.messages.last).to_have_text("missed 449")
    newest = await reader.messages.all_text_contents()
    assert newest == [f"missed {number}" for number in range(450 - len(newest), 450)]
    await expect(reader.page).to_have_title("tea · Chat")
    reader.tab.forgive(*UNREACHABLE)
    reader.behaved()


async def test_a_very_long_outage_resumes_with_the_newest_page(
    browser: Browser, server: Running, bot: RawClient
) -> None:
    reader = await visitor(browser, server.url, "Ann")
    await reader.tab.context.set_offline(True)
    await reader.online("offline")
    await bot.flood("tea", [*(f"missed {number}" for number in range(1100)), "newest"])
    await reader.tab.context.set_offline(False)
    await expect(reader.messages.last).to_have_text("newest")
    await expect(reader.messages.nth(-2)).to_have_text("missed 1099")
    await bot.ask("sendMessage", {"room": "tea", "message": "and on"})
    await expect(reader.messages.last).to_have_text("and on")
    reader.tab.forgive(*UNREACHABLE)
    reader.behaved()


async def test_a_replaced_server_log_is_reloaded(browser: Browser, tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        reader = await visitor(browser, server.url, "Ann")
        for text in ("one", "two", "three"):
            await reader.say(text)
        await reader.all_sent()
    (tmp_path / "new").mkdir()
    async with serving(tmp_path / "new", port=server.port), raw_client(server.url) as bot:
        await bot.join("tea", "bot")
        await bot.ask("sendMessage", {"room": "tea", "message": "first again"})
        await reader.sees("first again")
        await reader.say("me too")
        await reader.sees("first again", "me too")
        await reader.all_sent()
        reader.tab.forgive(*UNREACHABLE)
        reader.behaved()


async def test_a_lost_push_is_fetched_from_history(browser: Browser, server: Running, bot: RawClient) -> None:
    reader = await visitor(browser, server.url, "Ann")
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
        await other.ask("sendMessage", {"room": "tea", "message": "lost push"})
        await other.ask("sendMessage", {"room": "tea", "message": "next"})
    await reader.sees("lost push", "next")
    reader.behaved()


async def test_reconnects_after_a_planned_shutdown_are_delayed(browser: Browser, tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        reader = await visitor(browser, server.url, "Ann")
        attempts: list[float] = []
        reader.page.on("websocket", lambda _: attempts.append(time.monotonic()))
    stopped = time.monotonic()
    async with serving(tmp_path, port=server.port):
        await reader.online("offline")
        await reader.online()
        assert attempts[0] - stopped > 0.5
        await reader.say("back")
        await reader.all_sent()
        await reader.sees("back")
        reader.behaved()
