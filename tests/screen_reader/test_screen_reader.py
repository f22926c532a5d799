"""`chat-tui --screen-reader` in a real terminal and in a pipe: sentences, and nothing drawn."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

READER = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "ann")
READY = "/quit leaves."


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@asynccontextmanager
async def reading(server: RunningServer, tmp_path: Path) -> AsyncGenerator[PtyTerminal]:
    """Ann's program, in the room."""
    async with terminal((*READER, server.url), tmp_path) as shown:
        await shown.wait_for_text(READY)
        yield shown


async def test_what_is_said_is_read_out_and_what_is_typed_is_said(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        await room.send("before")
        async with reading(server, tmp_path) as shown:
            assert "You are in tea, with 1 other." in shown.screen_text()
            assert "Ben says: before" in shown.screen_text()
            await room.send("two\nann says: not me")
            await shown.wait_for_text("Ben says: two\n    ann says: not me")
            shown.write_keys("hello all\r")
            await wait_until(lambda: [message.message for message in room.log.messages()][-1] == "hello all")
            assert shown.screen_text().count("hello all") == 1
            shown.write_keys("/quit\r")
            assert await shown.wait_closed() == 0
            assert b"\x1b" not in shown.written


async def test_what_comes_while_one_types_waits_until_enter(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        async with reading(server, tmp_path) as shown:
            shown.write_keys("half a line")
            await shown.wait_for_text("half a line")
            await room.send("do you hear me?")
            shown.write_keys(", and the rest")
            await shown.wait_for_text("half a line, and the rest")
            assert "do you hear me?" not in shown.screen_text()
            shown.write_keys("\r")
            await shown.wait_for_text("half a line, and the rest\nBen says: do you hear me?")


async def test_other_rooms_are_heard_of_and_can_be_gone_to(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        dev = await chat.join("dev", nick="Ben")
        async with reading(server, tmp_path) as shown:
            shown.write_keys("/join dev\r")
            await shown.wait_for_text("You are in dev, with 1 other.")
            shown.write_keys("/go te\r")
            await shown.wait_for_text("You are in tea, with 0 others.\n\n")
            await dev.send("one thing")
            await shown.wait_for_text("dev: 1 unread message")
            await dev.send("ann: look")
            await shown.wait_for_text("In dev, Ben names you: ann: look")
            shown.write_keys("/go\r")
            await shown.wait_for_text("dev: 2 unread messages, 1 names you")
            shown.write_keys("/go dev\r")
            await shown.wait_for_text("Ben says: one thing\nBen says: ann: look")


async def test_a_command_of_the_screen_says_so_and_an_unknown_one_is_not_sent(
    server: RunningServer, tmp_path: Path
) -> None:
    async with reading(server, tmp_path) as shown:
        shown.write_keys("/theme dark\r/foo\r/set clock 12h\r/set clock\r/edit\r")
        await shown.wait_for_text("/theme is about the screen, and there is none here.")
        await shown.wait_for_text("No command /foo.")
        await shown.wait_for_text("* clock = 12h")
        await shown.wait_for_text("Type it as /edit [text]")


async def test_another_server_is_gone_to_and_an_unreachable_one_comes_back(
    server: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    async with running_server(tmp_path / "other") as other, terminal((*READER, server.url), tmp_path, rows=40) as shown:
        await shown.wait_for_text(READY)
        shown.write_keys("/server not a server\r/clear\r")
        await shown.wait_for_text("There is nothing to clear here")
        assert shown.screen_text().count("You are in") == 1
        shown.write_keys(f"/server chat{other.url.removeprefix('http')}/dev\r")
        await shown.wait_for_text(f"Connecting to {other.url}")
        await shown.wait_for_text("You are in dev, with 0 others.")
        async with ChatClient(other.url) as chat:
            room = await chat.join("dev", nick="Ben")
            assert "ann" in [member.nick_name for member in room.members.values()]
            await wait_until(lambda: shown.screen_text().count(READY) == 2)
            shown.write_keys("here now\r")
            await wait_until(lambda: [message.message for message in room.log.messages()] == ["here now"])
        shown.write_keys("/server http://127.0.0.1:1\r")
        await wait_until(lambda: shown.screen_text().count("You are in dev") == 2)
        shown.write_keys("/quit\r")
        assert await shown.wait_closed() == 0


async def test_tab_completes_a_name(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Benedict")
        async with reading(server, tmp_path) as shown:
            shown.write_keys("Be\thello\r")
            await wait_until(lambda: any(each.message == "Benedict: hello" for each in room.log.messages()))


async def test_it_asks_for_what_the_form_asks(server: RunningServer, tmp_path: Path) -> None:
    async with terminal((*CHAT_TUI, "--screen-reader", server.url), tmp_path) as shown:
        await shown.wait_for_text("Room:")
        shown.write_keys("tea\r")
        await shown.wait_for_text("Nickname:")
        shown.write_keys("\u202e\rann\r")
        await shown.wait_for_text("A nickname cannot hold U+202E")
        await shown.wait_for_text("You are in tea")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(
    number: signal.Signals, server: RunningServer, tmp_path: Path
) -> None:
    async with terminal((*READER, server.url), tmp_path) as shown:
        before = shown.termios_settings()
        await shown.wait_for_text(READY)
        shown.write_keys("half")
        await shown.wait_for_text("half")
        shown.send_signal(number)
        assert await shown.wait_closed() == 128 + number
        assert shown.termios_settings() == before


async def test_ctrl_c_asks_once(server: RunningServer, tmp_path: Path) -> None:
    async with reading(server, tmp_path) as shown:
        shown.write_keys("\x03")
        await shown.wait_for_text("Press Ctrl+C again to quit.")
        shown.write_keys("\x03")
        assert await shown.wait_closed() == 130


async def test_it_works_in_a_pipe_and_sends_the_last_line_before_it_ends(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tui_chat", "--screen-reader", "--room", "tea", "--nick", "ann", server.url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        )
        async with asyncio.timeout(20):
            out, err = await process.communicate("你好".encode())
        assert (process.returncode, err) == (0, b"")
        assert out.decode().startswith("Connecting to")
        await wait_until(lambda: any(message.message == "你好" for message in room.log.messages()))


async def test_without_a_server_it_says_so_and_ends(tmp_path: Path) -> None:
    async with terminal((*READER, "127.0.0.1:1"), tmp_path) as shown:
        assert await shown.wait_closed() == 69
        assert "Nothing answers at this address and port." in shown.screen_text()


async def test_rooms_that_were_open_come_back_and_say_what_was_not_read(server: RunningServer, tmp_path: Path) -> None:
    asks = (*CHAT_TUI, "--screen-reader", "--nick", "ann", server.url)
    async with ChatClient(server.url) as chat:
        dev = await chat.join("dev", nick="Ben")
        async with terminal(asks, tmp_path) as shown:
            await shown.wait_for_text("Room:")
            shown.write_keys("dev\r")
            await shown.wait_for_text(READY)
            shown.write_keys("/join tea\r")
            await shown.wait_for_text("You are in tea")
            shown.write_keys("/quit\r")
            assert await shown.wait_closed() == 0
        await dev.send("while you were away")
        async with terminal(asks, tmp_path) as shown:
            await shown.wait_for_text("Room [dev]:")
            shown.write_keys("tea\r")
            await shown.wait_for_text("dev: 1 unread message")
            shown.write_keys("/go dev\r")
            await shown.wait_for_text("Ben says: while you were away")
            shown.write_keys("/part\r")
            await shown.wait_for_text("You are in tea, with 0 others.")


async def test_people_rooms_and_days_are_asked_about_as_on_the_screen(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        await room.send("first words")
        async with reading(server, tmp_path) as shown:
            shown.write_keys("/whois ben\r")
            await shown.wait_for_text("Ben: a guest, without an account · in tea · last said something at")
            shown.write_keys("/mute\r/notify\r/unmute\r/notify all\r/mute nosuch\r")
            await shown.wait_for_text("tea is muted")
            await shown.wait_for_text("tea is not muted.")
            shown.write_keys("/ignore ann\r")
            await shown.wait_for_text("You cannot ignore yourself.")
            shown.write_keys("/date today\r")
            await shown.wait_for_text("Ben says: first words")
            shown.write_keys("/date someday\r")
            await shown.wait_for_text("No day is called someday.")
            shown.write_keys("/set clock 12h\r")
            await shown.wait_for_text("clock is about the screen")
