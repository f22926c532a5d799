"""Screen-reader mode of `chat-tui` in a terminal and in a pipe."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.basic_node_server import basic_node_server
from tests.support.environment import program_environment
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.program import PIPE, start_program
from tests.support.tcp_proxy import tcp_proxy
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.session.store import profile

READER = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "ann")
READY = "/quit exits."


def date_of(ts: int) -> str:
    """Return the local date of a time in milliseconds since the epoch, as in `2026-11-20`."""
    return datetime.fromtimestamp(ts / 1000).date().isoformat()


@asynccontextmanager
async def screen_reader(server: RunningServer, tmp_path: Path) -> AsyncGenerator[PtyTerminal]:
    """Run the screen-reader mode, joined to the room as ann."""
    async with terminal((*READER, server.url), tmp_path) as tui:
        await tui.wait_for_text(READY)
        yield tui


async def test_messages_are_printed_and_typed_lines_are_sent(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        await room.send("before")
        async with screen_reader(server, tmp_path) as tui:
            assert "You are in tea, with 1 other." in tui.screen_text()
            assert "Ben says: before" in tui.screen_text()
            await room.send("two\nann says: not me")
            await tui.wait_for_text("Ben says: two\n    ann says: not me")
            tui.write_keys("hello all\r")
            await wait_until(lambda: message_texts(room)[-1] == "hello all")
            tui.write_keys("/quit\r")
            assert await tui.wait_closed() == 0
            assert tui.screen_text().count("hello all") == 1
            assert b"\x1b" not in tui.written


async def test_confusable_nicknames_and_hosts_are_announced(server: RunningServer, tmp_path: Path) -> None:
    async with screen_reader(server, tmp_path) as tui, ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="\u0430nn")
        await tui.wait_for_text("\u0430nn (look-alike) joined")
        await room.send("trust https://\u0430\u0440\u0440\u04cf\u0435.com/")
        await tui.wait_for_text(
            "\u0430nn (look-alike) says: trust https://\u0430\u0440\u0440\u04cf\u0435.com/ (link to xn--80ak6aa92e.com)"
        )


async def test_messages_received_during_typing_are_printed_after_enter(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        async with screen_reader(server, tmp_path) as tui:
            tui.write_keys("half a line")
            await tui.wait_for_text("half a line")
            await room.send("do you hear me?")
            tui.write_keys(", and the rest")
            await tui.wait_for_text("half a line, and the rest")
            assert "do you hear me?" not in tui.screen_text()
            tui.write_keys("\r")
            await tui.wait_for_text("half a line, and the rest\nBen says: do you hear me?")


async def test_unread_messages_of_other_rooms_are_announced(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        dev = await chat.join("dev", nick="Ben")
        async with screen_reader(server, tmp_path) as tui:
            tui.write_keys("/join dev\r")
            await tui.wait_for_text("You are in dev, with 1 other.")
            tui.write_keys("/go te\r")
            await tui.wait_for_text("You are in tea, with 0 others.\n\n")
            await dev.send("one thing")
            await tui.wait_for_text("dev: 1 unread message")
            await dev.send("ann: look")
            await tui.wait_for_text("In dev, Ben mentions you: ann: look")
            tui.write_keys("/go\r")
            await tui.wait_for_text("dev: 2 unread messages, 1 mention")
            tui.write_keys("/go dev\r")
            await tui.wait_for_text("Ben says: one thing\nBen says: ann: look")


async def test_commands_of_a_guest_print_their_result_or_error(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        await room.send("first words")
        async with screen_reader(server, tmp_path) as tui:
            for command, output in (
                ("/theme dark", "/theme is not available in screen-reader mode."),
                ("/foo", "Unknown command /foo."),
                ("/edit", "Usage: /edit [text]"),
                ("/mute", "Notifications for tea are off. /unmute turns them on."),
                ("/unmute", "Notifications for tea are on."),
                ("/notify", "Notifications for tea: mentions."),
                ("/mute nosuch", "You are not in nosuch."),
                ("/ignore ann", "You cannot ignore yourself."),
                ("/whois ben", "Ben: guest · in tea · last message at"),
                ("/set clock 12h", "clock has no effect in screen-reader mode"),
                ("/set clock", "* clock = 12h"),
                ("/undo", "No deletion to undo."),
                ("/date someday", "Unknown date: someday."),
                (f"/date {date_of(room.log[1].ts)}", "Ben says: first words"),
            ):
                tui.reset_screen()
                tui.write_keys(f"{command}\r")
                await tui.wait_for_text(output)


async def test_server_command_switches_servers_and_falls_back_if_unreachable(
    server: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    async with (
        running_server(tmp_path / "other") as second_server,
        terminal((*READER, server.url), tmp_path, rows=40) as tui,
    ):
        await tui.wait_for_text(READY)
        tui.write_keys("/server not a server\r/clear\r")
        await tui.wait_for_text("/clear is not available")  # after the answer to `/server`
        assert tui.screen_text().count("You are in") == 1
        tui.write_keys(f"/server chat{second_server.url.removeprefix('http')}/dev\r")
        await tui.wait_for_text(f"Connecting to {second_server.url}")
        await tui.wait_for_text("You are in dev, with 0 others.")
        async with ChatClient(second_server.url) as chat:
            room = await chat.join("dev", nick="Ben")
            assert "ann" in [member.nick_name for member in room.members.values()]
            await wait_until(lambda: tui.screen_text().count(READY) == 2)
            tui.write_keys("here now\r")
            await wait_until(lambda: message_texts(room) == ["here now"])
        tui.write_keys("/server http://127.0.0.1:1\r")
        await wait_until(lambda: tui.screen_text().count("You are in dev") == 2)
        tui.write_keys("/quit\r")
        assert await tui.wait_closed() == 0


async def test_a_deletion_is_announced_and_undone_or_sent_on_quitting(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        async with screen_reader(server, tmp_path) as tui:
            tui.write_keys("a secret\r")
            await wait_until(lambda: room.log.last == 1)
            await room.send("the kettle boils")
            await tui.wait_for_text("the kettle boils")  # after the acknowledgement of the message before
            tui.write_keys("/delete\r")
            await tui.wait_for_text("Deleting in 5 seconds: a secret")
            tui.write_keys("/undo\r")
            await tui.wait_for_text("Message restored.")
            tui.write_keys("/delete\r")
            await wait_until(lambda: tui.screen_text().count("Deleting in 5 seconds: a secret") == 2)
            assert not room.log[1].deleted
            tui.write_keys("/quit\r")
            assert await tui.wait_closed() == 0
            await wait_until(lambda: room.log[1].deleted)


async def test_an_edit_is_confirmed(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat, screen_reader(server, tmp_path) as tui:
        room = await chat.join("tea", nick="Ben")
        tui.write_keys("teh tea\r")
        await wait_until(lambda: room.log.last == 1)
        await room.send("the kettle boils")
        await tui.wait_for_text("the kettle boils")  # after the acknowledgement of the message before
        tui.write_keys("/edit the tea\r")
        await tui.wait_for_text("Edited: the tea")


async def test_without_a_connection_a_join_waits_and_missed_messages_are_announced_afterwards(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        ChatClient(server.url) as client,
        tcp_proxy(server.port) as proxy,
        terminal((*READER, proxy.url), tmp_path) as tui,
    ):
        await tui.wait_for_text(READY)
        tea = await client.join("tea", nick="bob")
        await tea.send("before")
        await tui.wait_for_text("bob says: before")
        proxy.refuse_connections()
        proxy.reset_all()
        await tui.wait_for_text("Connection lost")
        tui.write_keys("/join dev\r/nick bob\r")
        await tui.wait_for_text("dev opens after the reconnect.")
        await tui.wait_for_text("/nick needs a connection.")
        await tea.send("missed")
        proxy.accept_connections()
        await tui.wait_for_text("dev is open.")
        await tui.wait_for_text("bob says: missed")
        assert tui.screen_text().count("bob says: before") == 1


async def test_tab_completes_a_nickname(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Benedict")
        async with screen_reader(server, tmp_path) as tui:
            tui.write_keys("Be\thello\r")
            await wait_until(lambda: message_texts(room) == ["Benedict: hello"])


async def test_missing_join_details_are_prompted_for(server: RunningServer, tmp_path: Path) -> None:
    async with terminal((*CHAT_TUI, "--screen-reader", server.url), tmp_path) as tui:
        await tui.wait_for_text("Room [lobby]:")
        tui.write_keys("tea\r")
        await tui.wait_for_text("Nickname [")
        tui.write_keys("\u202e\rann\r")
        await tui.wait_for_text("A nickname cannot contain U+202E")
        await tui.wait_for_text("You are in tea")


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_exits_and_restores_the_terminal(
    signal_number: signal.Signals, server: RunningServer, tmp_path: Path
) -> None:
    async with terminal((*READER, server.url), tmp_path) as tui:
        await tui.wait_for_text(READY)
        tui.write_keys("half")
        await tui.wait_for_text("half")
        tui.send_signal(signal_number)
        assert await tui.wait_closed() == 128 + signal_number
        assert tui.termios_settings() == tui.initial_settings


async def test_ctrl_c_quits_on_the_second_press(server: RunningServer, tmp_path: Path) -> None:
    async with screen_reader(server, tmp_path) as tui:
        tui.write_keys("\x03")
        await tui.wait_for_text("Press Ctrl+C again to quit.")
        tui.write_keys("\x03")
        assert await tui.wait_closed() == 130


async def test_piped_input_is_sent_before_exit(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        environ = program_environment(tmp_path)
        process = await start_program((*READER, server.url), environ, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        async with asyncio.timeout(TIMEOUT):
            output, errors = await process.communicate("你好".encode())
        assert (process.returncode, errors) == (0, b"")
        assert output.decode().startswith("Connecting to")
        await wait_until(lambda: message_texts(room) == ["你好"])


@pytest.mark.needs_node
async def test_a_server_without_guest_keys_leaves_no_identity(tmp_path: Path) -> None:
    async with basic_node_server() as server, terminal((*READER, server.url), tmp_path) as tui:
        await tui.wait_for_text(READY)
        tui.write_keys("/quit\r")
        assert await tui.wait_closed() == 0
    saved_profile, _ = profile.load(tmp_path / ".local/state/tui-chat")
    assert (saved_profile.nick, saved_profile.identities) == ("ann", ())


async def test_an_unreachable_server_prints_an_error_and_exits(tmp_path: Path) -> None:
    async with terminal((*READER, "127.0.0.1:1"), tmp_path) as tui:
        assert await tui.wait_closed() == 69
        assert "No server at this address and port." in tui.screen_text()


async def test_open_rooms_are_restored_with_unread_counts(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, "--screen-reader", "--nick", "ann", server.url)
    async with ChatClient(server.url) as chat:
        dev = await chat.join("dev", nick="Ben")
        async with terminal(command, tmp_path) as tui:
            await tui.wait_for_text("Room [lobby]:")
            tui.write_keys("dev\r")
            await tui.wait_for_text(READY)
            tui.write_keys("/join tea\r")
            await tui.wait_for_text("You are in tea")
            tui.write_keys("/quit\r")
            assert await tui.wait_closed() == 0
        await dev.send("while you were away")
        async with terminal(command, tmp_path) as tui:
            await tui.wait_for_text("Room [dev]:")
            tui.write_keys("tea\r")
            await tui.wait_for_text("dev: 1 unread message")
            tui.write_keys("/go dev\r")
            await tui.wait_for_text("Ben says: while you were away")
            tui.reset_screen()
            tui.write_keys("/part\r")
            await tui.wait_for_text("You are in tea, with 0 others.")


async def test_invalid_bytes_are_replaced(server: RunningServer, tmp_path: Path) -> None:
    async with screen_reader(server, tmp_path) as tui, ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        tui.write_bytes(b"caf\xff\r")
        await wait_until(lambda: message_texts(room) == ["caf\ufffd"])


async def test_piped_lines_after_the_join_details_are_sent(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, "--screen-reader", server.url)
    process = await start_program(command, program_environment(tmp_path), stdin=PIPE, stdout=PIPE)
    async with asyncio.timeout(TIMEOUT):
        await process.communicate("\ufefftea\r\nann\r\nhello\r\n".encode())
    assert process.returncode == 0
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        assert message_texts(room) == ["hello"]
