"""Start and end of both programs without features that Windows or macOS lack."""

import signal
import sys
from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.server_process import server_process
from tests.support.terminal import terminal
from tui_chat.session.i18n import tr
from tui_chat.session.strings import app as app_strings

WITHOUT_SIGNAL_HANDLERS = """
import asyncio.unix_events, sys

def fail(self, *args):
    raise NotImplementedError

sys.modules["uvloop"] = None
asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler = fail
"""
WITHOUT_FLAGS = """
import os
del os.O_CLOEXEC, os.O_NONBLOCK
"""
WITHOUT_LIMITS = """
import resource

def refuse(name, limits):
    raise ValueError("current limit exceeds maximum limit")

resource.setrlimit = refuse
"""
MACOS_LIMITS = """
import resource
resource.getrlimit = lambda name: (256, resource.RLIM_INFINITY)

def refuse_infinity(name, limits):
    if limits[0] == resource.RLIM_INFINITY:
        raise OSError(22, "Invalid argument")
    print("open files:", limits[0])

resource.setrlimit = refuse_infinity
"""
SERVER = "\nfrom server.cli import main\nmain()"
CLIENT = "\nfrom tui_chat.cli import main\nmain()"


@pytest.mark.parametrize(
    ("signal_number", "missing"),
    [
        (signal.SIGTERM, WITHOUT_SIGNAL_HANDLERS),
        (signal.SIGTERM, WITHOUT_FLAGS + WITHOUT_LIMITS),
        (signal.SIGINT, WITHOUT_SIGNAL_HANDLERS + WITHOUT_FLAGS + WITHOUT_LIMITS),
    ],
    ids=["signal handlers", "flags and limits", "all"],
)
async def test_the_server_starts_and_stops_without_system_features(
    tmp_path: Path, signal_number: signal.Signals, missing: str
) -> None:
    flags = ("--database", str(tmp_path / "chat.db"), "--log-file", str(tmp_path / "log"))
    async with server_process(tmp_path, *flags, program=("-c", missing + SERVER)) as server:
        server.send_signal(signal_number)
        assert await server.wait_closed() == (0, "")
    log = (tmp_path / "log").read_text()
    assert log.endswith("server stopped\n")
    assert ("refuses a higher limit of open files" in log) == (WITHOUT_LIMITS in missing)


async def test_the_server_uses_the_highest_limit_that_macos_accepts(tmp_path: Path) -> None:
    program = ("-c", "import sys; sys.stdout = sys.stderr\n" + MACOS_LIMITS + SERVER)
    async with server_process(tmp_path, program=program) as server:
        server.send_signal(signal.SIGTERM)
        code, output = await server.wait_closed()
    assert code == 0
    assert "open files: 10240" in output


@pytest.mark.parametrize("mode", ["", "--screen-reader"])
async def test_the_client_starts_and_ends_without_signal_handlers_and_flags(tmp_path: Path, mode: str) -> None:
    program = WITHOUT_SIGNAL_HANDLERS + WITHOUT_FLAGS + CLIENT
    async with running_server(tmp_path) as server:
        arguments = (mode, "--room", "tea", "--nick", "ann", server.url) if mode else ()
        async with terminal((sys.executable, "-c", program, *arguments), tmp_path) as tui:
            await tui.wait_for_text("/quit exits." if mode else tr(app_strings.JOIN_HINT))
            tui.send_signal(signal.SIGTERM)
            assert await tui.wait_closed() == 128 + signal.SIGTERM
    assert "Traceback" not in tui.screen_text()
