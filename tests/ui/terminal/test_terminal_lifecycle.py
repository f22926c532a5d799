"""Startup, resize, suspension and exit of the client in different terminals."""

import asyncio
import os
import pty
import signal
import sys
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.environment import program_environment
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
from tui_chat.session.i18n import tr

MODES_OFF_AT_EXIT = {ALTERNATE_SCREEN_MODE, *MOUSE_MODES, BRACKETED_PASTE_MODE, FOCUS_REPORTING_MODE}


RESIZE_DURING_RESIZE = """
import fcntl, struct, termios
from textual.drivers.linux_driver import LinuxDriver
from tui_chat.cli import main

read_size = LinuxDriver._get_terminal_size

def read_size_and_resize(driver):
    size = read_size(driver)
    if size == (60, 20):
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return size

LinuxDriver._get_terminal_size = read_size_and_resize
main()
"""
"""Client whose terminal changes from 60×20 to 80×24 while the client handles the signal of the first size."""


def join_command(server: RunningServer) -> tuple[str, ...]:
    return (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")


def assert_restored(tty: PtyTerminal) -> None:
    assert tty.termios_settings() == tty.initial_settings
    modes = tty.private_modes()
    assert CURSOR_VISIBLE_MODE in modes
    assert not modes & MODES_OFF_AT_EXIT
    assert b"Traceback" not in tty.written


async def send_flood(server: RunningServer, lines: int, last_text: str) -> None:
    async with ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        for number in range(lines):
            await room.send(f"flood {number}")
        await room.send(last_text)


@pytest.mark.parametrize("piped", [0, 1, 2], ids=["input", "output", "error"])
async def test_a_standard_stream_that_is_no_terminal_is_an_error(tmp_path: Path, piped: int) -> None:
    master, slave = pty.openpty()
    streams = [slave, slave, slave]
    streams[piped] = asyncio.subprocess.DEVNULL if piped == 0 else asyncio.subprocess.PIPE
    environ = program_environment(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *CHAT_TUI, stdin=streams[0], stdout=streams[1], stderr=streams[2], env=environ, start_new_session=True
    )
    os.close(slave)
    out, err = await process.communicate()
    output = err if piped == 2 else os.read(master, 65_536)
    os.close(master)
    assert process.returncode == 2
    assert output.decode().startswith(
        "chat-tui: standard input, output and error must be a terminal; use --screen-reader"
    )
    assert b"\x1b" not in output
    assert not out


async def test_a_dumb_terminal_is_rejected_with_one_line(tmp_path: Path) -> None:
    async with terminal(CHAT_TUI, tmp_path, environ={"TERM": "dumb"}) as tty:
        assert await tty.wait_closed() == 2
        assert tty.screen_text().startswith("chat-tui: this terminal cannot position text")
        assert b"\x1b" not in tty.written


@pytest.mark.parametrize(
    ("columns", "rows", "environ"),
    [
        (80, 24, {"TERM": "linux", "COLORTERM": None}),
        (40, 10, {"TERM": None, "COLORTERM": None}),
        (20, 5, {"TERM": "frobnitz-9000", "COLORTERM": None}),
        (250, 70, {"TERM": "vt100", "COLORTERM": None}),
        (12, 3, {}),
        (3, 1, {}),
    ],
)
async def test_messages_are_sent_and_displayed_at_any_terminal_size_and_type(
    server: RunningServer, tmp_path: Path, columns: int, rows: int, environ: dict[str, str | None]
) -> None:
    command = join_command(server)
    async with terminal(command, tmp_path / "home", columns=columns, rows=rows, environ=environ) as tty:
        async with ChatClient(server.url) as bob:
            room = await bob.join("tea", nick="bob")
            if columns >= 20:
                await tty.wait_for_text(tr("Message"))
            else:  # no room for the composer; the window title has the room
                await wait_until(lambda: tty.written.rfind(b"tea", tty.written.find(b"\x1b]2;")) > 0)
            tty.write_keys("hello you\r")
            await wait_until(lambda: [message.message for message in room.log.messages()] == ["hello you"])
            if columns >= 20:
                await tty.wait_for_text("✓ hello you")
                await room.send("good day")
                await tty.wait_for_text("good day")
        tty.write_keys("/quit\r")
        assert await tty.wait_closed() == 0
        assert_restored(tty)


async def test_the_last_of_two_quick_resizes_determines_the_layout(server: RunningServer, tmp_path: Path) -> None:
    command = (sys.executable, "-c", RESIZE_DURING_RESIZE, server.url, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path / "home") as tty:
        await wait_until(lambda: "Enter send" in tty.screen.display[23])
        tty.resize(60, 20)
        tty.screen.resize(24, 80)
        for text in ("a", "ab", "abc"):  # the resizes take effect during the first echoes
            tty.write_keys(text[-1])
            await wait_until(lambda text=text: any(row.rstrip().endswith(text) for row in tty.screen.display[18:]))
        await wait_until(lambda: "abc" in tty.screen.display[22])


async def test_the_latest_message_is_displayed_after_resizes_during_a_flood(
    server: RunningServer, tmp_path: Path
) -> None:
    async with terminal(join_command(server), tmp_path / "home") as tty:
        await tty.wait_for_text("1 here")
        flooding = asyncio.create_task(send_flood(server, 300, "the last line"))
        sizes = [(1, 1), (200, 60), (20, 5), (79, 24), (300, 2), (40, 100), (5, 40), (132, 43)]
        resize_count = 0
        while not flooding.done():
            tty.resize(*sizes[resize_count % len(sizes)])
            resize_count += 1
            await asyncio.sleep(0.02)
        await flooding
        tty.resize(90, 25)
        await tty.wait_for_text("the last line")
        tty.write_keys("still here\r")
        await tty.wait_for_text("✓ still here")
        assert max(len(row) for row in tty.screen_text().splitlines()) <= 90
        tty.write_keys("/quit\r")
        assert await tty.wait_closed() == 0
        assert_restored(tty)


async def test_a_flood_over_a_slow_line_does_not_delay_typing(server: RunningServer, tmp_path: Path) -> None:
    async with terminal(join_command(server), tmp_path / "home") as tty:
        await tty.wait_for_text("1 here")
        tty.throttle(20_000)
        flooding = asyncio.create_task(send_flood(server, 400, "the last line"))
        await tty.wait_for_text("flood ")
        tty.write_keys("hello over there\r")
        async with ChatClient(server.url) as carol:
            room = await carol.join("tea", nick="carol")
            await wait_until(lambda: any(message.message == "hello over there" for message in room.log.messages()))
        await flooding
        bytes_before = len(tty.written)
        await tty.wait_for_text("the last line")
        # Superseded frames are skipped, so the slow line catches up within a few screens.
        assert len(tty.written) - bytes_before < 60_000
        tty.write_keys("/quit\r")
        assert await tty.wait_closed() == 0
        tty.throttle(None)
        assert_restored(tty)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no job control")
async def test_the_client_suspends_and_resumes(server: RunningServer, tmp_path: Path) -> None:
    async with terminal(join_command(server), tmp_path / "home") as tty:
        await tty.wait_for_text("1 here")
        tty.write_keys("half a sen")
        await tty.wait_for_text("half a sen")
        active_settings = tty.termios_settings()
        for suspend in (lambda: tty.write_keys("\x1a"), lambda: tty.send_signal(signal.SIGTSTP)):
            suspend()
            stat = Path(f"/proc/{tty.process.pid}/stat")
            await wait_until(lambda stat=stat: stat.read_text().rpartition(")")[2].split()[0] == "T")
            await wait_until(lambda: tty.private_modes() & MODES_OFF_AT_EXIT == set())
            assert_restored(tty)
            tty.reset_screen()
            tty.send_signal(signal.SIGCONT)
            await tty.wait_for_text("half a sen")
            await wait_until(lambda: tty.termios_settings() == active_settings)
            assert ALTERNATE_SCREEN_MODE in tty.private_modes()
        tty.write_keys("tence\r")
        await tty.wait_for_text("✓ half a sentence")
        tty.write_keys("/quit\r")
        assert await tty.wait_closed() == 0
        assert_restored(tty)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_during_a_flood_restores_the_terminal(
    server: RunningServer, tmp_path: Path, signal_number: signal.Signals
) -> None:
    async with terminal(join_command(server), tmp_path / "home") as tty:
        await tty.wait_for_text("1 here")
        flood = asyncio.create_task(send_flood(server, 5_000, "the last line"))
        await tty.wait_for_text("flood ")
        assert not flood.done(), "the flood ended before the signal"
        tty.send_signal(signal_number)
        assert await tty.wait_closed() == 128 + signal_number
        flood.cancel()
        await asyncio.wait({flood})
        assert_restored(tty)
