import asyncio
import sys
from pathlib import Path

import pytest

FIRST_PAINT_SCRIPT = """
import asyncio, sys
from pathlib import Path
from tui_chat import cli
from tui_chat.session.store.profile import Profile
from tui_chat.ui.app import ChatApp
from tui_chat.ui.start_options import StartOptions

async def main():
    app = ChatApp(StartOptions(Path(sys.argv[1]), Path(sys.argv[1])), Profile(), "")
    painted = []
    app._after_first_paint = lambda: painted.append(sorted(sys.modules))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "Nickname" in app.export_screenshot()
        await pilot.press("a")
    print("\\n".join(painted[0]))

asyncio.run(main())
"""


async def test_the_first_paint_precedes_all_network_imports(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FIRST_PAINT_SCRIPT, str(tmp_path)), stdout=asyncio.subprocess.PIPE, cwd=Path.cwd()
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    modules = out.decode().split()
    assert "tui_chat.ui.screens.join" in modules
    forbidden = {"socketio", "engineio", "aiohttp", "sqlalchemy", "cyclopts", "precis_i18n", "uvloop"}
    assert not forbidden & set(modules)
    server_modules = [name for name in modules if name.startswith("server.")]
    assert server_modules == []


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--help"], 0, "usage: chat-tui"),
        (["--version"], 0, "chat-tui "),
        (["--frobnicate"], 2, "unrecognized arguments"),
        (["--port", "x", "--serve"], 2, "the port must be"),
        (["--port", "3"], 2, "--serve"),
        ([], 2, "must be a terminal"),
        (["http://host", "--serve"], 2, "does not take a URL"),
    ],
)
async def test_command_line_errors_are_one_line(arguments: list[str], code: int, expected: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_chat", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == code
    assert expected in out.decode()
    assert code == 0 or out.count(b"\n") == 1
