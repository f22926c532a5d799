"""Contents of the wheel, and its installation in an empty environment."""

import asyncio
import os
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.support.raw_client import raw_client
from tests.support.requirements import require_uv

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run([require_uv(), "build", "--quiet", "--wheel", "--out-dir", str(directory), str(ROOT)], check=True)
    (wheel_file,) = directory.glob("*.whl")
    return wheel_file


def test_the_wheel_contains_all_tracked_files_and_no_other_packages(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "server", "tui_chat"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    packaged = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name and name[-1] != "/"}
    assert packaged >= {name for name in tracked if (ROOT / name).exists()}
    assert all(name.startswith(("server/", "tui_chat/")) for name in packaged)
    suffixes = {Path(name).suffix for name in packaged}
    assert {".tcss", ".html", ".css", ".js"} <= suffixes
    assert {"server/py.typed", "tui_chat/py.typed"} <= packaged


async def test_an_installed_wheel_prints_help_and_serves_page_and_messages(wheel: Path, tmp_path: Path) -> None:
    uv, environment, home = require_uv(), tmp_path / "env", tmp_path / "home"
    home.mkdir()
    run = partial(subprocess.run, check=True, capture_output=True, cwd=home)
    run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)])
    python = environment / "bin" / "python"
    run([uv, "pip", "install", "--quiet", "--python", str(python), str(wheel)])
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    env = {**inherited, "HOME": str(home)}
    help_result = run([str(environment / "bin" / "chat-tui"), "--help"], env=env)
    assert b"--room" in help_result.stdout
    server = await asyncio.create_subprocess_exec(
        environment / "bin" / "chat-server", "--port", "0", cwd=home, env=env, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        ready_line = (await asyncio.wait_for(server.stdout.readline(), 20)).decode()
        url = ready_line.split("listens on ")[1].split()[0]
        async with aiohttp.ClientSession() as session, session.get(url + "/") as response:
            assert response.status == 200
            assert "<html" in await response.text()
        async with raw_client(url) as ann:
            await ann.join("tea", "ann")
            assert (await ann.request("sendMessage", {"room": "tea", "message": "hi"}))["seq"] == 1
    finally:
        server.terminate()
        assert await server.wait() == 0
    shutil.rmtree(environment)
