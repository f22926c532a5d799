"""Whatever terminal it is and whatever happens to it: it says what is wrong or goes on, and leaves all clean."""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.terminal import (
    ALTERNATE_SCREEN_MODE,
    BRACKETED_PASTE_MODE,
    CHAT_TUI,
    CURSOR_VISIBLE_MODE,
    FOCUS_REPORTING_MODE,
    MOUSE_MODES,
    PtyTerminal,
    terminal,
)
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

LEFT_OFF = {ALTERNATE_SCREEN_MODE, *MOUSE_MODES, BRACKETED_PASTE_MODE, FOCUS_REPORTING_MODE}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path / "server", rate_limit="off") as running:
        yield running


def in_tea(server: RunningServer) -> tuple[str, ...]:
    return (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")


def assert_clean(shown: PtyTerminal, before: list[object]) -> None:
    assert shown.termios_settings() == before
    modes = shown.private_modes()
    assert CURSOR_VISIBLE_MODE in modes
    assert not modes & LEFT_OFF
    assert b"Traceback" not in shown.written


async def flood(server: RunningServer, lines: int, last: str) -> None:
    async with ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        for number in range(lines):
            await room.send(f"line {number}")
        await room.send(last)


@pytest.mark.parametrize("piped", [0, 1, 2], ids=["input", "output", "error"])
async def test_without_a_terminal_it_says_so(tmp_path: Path, piped: int) -> None:
    master, slave = pty.openpty()
    streams = [slave, slave, slave]
    streams[piped] = asyncio.subprocess.DEVNULL if piped == 0 else asyncio.subprocess.PIPE
    environ = {**os.environ, "HOME": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        *CHAT_TUI, stdin=streams[0], stdout=streams[1], stderr=streams[2], env=environ, start_new_session=True
    )
    os.close(slave)
    out, err = await process.communicate()
    said = err if piped == 2 else os.read(master, 65_536)
    os.close(master)
    assert process.returncode == 2
    assert said.decode().startswith("chat-tui: this needs a terminal")
    assert b"\x1b" not in said
    assert not out


async def test_a_terminal_that_cannot_place_text_is_told_in_one_line(tmp_path: Path) -> None:
    async with terminal(CHAT_TUI, tmp_path, environ={"TERM": "dumb"}) as shown:
        assert await shown.wait_closed() == 2
        assert shown.screen_text().startswith("chat-tui: this terminal cannot place text")
        assert b"\x1b" not in shown.written


@pytest.mark.parametrize("term", [None, "frobnitz-9000", "vt100", "linux"])
async def test_a_terminal_of_another_name_is_taken_for_what_nearly_all_are(
    server: RunningServer, tmp_path: Path, term: str | None
) -> None:
    async with terminal(in_tea(server), tmp_path / "home", environ={"TERM": term, "COLORTERM": None}) as shown:
        before = shown.termios_settings()
        await shown.wait_for_text("1 here")
        shown.write_keys("hello\r")
        await shown.wait_for_text("✓ hello")
        shown.write_keys("/quit\r")
        assert await shown.wait_closed() == 0
        assert_clean(shown, before)


@pytest.mark.parametrize(("columns", "rows"), [(40, 10), (20, 5), (12, 3), (3, 1), (250, 70)])
async def test_it_works_in_any_size(server: RunningServer, tmp_path: Path, columns: int, rows: int) -> None:
    async with terminal(in_tea(server), tmp_path / "home", columns=columns, rows=rows) as shown:
        before = shown.termios_settings()
        async with ChatClient(server.url) as bob:
            room = await bob.join("tea", nick="bob")
            await wait_until(lambda: any(member.nick_name == "ann" for member in room.members.values()))
            shown.write_keys("hello you\r")
            await wait_until(lambda: [message.message for message in room.log.messages()] == ["hello you"])
            if columns >= 20:
                await room.send("good day")
                await shown.wait_for_text("good day")
        shown.write_keys("/quit\r")
        assert await shown.wait_closed() == 0
        assert_clean(shown, before)


async def test_resized_wildly_in_a_flood_it_shows_the_end_of_it(server: RunningServer, tmp_path: Path) -> None:
    async with terminal(in_tea(server), tmp_path / "home") as shown:
        before = shown.termios_settings()
        await shown.wait_for_text("1 here")
        flooding = asyncio.create_task(flood(server, 300, "the last line"))
        sizes = [(1, 1), (200, 60), (20, 5), (79, 24), (300, 2), (40, 100), (5, 40), (132, 43)]
        turn = 0
        while not flooding.done():
            shown.resize(*sizes[turn % len(sizes)])
            turn += 1
            await asyncio.sleep(0.02)
        await flooding
        shown.resize(90, 25)
        await shown.wait_for_text("the last line")
        shown.write_keys("still here\r")
        await shown.wait_for_text("✓ still here")
        assert max(len(row) for row in shown.screen_text().splitlines()) <= 90
        shown.write_keys("/quit\r")
        assert await shown.wait_closed() == 0
        assert_clean(shown, before)


async def test_over_a_slow_line_a_flood_holds_up_nobody_who_types(server: RunningServer, tmp_path: Path) -> None:
    async with terminal(in_tea(server), tmp_path / "home") as shown:
        before = shown.termios_settings()
        await shown.wait_for_text("1 here")
        shown.throttle(20_000)
        flooding = asyncio.create_task(flood(server, 400, "the last line"))
        await shown.wait_for_text("line ")
        shown.write_keys("hello over there\r")
        async with ChatClient(server.url) as carol:
            room = await carol.join("tea", nick="carol")
            await wait_until(lambda: any(each.message == "hello over there" for each in room.log.messages()))
        await flooding
        written = len(shown.written)
        await shown.wait_for_text("the last line")
        # What nobody could have seen was not written: the line catches up within some screens.
        assert len(shown.written) - written < 60_000
        shown.write_keys("/quit\r")
        assert await shown.wait_closed() == 0
        shown.throttle(None)
        assert_clean(shown, before)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no job control")
async def test_it_is_suspended_and_comes_back(server: RunningServer, tmp_path: Path) -> None:
    async with terminal(in_tea(server), tmp_path / "home") as shown:
        before = shown.termios_settings()
        await shown.wait_for_text("1 here")
        shown.write_keys("half a sen")
        await shown.wait_for_text("half a sen")
        drawing = shown.termios_settings()
        for suspend in (lambda: shown.write_keys("\x1a"), lambda: shown.send_signal(signal.SIGTSTP)):
            suspend()
            stat = Path(f"/proc/{shown.process.pid}/stat")
            await wait_until(lambda stat=stat: stat.read_text().rpartition(")")[2].split()[0] == "T")
            await wait_until(lambda: shown.private_modes() & LEFT_OFF == set())
            assert_clean(shown, before)
            shown.reset_screen()
            shown.send_signal(signal.SIGCONT)
            await shown.wait_for_text("half a sen")
            await wait_until(lambda: shown.termios_settings() == drawing)
            assert ALTERNATE_SCREEN_MODE in shown.private_modes()
        shown.write_keys("tence\r")
        await shown.wait_for_text("✓ half a sentence")
        shown.write_keys("/quit\r")
        assert await shown.wait_closed() == 0
        assert_clean(shown, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_killed_in_a_flood_it_leaves_the_terminal_clean(
    server: RunningServer, tmp_path: Path, number: signal.Signals
) -> None:
    async with terminal(in_tea(server), tmp_path / "home") as shown:
        before = shown.termios_settings()
        await shown.wait_for_text("1 here")
        flooding = asyncio.create_task(flood(server, 200, "the last line"))
        await shown.wait_for_text("line 9")
        shown.send_signal(number)
        assert await shown.wait_closed() == 128 + number
        assert_clean(shown, before)
        await flooding
