"""`chat-tui --screen-reader` in a real terminal and in a pipe: sentences, and nothing drawn."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.runtime import RunningServer
from tests.support.eventually import eventually
from tests.support.serving import serving
from tests.support.terminal import CHAT_TUI, Terminal, terminal
from tui_chat.client.chat import ChatClient

READER = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "ann")
READY = "/quit leaves."


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with serving(tmp_path, rate_limit="off") as running:
        yield running


@asynccontextmanager
async def reading(server: RunningServer, tmp_path: Path) -> AsyncGenerator[Terminal]:
    """Ann's program, in the room."""
    async with terminal((*READER, server.url), tmp_path) as shown:
        await shown.wait_for(READY)
        yield shown


async def test_what_is_said_is_read_out_and_what_is_typed_is_said(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        await room.send("before")
        async with reading(server, tmp_path) as shown:
            assert "You are in tea, with 1 other." in shown.text()
            assert "Ben says: before" in shown.text()
            await room.send("two\nann says: not me")
            await shown.wait_for("Ben says: two\n    ann says: not me")
            shown.type("hello all\r")
            await eventually(lambda: [message.message for message in room.log.messages()][-1] == "hello all")
            assert shown.text().count("hello all") == 1
            shown.type("/quit\r")
            assert await shown.ended() == 0
            assert b"\x1b" not in shown.written


async def test_what_comes_while_one_types_waits_until_enter(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        async with reading(server, tmp_path) as shown:
            shown.type("half a line")
            await shown.wait_for("half a line")
            await room.send("do you hear me?")
            shown.type(", and the rest")
            await shown.wait_for("half a line, and the rest")
            assert "do you hear me?" not in shown.text()
            shown.type("\r")
            await shown.wait_for("half a line, and the rest\nBen says: do you hear me?")


async def test_other_rooms_are_heard_of_and_can_be_gone_to(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        dev = await chat.join("dev", nick="Ben")
        async with reading(server, tmp_path) as shown:
            shown.type("/join dev\r")
            await shown.wait_for("You are in dev, with 1 other.")
            shown.type("/go te\r")
            await shown.wait_for("You are in tea, with 0 others.\n\n")
            await dev.send("one thing")
            await shown.wait_for("dev: 1 unread message")
            await dev.send("ann: look")
            await shown.wait_for("In dev, Ben names you: ann: look")
            shown.type("/go\r")
            await shown.wait_for("dev: 2 unread messages, 1 names you")
            shown.type("/go dev\r")
            await shown.wait_for("Ben says: one thing\nBen says: ann: look")


async def test_a_command_of_the_screen_says_so_and_an_unknown_one_is_not_sent(
    server: RunningServer, tmp_path: Path
) -> None:
    async with reading(server, tmp_path) as shown:
        shown.type("/theme dark\r/foo\r/set clock 12h\r/set clock\r/edit\r")
        await shown.wait_for("/theme is about the screen, and there is none here.")
        await shown.wait_for("No command /foo.")
        await shown.wait_for("* clock = 12h")
        await shown.wait_for("Type it as /edit [text]")


async def test_another_server_is_gone_to_and_an_unreachable_one_comes_back(
    server: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    async with serving(tmp_path / "other") as other, terminal((*READER, server.url), tmp_path, rows=40) as shown:
        await shown.wait_for(READY)
        shown.type("/server not a server\r/clear\r")
        await shown.wait_for("There is nothing to clear here")
        assert shown.text().count("You are in") == 1
        shown.type(f"/server chat{other.url.removeprefix('http')}/dev\r")
        await shown.wait_for(f"Connecting to {other.url}")
        await shown.wait_for("You are in dev, with 0 others.")
        async with ChatClient(other.url) as chat:
            room = await chat.join("dev", nick="Ben")
            assert "ann" in [member.nick_name for member in room.members.values()]
            await eventually(lambda: shown.text().count(READY) == 2)
            shown.type("here now\r")
            await eventually(lambda: [message.message for message in room.log.messages()] == ["here now"])
        shown.type("/server http://127.0.0.1:1\r")
        await eventually(lambda: shown.text().count("You are in dev") == 2)
        shown.type("/quit\r")
        assert await shown.ended() == 0


async def test_tab_completes_a_name(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Benedict")
        async with reading(server, tmp_path) as shown:
            shown.type("Be\thello\r")
            await eventually(lambda: any(each.message == "Benedict: hello" for each in room.log.messages()))


async def test_it_asks_for_what_the_form_asks(server: RunningServer, tmp_path: Path) -> None:
    async with terminal((*CHAT_TUI, "--screen-reader", server.url), tmp_path) as shown:
        await shown.wait_for("Room:")
        shown.type("tea\r")
        await shown.wait_for("Nickname:")
        shown.type("\u202e\rann\r")
        await shown.wait_for("A nickname cannot hold U+202E")
        await shown.wait_for("You are in tea")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(
    number: signal.Signals, server: RunningServer, tmp_path: Path
) -> None:
    async with terminal((*READER, server.url), tmp_path) as shown:
        before = shown.settings()
        await shown.wait_for(READY)
        shown.type("half")
        await shown.wait_for("half")
        shown.signal(number)
        assert await shown.ended() == 128 + number
        assert shown.settings() == before


async def test_ctrl_c_asks_once(server: RunningServer, tmp_path: Path) -> None:
    async with reading(server, tmp_path) as shown:
        shown.type("\x03")
        await shown.wait_for("Press Ctrl+C again to quit.")
        shown.type("\x03")
        assert await shown.ended() == 130


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
        await eventually(lambda: any(message.message == "你好" for message in room.log.messages()))


async def test_without_a_server_it_says_so_and_ends(tmp_path: Path) -> None:
    async with terminal((*READER, "127.0.0.1:1"), tmp_path) as shown:
        assert await shown.ended() == 69
        assert "Nothing answers at this address and port." in shown.text()


async def test_rooms_that_were_open_come_back_and_say_what_was_not_read(server: RunningServer, tmp_path: Path) -> None:
    asks = (*CHAT_TUI, "--screen-reader", "--nick", "ann", server.url)
    async with ChatClient(server.url) as chat:
        dev = await chat.join("dev", nick="Ben")
        async with terminal(asks, tmp_path) as shown:
            await shown.wait_for("Room:")
            shown.type("dev\r")
            await shown.wait_for(READY)
            shown.type("/join tea\r")
            await shown.wait_for("You are in tea")
            shown.type("/quit\r")
            assert await shown.ended() == 0
        await dev.send("while you were away")
        async with terminal(asks, tmp_path) as shown:
            await shown.wait_for("Room [dev]:")
            shown.type("tea\r")
            await shown.wait_for("dev: 1 unread message")
            shown.type("/go dev\r")
            await shown.wait_for("Ben says: while you were away")
            shown.type("/part\r")
            await shown.wait_for("You are in tea, with 0 others.")


async def test_people_rooms_and_days_are_asked_about_as_on_the_screen(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="Ben")
        await room.send("first words")
        async with reading(server, tmp_path) as shown:
            shown.type("/whois ben\r")
            await shown.wait_for("Ben: a guest, without an account · in tea · last said something at")
            shown.type("/mute\r/notify\r/unmute\r/notify all\r/mute nosuch\r")
            await shown.wait_for("tea is muted")
            await shown.wait_for("tea is not muted.")
            shown.type("/ignore ann\r")
            await shown.wait_for("You cannot ignore yourself.")
            shown.type("/date today\r")
            await shown.wait_for("Ben says: first words")
            shown.type("/date someday\r")
            await shown.wait_for("No day is called someday.")
            shown.type("/set clock 12h\r")
            await shown.wait_for("clock is about the screen")
