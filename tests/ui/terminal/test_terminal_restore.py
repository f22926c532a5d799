import signal
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
from tui_chat.session.strings import chat as chat_strings

FAILING = """
import sys
from tui_chat.ui.screens.join import JoinScreen

def fail(self):
    secret = "what somebody wrote"
    raise ValueError("by design")

JoinScreen.submit = JoinScreen._checked = fail
from tui_chat.cli import main
main()
"""

FAILING_CONNECTION = """
import sys
from tui_chat.ui.server_link import Connection

async def fail(self):
    raise ValueError("by design")

Connection.run = fail
from tui_chat.cli import main
main()
"""


def assert_clean(shown: PtyTerminal) -> None:
    modes = shown.private_modes()
    assert CURSOR_VISIBLE_MODE in modes, "the cursor is hidden"
    left = modes & {ALTERNATE_SCREEN_MODE, *MOUSE_MODES, BRACKETED_PASTE_MODE, FOCUS_REPORTING_MODE}
    assert not left, f"modes {left} are left on"
    assert shown.written.count(b"\x1b[>") == 0 or shown.written.rfind(b"\x1b[<u") > shown.written.rfind(b"\x1b[>")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_leaves_the_terminal_clean(tmp_path: Path, number: signal.Signals) -> None:
    async with terminal(CHAT_TUI, tmp_path) as shown:
        await shown.wait_for_text(tr(chat_strings.JOIN_HINT))
        shown.send_signal(number)
        assert await shown.wait_closed() == 128 + number
        assert_clean(shown)


async def test_quitting_leaves_the_terminal_clean_and_is_no_error(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, tmp_path / "home") as shown:
            await shown.wait_for_text("1 here")
            shown.write_keys("/quit\r")
            assert await shown.wait_closed() == 0
            assert_clean(shown)


async def test_a_fault_of_the_program_is_one_sentence_on_a_clean_terminal_and_once_in_the_log(tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    async with terminal((CHAT_TUI[0], str(script)), tmp_path, environ={"PYTHONPATH": str(Path.cwd())}) as shown:
        await shown.wait_for_text(tr(chat_strings.JOIN_HINT))
        shown.write_keys("\r")
        assert await shown.wait_closed() == 1
        assert_clean(shown)
        assert b"Traceback" not in shown.written
        assert "chat-tui has failed" in shown.screen_text()
        (log,) = tmp_path.rglob("chat-tui.log")
        assert log.read_text().count("ValueError: by design") == 1


async def test_a_fault_in_the_background_is_said_and_logged_once(tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING_CONNECTION)
    command = (CHAT_TUI[0], str(script), "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path, environ={"PYTHONPATH": str(Path.cwd())}) as shown:
        await shown.wait_for_text("Something went wrong")
        shown.write_keys("\x11")
        assert await shown.wait_closed() == 0
        (log,) = tmp_path.rglob("chat-tui.log")
        assert log.read_text().count("ValueError: by design") == 1


@pytest.mark.parametrize("controlling", [True, False], ids=["with SIGHUP", "without SIGHUP"])
async def test_a_terminal_that_is_closed_ends_the_program(tmp_path: Path, controlling: bool) -> None:
    async with terminal(CHAT_TUI, tmp_path, is_controlling=controlling) as shown:
        await shown.wait_for_text(tr(chat_strings.JOIN_HINT))
        shown.hang_up()
        assert await shown.wait_closed() == 128 + signal.SIGHUP


async def test_its_own_server_stops_with_it_when_it_is_told_to_stop(tmp_path: Path) -> None:
    command = (*CHAT_TUI, "--serve", "--port", "0", "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path) as shown:
        await shown.wait_for_text("You run the server")
        shown.send_signal(signal.SIGTERM)
        assert await shown.wait_closed() == 128 + signal.SIGTERM
        assert_clean(shown)
    assert not [path for path in tmp_path.rglob("chat.db-wal") if path.stat().st_size]
