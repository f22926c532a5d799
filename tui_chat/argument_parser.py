"""Parts of the command lines of `chat-tui` and `chat-server`.

- Output: help, version and completion raise `OutputError` for a failed write, which argparse would ignore.
"""

import argparse
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from tui_chat.standard_streams import write_output

SHELLS = ("bash", "zsh", "fish")
"""Shells with a completion script."""


class ProgramParser(argparse.ArgumentParser):
    """Base of the parsers of both programs."""

    @property
    def shell_command(self) -> str:
        """Shell command of this program (`shown_command`), followed by the subcommand of this parser."""
        program, *subcommand = self.prog.split()
        return " ".join((shown_command(program), *subcommand))

    def print_help(self, file: object = None) -> None:
        """Write the help to standard output; `file` is ignored."""
        write_output(self.format_help(), end="")


class CompletionAction(argparse.Action):
    """Action of `--completion`.

    Args:
        build_parser: Function that returns the parser with all completed arguments; file names complete an argument
            of the type `Path`.
    """

    def __init__(self, *args: Any, build_parser: Callable[[], argparse.ArgumentParser], **kwargs: Any) -> None:
        super().__init__(*args, choices=SHELLS, metavar="SHELL", **kwargs)
        self._build_parser = build_parser

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, *__: object) -> None:
        """Print the completion script of a shell, then exit with code 0."""
        import shtab  # noqa: PLC0415 (20 ms)

        completed = self._build_parser()
        for action in collect_actions(completed):
            if action.type is Path:
                cast(Any, action).complete = shtab.FILE
        write_output(shtab.complete(completed, shell))
        parser.exit()


class VersionAction(argparse.Action):
    """Action of `--version`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print program name and version of the installed distribution, then exit with code 0."""
        print_version(parser.prog)
        parser.exit()


def collect_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the actions of a parser and of its subcommands."""
    for action in parser._actions:
        yield action
        choices: Any = action.choices
        if isinstance(choices, dict):
            for subparser in cast("dict[str, argparse.ArgumentParser]", choices).values():
                yield from collect_actions(subparser)


def shown_command(program: str) -> str:
    """Return the shell command that starts a program of this installation, from any directory of this computer.

    The result is the name if the PATH leads to the script of this installation, otherwise the absolute path of the
    script. Without a script, the result is `PYTHON -m MODULE`. Paths are quoted for a POSIX shell.

    Args:
        program: `chat-tui` or `chat-server`.
    """
    on_path = shutil.which(program)
    script = shutil.which(program, path=sysconfig.get_path("scripts")) or shutil.which(sys.argv[0])
    if script is None or Path(script).stem != program:
        module = {"chat-tui": "tui_chat", "chat-server": "server"}[program]
        return f"{shlex.quote(sys.executable)} -m {module}"
    if on_path is not None and Path(on_path).samefile(script):
        return program
    return shlex.quote(str(Path(script).absolute()))


def print_version(program: str) -> None:
    """Print program name and version of the installed distribution, for example `chat-tui 1.2.0`."""
    from importlib.metadata import version  # noqa: PLC0415 (20 ms)

    write_output(f"{program} {version('tui-chat')}")
