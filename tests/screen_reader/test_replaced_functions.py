"""Screen-reader mode with replaced functions: a partial input at the exit, and internal errors."""

import sys
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.terminal import CHAT_TUI, terminal

READER = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "ann")
READY = "/quit exits."


def write_script(directory: Path, program: str) -> str:
    script = directory / "program.py"
    script.write_text(program)
    return str(script)


CLOSED_DURING_TYPING = """
import asyncio
from tui_chat.screen_reader.line_terminal import LineTerminal

async def complete(text):
    return ()

async def main():
    terminal = LineTerminal(print)
    reading = asyncio.create_task(terminal.read_line(complete))
    while terminal.current_input() != "half":
        await asyncio.sleep(0.01)
    terminal.write_line("Ben says: good night")
    terminal.close()

asyncio.run(main())
"""


async def test_a_line_received_during_typing_is_printed_at_exit(tmp_path: Path) -> None:
    async with terminal((sys.executable, write_script(tmp_path, CLOSED_DURING_TYPING)), tmp_path) as tui:
        tui.write_keys("half")
        assert await tui.wait_closed() == 0
        assert "half\nBen says: good night" in tui.screen_text()


FAILING_COMMAND = """
from tui_chat.session.commands import handlers

def fail(argument, context):
    raise ValueError("by design")

handlers.HANDLERS["shrug"] = fail
from tui_chat.cli import main
main()
"""

FAILING_LINK = """
import asyncio
from tui_chat.session.server_link import ServerLink

async def fail(self):
    await asyncio.sleep(0.5)
    raise ValueError("by design")

ServerLink._run = fail
from tui_chat.cli import main
main()
"""

FAILING_PROFILE = """
from tui_chat.session.store import profile

def fail(*arguments):
    raise ValueError("by design")

profile.load = fail
from tui_chat.cli import main
main()
"""


def log_text(home: Path) -> str:
    return next(home.rglob("chat-tui.log")).read_text()


async def test_a_failing_command_is_logged_and_the_session_continues(server: RunningServer, tmp_path: Path) -> None:
    script = write_script(tmp_path, FAILING_COMMAND)
    async with terminal((sys.executable, script, *READER[3:], server.url), tmp_path) as tui:
        await tui.wait_for_text(READY)
        tui.write_keys("/shrug\r")
        await tui.wait_for_text("Internal error. See the log for details.")
        tui.write_keys("/help\r")
        await tui.wait_for_text("/quit:")
        tui.write_keys("/quit\r")
        assert await tui.wait_closed() == 1
    assert "ValueError: by design" in log_text(tmp_path)


@pytest.mark.parametrize("program", [FAILING_LINK, FAILING_PROFILE])
async def test_a_failed_session_is_logged_and_exits_with_1(tmp_path: Path, program: str) -> None:
    script = write_script(tmp_path, program)
    async with terminal((sys.executable, script, *READER[3:], "127.0.0.1:1"), tmp_path) as tui:
        assert await tui.wait_closed() == 1
        assert "Internal error. See the log for details." in tui.screen_text()
        assert "Traceback" not in tui.screen_text()
    assert log_text(tmp_path).count("ValueError: by design") == 1
