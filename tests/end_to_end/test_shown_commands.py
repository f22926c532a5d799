"""Commands on the screen run as shown: installed on the PATH, in an environment, and as a module."""

import asyncio
import re
import subprocess
import sys
import sysconfig
from functools import partial
from pathlib import Path

import pytest

from tests.support.server_process import server_process
from tests.support.terminal import CHAT_TUI, terminal

SCRIPTS = sysconfig.get_path("scripts")


def shown_after(label: str, text: str) -> str:
    return text.split(label)[1].splitlines()[0].split(" · ")[0].strip()


@pytest.mark.parametrize(
    ("path", "expected"), [("/usr/bin:/bin", f"{SCRIPTS}/chat-tui"), (f"{SCRIPTS}:/usr/bin:/bin", "chat-tui")]
)
async def test_the_join_command_runs_as_shown(
    tmp_path: Path, path: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with server_process(tmp_path) as server:
        command = shown_after("terminal: ", server.ready_line)
    assert command == f"{expected} {server.url}"
    environment = {"PATH": path, "HOME": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f"{command} --version"), cwd=elsewhere, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert output.startswith(b"chat-tui ")
    arguments = ("--screen-reader", "--serve", "--port", "0", "--room", "tea", "--nick", "ann")
    async with terminal((*CHAT_TUI, *arguments), tmp_path, columns=200) as tui:
        await tui.wait_for_text("/quit exits.")
        assert shown_after("Others join with:\n", tui.screen_text()).startswith(f"{expected} http://127.0.0.1:")
        tui.write_keys("/quit\r")
        assert await tui.wait_closed() == 0


@pytest.mark.parametrize(
    ("command_line", "pattern"),
    [
        (("chat-tui", "--flavour"), "see (.*) --help"),
        (("chat-tui", "send", "--flavour"), "see (.*) --help"),
        (("chat-tui",), "`(.*)`"),
        (("chat-server", "--flavour"), "see (.*) --help"),
    ],
    ids=["client", "subcommand", "no terminal", "server"],
)
def test_commands_in_errors_run_as_shown(tmp_path: Path, command_line: tuple[str, ...], pattern: str) -> None:
    program, *arguments = command_line
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    run = partial(subprocess.run, env=environment, cwd=tmp_path, capture_output=True, text=True)
    failed = run((f"{SCRIPTS}/{program}", *arguments))
    assert failed.returncode == 2
    (command,) = re.findall(pattern, failed.stderr)
    completed = run(("sh", "-c", f"{command} --help"), check=True)
    assert completed.stdout.startswith("usage: ")


def test_an_installation_without_scripts_shows_the_module() -> None:
    program = (
        "import sysconfig; sysconfig.get_path = lambda name: '/nonexistent'\n"
        "from tui_chat.argument_parser import shown_command; print(shown_command('chat-tui'))"
    )
    result = subprocess.run(
        (sys.executable, "-c", program), env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=True
    )
    assert result.stdout == f"{sys.executable} -m tui_chat\n"
