"""Version and shell completion of `chat-tui` and `chat-server`."""

import asyncio
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.wait import TIMEOUT


async def run(home: Path, module: str, *arguments: str) -> str:
    """Run a program, and return its output; fail unless it succeeds without an error message."""
    command = (sys.executable, "-m", module, *arguments)
    process = await start_program(command, program_environment(home), stdout=PIPE, stderr=PIPE)
    output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert (process.returncode, errors) == (0, b"")
    return output.decode()


@pytest.mark.parametrize(
    ("module", "argument"),
    [("tui_chat", "-V"), ("tui_chat", "--version"), ("tui_chat", "version"), ("server", "-V"), ("server", "--version")],
)
async def test_version_prints_program_and_number(tmp_path: Path, module: str, argument: str) -> None:
    program = {"tui_chat": "chat-tui", "server": "chat-server"}[module]
    assert await run(tmp_path, module, argument) == f"{program} {version('tui-chat')}\n"


REPOSITORY = Path(__file__).parents[2]

BASH_COMPLETION = """
source /dev/stdin
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
_shtab_FUNCTION
printf '%s\\n' "${COMPREPLY[@]}"
"""


COMPLETIONS: dict[str, dict[tuple[str, ...], set[str]]] = {
    "tui_chat": {
        ("chat-tui", ""): {"send", "tail", "who", "login", "logout", "version"},
        ("chat-tui", "login", "--acc"): {"--account"},
        ("chat-tui", "--scr"): {"--screen-reader"},
        ("chat-tui", "send", "--li"): {"--lines"},
        ("chat-tui", "tail", "--no"): {"--no-follow"},
        ("chat-tui", "--settings", "pyproj"): {"pyproject.toml"},
    },
    "server": {
        ("chat-server", "s"): {"status", "stop"},
        ("chat-server", "--tls"): {"--tls-cert", "--tls-key"},
        ("chat-server", "stop", "--"): {"--help", "--json", "--config", "--port", "--database"},
        ("chat-server", "stop", "--config", "pyproj"): {"pyproject.toml"},
        ("chat-server", "backup", "pyproj"): {"pyproject.toml"},
        ("chat-server", "account", "re"): {"resume"},
        ("chat-server", "account", "add", "ann", "--role", ""): {"user", "admin"},
        ("chat-server", "export", "tea", "--format", ""): {"json", "text"},
        ("chat-server", "--completion", ""): {"bash", "zsh", "fish"},
    },
}
"""Expected completions by program and command line."""


@pytest.mark.parametrize("module", COMPLETIONS)
async def test_bash_completes_commands_options_and_files(tmp_path: Path, module: str) -> None:
    completion_script = await run(tmp_path, module, "--completion", "bash")
    for words, expected in COMPLETIONS[module].items():
        script = BASH_COMPLETION.replace("FUNCTION", words[0].replace("-", "_"))
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-c", script, "bash", *words), stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=REPOSITORY
        )
        output, errors = await asyncio.wait_for(shell.communicate(completion_script.encode()), TIMEOUT)
        assert set(output.decode().split()) == expected, (words, errors)


@pytest.mark.parametrize("module", ["tui_chat", "server"])
async def test_zsh_and_fish_have_completion_scripts(tmp_path: Path, module: str) -> None:
    assert (await run(tmp_path, module, "--completion", "zsh")).startswith("#compdef chat-")
    assert "complete -c chat-" in await run(tmp_path, module, "--completion", "fish")
