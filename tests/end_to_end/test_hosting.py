"""Local server that outlives its host: `chat-tui --serve` and `chat-server` as real processes."""

import os
import signal
from pathlib import Path

import pytest

from server import control_commands
from tests.support.raw_client import raw_client
from tests.support.server_process import DATABASE, server_process
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until
from tui_chat.local_server import server_log_path

HOST = (*CHAT_TUI, "--serve", "--port", "0", "--room", "tea")
READER_READY = "/quit exits."


def server_urls() -> list[str]:
    return [server.fields["url"] for server in control_commands.find_servers({})]


async def wait_for_url(host: PtyTerminal) -> str:
    await host.wait_for_text("Others join with")
    (url,) = server_urls()
    return url


async def test_the_server_outlives_a_killed_host_and_stops_when_idle(home: Path) -> None:
    async with terminal((*HOST, "--nick", "ann", "--screen-reader"), home) as host:
        url = await wait_for_url(host)
        async with terminal((*HOST, "--nick", "bob", "--screen-reader"), home) as guest:
            await guest.wait_for_text(f"Joined the server that already runs at {url}.")
            await guest.wait_for_text(READER_READY)
            async with raw_client(url) as observer:
                await observer.join("tea", "carl")
                guest.write_keys("before\r")
                await observer.wait_for_push("message", message="before")
                host.process.kill()
                await host.wait_closed()
                guest.write_keys("after\r")
                await observer.wait_for_push("message", message="after")
            guest.write_keys("/quit\r")
            assert await guest.wait_closed() == 0
            assert "still here" not in guest.screen_text()
    await wait_until(lambda: "server stopped" in server_log_path().read_text())
    assert server_urls() == []


@pytest.mark.parametrize("mode", [(), ("--screen-reader",)], ids=["screen", "screen reader"])
async def test_a_client_restarts_a_killed_server_and_sends_the_messages_typed_meanwhile(
    home: Path, mode: tuple[str, ...]
) -> None:
    async with terminal((*HOST, "--nick", "ann", *mode), home) as host:
        await host.wait_for_text(READER_READY if mode else "1 here")
        (server,) = control_commands.find_servers({})
        os.kill(server.fields["pid"], signal.SIGKILL)
        host.write_keys("after the crash\r")
        await wait_until(lambda: server_urls() == [server.fields["url"]])
        async with raw_client(server.fields["url"]) as bob:
            joined = await bob.join("tea", "bob")
            if "after the crash" not in str(joined["messages"]):
                await bob.wait_for_push("message", message="after the crash")


async def test_of_two_clients_that_start_at_the_same_time_one_starts_the_server(
    home: Path, unused_tcp_port: int
) -> None:
    command = (*CHAT_TUI, "--serve", "--port", str(unused_tcp_port), "--room", "tea", "--screen-reader")
    async with terminal((*command, "--nick", "ann"), home) as ann, terminal((*command, "--nick", "bob"), home) as bob:
        for client in (ann, bob):
            await client.wait_for_text(READER_READY)
        screens = ann.screen_text() + bob.screen_text()
        assert screens.count("Server started.") == screens.count("Joined the server that already runs at") == 1
        assert len(server_urls()) == 1
        ann.write_keys("hello bob\r")
        await bob.wait_for_text("ann says: hello bob")


async def test_a_quitting_host_reports_the_others_and_a_later_client_stops_the_server(home: Path) -> None:
    async with terminal((*HOST, "--nick", "ann"), home) as host:
        url = await wait_for_url(host)
        async with raw_client(url) as bob:
            await bob.join("tea", "bob")
            host.write_keys("/quit\r")
            assert await host.wait_closed() == 0
            assert "1 other is still here; the server keeps running." in host.screen_text()
            assert (await bob.request("sendMessage", {"room": "tea", "message": "still here"}))["ok"]
            async with terminal((*HOST, "--nick", "ann", "--screen-reader"), home) as reader:
                await reader.wait_for_text(READER_READY)
                reader.write_keys("/stop-server\r")
                await reader.wait_for_text("1 other is here. Repeat /stop-server to stop the server.")
                reader.write_keys("/stop-server\r")
                await reader.wait_for_text("Server stopped.")
                assert await reader.wait_closed() == 0
                await bob.wait_closed()
    assert server_urls() == []


async def test_a_failed_start_is_one_sentence_in_the_form(home: Path) -> None:
    database = home / DATABASE
    database.parent.mkdir(parents=True)
    database.write_bytes(b"not a database\n" * 1000)
    async with terminal((*HOST, "--nick", "ann"), home, columns=120) as host:
        await host.wait_for_text("not a database.")
        text_without_breaks = "".join(host.screen_text().split())
        assert f"Cannotopenthedatabase{database}:notadatabase." in text_without_breaks
        assert "Nickname" in host.screen_text()


async def test_serve_joins_a_server_of_the_administrator_and_reports_the_others_on_quitting(home: Path) -> None:
    command = (*HOST, "--nick", "ann", "--screen-reader")
    async with server_process(home) as server, terminal(command, home, columns=120) as client:
        await client.wait_for_text(f"Joined the server that already runs at {server.url}.")
        await client.wait_for_text("You are in tea")
        async with raw_client(server.url) as bob:
            await bob.join("tea", "bob")
            client.write_keys("/quit\r")
            assert await client.wait_closed() == 0
            assert "1 other is still here; the server keeps running." in client.screen_text()
