import asyncio
import sys
from pathlib import Path

import pytest

PAINTED = """
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


async def test_the_first_screen_is_painted_before_anything_of_the_network_is_imported(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PAINTED, str(tmp_path)), stdout=asyncio.subprocess.PIPE, cwd=Path.cwd()
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    modules = out.decode().split()
    assert "tui_chat.ui.screens.join" in modules
    forbidden = {"socketio", "engineio", "aiohttp", "sqlalchemy", "cyclopts", "precis_i18n", "uvloop"}
    assert not forbidden & set(modules)
    beyond = [name for name in modules if name.startswith("server.")]
    assert beyond == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "usage: chat-tui"),
        (["--version"], 0, "chat-tui "),
        (["--frobnicate"], 2, "unrecognized arguments"),
        (["--port", "x", "--serve"], 2, "a port is a number"),
        (["--port", "3"], 2, "--serve"),
        ([], 2, "this needs a terminal"),
        (["http://host", "--serve"], 2, "leave the URL out"),
    ],
)
async def test_the_command_line_answers_in_one_line(arguments: list[str], code: int, said: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_chat", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == code
    assert said in out.decode()
    assert code == 0 or out.count(b"\n") == 1
