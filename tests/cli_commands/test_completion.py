"""Version and shell completion of `chat-tui` and `chat-server`."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest


def run(module: str, *arguments: str) -> str:
    result = subprocess.run((sys.executable, "-m", module, *arguments), capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return result.stdout


@pytest.mark.parametrize(
    ("module", "argument"),
    [("tui_chat", "-V"), ("tui_chat", "--version"), ("tui_chat", "version"), ("server", "-V"), ("server", "--version")],
)
def test_version_prints_program_and_number(module: str, argument: str) -> None:
    program = {"tui_chat": "chat-tui", "server": "chat-server"}[module]
    assert run(module, argument) == f"{program} {version('tui-chat')}\n"


REPOSITORY = Path(__file__).parents[2]

BASH_COMPLETION = """
source /dev/stdin
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
_shtab_FUNCTION
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("chat-tui", ""), {"send", "tail", "who", "version"}),
        (("chat-tui", "--scr"), {"--screen-reader"}),
        (("chat-tui", "send", "--li"), {"--lines"}),
        (("chat-tui", "tail", "--no"), {"--no-follow"}),
        (("chat-tui", "--settings", "pyproj"), {"pyproject.toml"}),
        (("chat-server", "s"), {"status", "stop"}),
        (("chat-server", "--tls"), {"--tls-cert", "--tls-key"}),
        (("chat-server", "--completion", ""), {"bash", "zsh", "fish"}),
    ],
)
def test_bash_completes_commands_options_and_files(words: tuple[str, ...], expected: set[str]) -> None:
    module = {"chat-tui": "tui_chat", "chat-server": "server"}[words[0]]
    script = BASH_COMPLETION.replace("FUNCTION", words[0].replace("-", "_"))
    result = subprocess.run(
        ("bash", "-c", script, "bash", *words),
        input=run(module, "--completion", "bash"),
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert set(result.stdout.split()) == expected, result.stderr


@pytest.mark.parametrize("module", ["tui_chat", "server"])
def test_zsh_and_fish_have_completion_scripts(module: str) -> None:
    assert run(module, "--completion", "zsh").startswith("#compdef chat-")
    assert "complete -c chat-" in run(module, "--completion", "fish")
