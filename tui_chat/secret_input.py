"""Input of a secret without echo."""

import getpass
import sys
import warnings
from contextlib import suppress
from io import FileIO

from tui_chat.standard_streams import write_output


def read_secret(prompt: str) -> str:
    """Write a prompt, and return the next line of standard input without its line break.

    A terminal shows the prompt but not the input, and the input enters no history. With other input, the prompt goes to
    standard output, the line keeps its surrounding space, and undecodable bytes are replaced.

    Raises:
        EOFError: The input has ended or cannot be read, or the terminal cannot hide the input.
        OutputError: Standard output cannot be written.
    """
    if not sys.stdin.isatty():
        write_output(prompt, end="")
        line = b""
        with suppress(OSError):
            line = FileIO(0, closefd=False).readline()  # `sys.stdin` would read ahead
        if not line:
            raise EOFError
        return line.decode(sys.stdin.encoding, errors="replace").rstrip("\r\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, UnicodeDecodeError, OSError):
            raise EOFError from None
