"""Contents of the wheel and its installation by pip, and installation as a tool of uv."""

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from functools import partial
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest

from tests.support.environment import program_environment
from tests.support.raw_client import raw_client
from tests.support.requirements import require_uv

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel of the working tree."""
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run([require_uv(), "build", "--quiet", "--wheel", "--out-dir", directory, ROOT], check=True)
    (built,) = directory.glob("*.whl")
    return built


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


@pytest.mark.timeout(240)  # requests to the package index
def test_pip_installs_the_programs_of_the_wheel(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([require_uv(), "venv", "--quiet", "--seed", "--python", sys.executable, environment], check=True)
    env = program_environment(tmp_path)
    run = partial(subprocess.run, cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    (packages,) = environment.glob("lib/*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))  # pip verifies them without an index
    run([environment / "bin/python", "-m", "pip", "install", "--no-index", "--no-compile", wheel])
    assert (packages / "tui_chat/cli.py").is_file()
    for program in ("chat-tui", "chat-server"):
        assert run([environment / "bin" / program, "--version"]).stdout == f"{program} {version('tui-chat')}\n"
    shutil.rmtree(environment)


async def test_programs_of_a_uv_tool_print_help_and_serve_page_and_messages(tmp_path: Path) -> None:
    tools, programs, env = tmp_path / "tools", tmp_path / "bin", program_environment(tmp_path)
    run = partial(subprocess.run, check=True, capture_output=True)
    options = {"UV_TOOL_DIR": str(tools), "UV_TOOL_BIN_DIR": str(programs), "UV_PYTHON": sys.executable}
    run([require_uv(), "tool", "install", "."], cwd=ROOT, env={**os.environ, **options, "UV_LINK_MODE": "symlink"})
    help_result = run([programs / "chat-tui", "--help"], cwd=tmp_path, env=env)
    assert b"--room" in help_result.stdout
    server = await asyncio.create_subprocess_exec(
        programs / "chat-server", "--port", "0", cwd=tmp_path, env=env, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        ready_line = (await server.stdout.readline()).decode()
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
    shutil.rmtree(tools)
