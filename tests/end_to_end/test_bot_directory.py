"""Bot of a user in a directory with modules named like packages of the project."""

import asyncio
import sys
from pathlib import Path

from tests.support.environment import program_environment
from tests.support.server_process import server_process

BOT = """
import asyncio, sys
from tui_chat.sdk import ChatClient

async def main():
    async with ChatClient(sys.argv[1]) as chat:
        room = await chat.join("tea", nick="bot")
        print((await room.send("hello")).seq)

asyncio.run(main())
"""


async def test_a_bot_runs_beside_modules_with_names_of_project_packages(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "bot.py").write_text(BOT)
    for name in ("server.py", "protocol.py", "client.py", "logging_config.py"):
        (project / name).write_text("raise SystemExit('module of the user')")
    async with server_process(tmp_path) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "bot.py", server.url),
            cwd=project,
            env=program_environment(tmp_path),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, output, errors) == (0, b"1\n", b"")
