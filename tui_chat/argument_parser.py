"""Parts of the command lines of `chat-tui` and `chat-server`.

- Output: help and version raise `OutputError` if standard output rejects them; argparse would ignore the error.
"""

import argparse

from tui_chat.standard_streams import write_output


class ProgramParser(argparse.ArgumentParser):
    """Base of the parsers of both programs."""

    def print_help(self, file: object = None) -> None:
        """Write the help to standard output.

        Raises:
            OutputError: Standard output cannot be written.
        """
        write_output(self.format_help(), end="")


class VersionAction(argparse.Action):
    """Action of `--version`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print program name and version of the installed distribution, then exit.

        Raises:
            OutputError: Standard output cannot be written.
        """
        print_version(parser.prog)
        parser.exit()


def print_version(program: str) -> None:
    """Print program name and version of the installed distribution.

    Raises:
        OutputError: Standard output cannot be written.
    """
    from importlib.metadata import version  # noqa: PLC0415 (20 ms)

    write_output(f"{program} {version('tui-chat')}")
