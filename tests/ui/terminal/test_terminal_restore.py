"""Terminal modes and exit codes after signals, internal errors and a lost terminal."""

import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

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
from tui_chat.session.i18n import tr
from tui_chat.session.strings import app as app_strings

FAILING_JOIN = """
import sys
from tui_chat.ui.screens.join import JoinScreen

def fail(self):
    secret = "private message"
    raise ValueError("injected")

JoinScreen.submit = JoinScreen._validate = fail
from tui_chat.cli import main
main()
"""

FAILING_LINK = """
import sys
from tui_chat.session.server_link import ServerLink

async def fail(self):
    raise ValueError("injected")

ServerLink.run = fail
from tui_chat.cli import main
main()
"""

FAILING_INPUT = """
from tui_chat.ui.terminal.input_framer import InputFramer

def fail(self, data, now):
    raise ValueError("injected")

InputFramer.feed = fail
from tui_chat.cli import main
main()
"""

FAILING_THREAD_AND_TASK = """
import asyncio, threading
from tui_chat.ui.screens.join import JoinScreen

def fail_in_thread():
    raise ValueError("injected into a thread")

async def fail_in_task():
    raise ValueError("injected into a task")

validate = JoinScreen._validate

def fail(self):
    threading.Thread(target=fail_in_thread).start()
    asyncio.create_task(fail_in_task())
    return validate(self)

JoinScreen._validate = fail
from tui_chat.cli import main
main()
"""


@asynccontextmanager
async def failing_program(source: str, directory: Path, *args: str) -> AsyncGenerator[PtyTerminal]:
    """Run a script that starts `chat-tui` with an injected fault."""
    script = directory / "failing.py"
    script.write_text(source)
    command = (sys.executable, str(script), *args)
    async with terminal(command, directory, environ={"PYTHONPATH": str(Path.cwd())}) as tty:
        yield tty


def assert_restored(tty: PtyTerminal) -> None:
    """Assert that the cursor is visible, and all modes and the keyboard protocol of the program are off."""
    modes = tty.private_modes()
    assert CURSOR_VISIBLE_MODE in modes, "the cursor is hidden"
    still_set = modes & {ALTERNATE_SCREEN_MODE, *MOUSE_MODES, BRACKETED_PASTE_MODE, FOCUS_REPORTING_MODE}
    assert not still_set, f"modes {still_set} are still set"
    keyboard_on, keyboard_off = (tty.written.rfind(sequence) for sequence in (b"\x1b[>", b"\x1b[<u"))
    assert keyboard_on <= keyboard_off, "the Kitty keyboard protocol is on"


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_restores_the_terminal_and_determines_the_exit_status(
    tmp_path: Path, signal_number: signal.Signals
) -> None:
    async with terminal(CHAT_TUI, tmp_path) as tty:
        await tty.wait_for_text(tr(app_strings.JOIN_HINT))
        tty.send_signal(signal_number)
        assert await tty.wait_closed() == 128 + signal_number
        assert_restored(tty)


async def test_quit_restores_the_terminal_and_exits_with_status_zero(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, tmp_path / "home") as tty:
            await tty.wait_for_text("1 here")
            tty.write_keys("/quit\r")
            assert await tty.wait_closed() == 0
            assert_restored(tty)


async def test_an_unhandled_exception_is_logged_once_and_reported_without_a_traceback(tmp_path: Path) -> None:
    async with failing_program(FAILING_JOIN, tmp_path) as tty:
        await tty.wait_for_text(tr(app_strings.JOIN_HINT))
        tty.write_keys("\r\r")
        assert await tty.wait_closed() == 1
        assert_restored(tty)
        assert b"Traceback" not in tty.written
        assert b"private message" not in tty.written
        assert "chat-tui crashed" in tty.screen_text()
        (log,) = tmp_path.rglob("chat-tui.log")
        assert log.read_text().count("ValueError: injected") == 1


async def test_an_exception_in_a_background_task_is_reported_and_logged_once(tmp_path: Path) -> None:
    async with failing_program(FAILING_LINK, tmp_path, "--room", "tea", "--nick", "ann") as tty:
        await tty.wait_for_text("Internal error")
        tty.write_keys("\x11")
        assert await tty.wait_closed() == 1
        (log,) = tmp_path.rglob("chat-tui.log")
        assert log.read_text().count("ValueError: injected") == 1


async def test_an_error_of_the_input_thread_is_reported_and_logged_once(tmp_path: Path) -> None:
    log = tmp_path / "chat.log"
    async with failing_program(FAILING_INPUT, tmp_path, "--log", str(log)) as tty:
        await tty.wait_for_text(tr(app_strings.JOIN_HINT))
        tty.write_keys("a")
        assert await tty.wait_closed() == 1
        assert_restored(tty)
        assert "chat-tui crashed" in tty.screen_text()
        assert log.read_text().count("ValueError: injected") == 1


async def test_unhandled_errors_of_threads_and_tasks_are_reported_and_logged_once_each(tmp_path: Path) -> None:
    log = tmp_path / "chat.log"
    async with failing_program(FAILING_THREAD_AND_TASK, tmp_path, "--log", str(log)) as tty:
        await tty.wait_for_text(tr(app_strings.JOIN_HINT))
        tty.write_keys("\r\r")
        await tty.wait_for_text("Internal error")
        tty.write_keys("\x11")
        assert await tty.wait_closed() == 1
        assert log.read_text().count("ValueError: injected into a thread") == 1
        assert log.read_text().count("ValueError: injected into a task") == 1


@pytest.mark.parametrize("is_controlling", [True, False], ids=["with SIGHUP", "without SIGHUP"])
async def test_closing_the_terminal_ends_the_program_with_the_status_of_sighup(
    tmp_path: Path, is_controlling: bool
) -> None:
    async with terminal(CHAT_TUI, tmp_path, is_controlling=is_controlling) as tty:
        await tty.wait_for_text(tr(app_strings.JOIN_HINT))
        tty.disconnect()
        assert await tty.wait_closed() == 128 + signal.SIGHUP
