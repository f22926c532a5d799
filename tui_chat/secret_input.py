"""Input of a secret without echo."""

import getpass
import sys
import warnings
from io import FileIO

from tui_chat.standard_streams import write_output


def read_secret(prompt: str) -> str:
    """Write a prompt, and return the next line of standard input without its line break.

    A terminal does not show the input, and the input enters no history. On other input, the line is read as it is.

    Raises:
        EOFError: The input has ended or cannot be read, or the terminal cannot hide the input.
        OutputError: The prompt cannot be written.
    """
    if not sys.stdin.isatty():
        write_output(prompt, end="")
        # `sys.stdin` would read ahead.
        line = FileIO(0, closefd=False).readline()
        if not line:
            raise EOFError
        return line.decode(sys.stdin.encoding, errors="replace").rstrip("\r\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, UnicodeDecodeError, OSError):
            raise EOFError from None
