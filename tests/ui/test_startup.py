"""Order of first paint, imports and local server, and the command line of `chat-tui` without a terminal."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.cli_command import run_command

FIRST_PAINT_SCRIPT = """
import asyncio, sys
from pathlib import Path
from tui_chat import cli
from tui_chat.session.store.profile import Profile
from tui_chat.ui.app import ChatApp
from tui_chat.session.start_options import StartOptions

async def main():
    app = ChatApp(StartOptions(Path(sys.argv[1]), Path(sys.argv[1]), serve=True), Profile(), "")
    display, painted, started = app._display, [], []

    def record_paint(*arguments):
        display(*arguments)
        painted.append(app.export_screenshot())

    app._display = record_paint
    app._lifecycle.start_local_server = lambda *_, **__: started.append((list(painted), sorted(sys.modules)))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("a")
    ((screens, modules),) = started
    assert any("Nickname" in screen for screen in screens)
    print("\\n".join(modules))

asyncio.run(main())
"""


async def test_the_first_paint_precedes_the_start_of_the_local_server_and_slow_imports(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FIRST_PAINT_SCRIPT, str(tmp_path)), stdout=asyncio.subprocess.PIPE, cwd=Path.cwd()
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    modules = out.decode().split()
    assert "tui_chat.ui.screens.join" in modules
    slow_modules = {"socketio", "engineio", "aiohttp", "sqlalchemy", "precis_i18n", "uvloop"}
    slow_modules |= {"tui_chat.protocol.names", "tui_chat.protocol.search_query"}  # large regular expressions
    slow_modules |= {"wcwidth", "tui_chat.session.strings.chat", "tui_chat.session.lines", "tui_chat.protocol.events"}
    assert not slow_modules & set(modules)
    server_modules = [name for name in modules if name.startswith("server.")]
    assert server_modules == []


@pytest.mark.parametrize(("flag", "expected"), [("--help", "usage: chat-tui"), ("--version", "chat-tui ")])
async def test_help_and_version_exit_with_status_zero(tmp_path: Path, flag: str, expected: str) -> None:
    status, output, _ = await run_command(tmp_path, flag)
    assert status == 0
    assert output.startswith(expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--frobnicate"], "unrecognized arguments"),
        (["--port", "9" * 5000, "--serve"], "the port must be"),
        (["--port", "3"], "--serve"),
        ([], "must be a terminal"),
        (["http://host", "--serve"], "does not take a URL"),
    ],
)
async def test_a_usage_error_is_one_line_with_status_two(tmp_path: Path, arguments: list[str], expected: str) -> None:
    status, output, errors = await run_command(tmp_path, *arguments)
    assert (status, output) == (2, "")
    assert expected in errors
    assert errors.count("\n") == 1
