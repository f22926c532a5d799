"""Standard streams and exit codes of `chat-tui` and `chat-server`.

- Closed streams: each one becomes the null device, so that no other file receives its descriptor.
- Encoding: output escapes characters that the encoding of the stream lacks; undecodable input is replaced.
- Write errors of standard output: `OutputError`, reported in one line, except for a pipe without a reader.
- Write errors of standard error: ignored.
"""

import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, TextIO

EXIT_INTERNAL_ERROR = 1
"""Exit code for an unexpected exception, which is in the log."""

EXIT_USAGE_ERROR = 2
"""Exit code for errors that the user or operator can correct."""

EXIT_UNAVAILABLE = 69
"""Exit code for a server that cannot be reached (EX_UNAVAILABLE in sysexits.h)."""

EXIT_IO_ERROR = 74
"""Exit code for a failed read or write of a standard stream (EX_IOERR in sysexits.h)."""

EXIT_INTERRUPTED = 128 + 2
"""Exit code after SIGINT, as a shell exit status."""

EXIT_PIPE_CLOSED = 128 + 13
"""Exit code for a closed output pipe: SIGPIPE as a shell exit status."""


class OutputError(Exception):
    """Failed write to standard output.

    Attributes:
        reason: Error message of the operating system, "" for a closed pipe.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.reason = "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)


def run_program(program: Callable[[], int], report_output_error: Callable[[str], None]) -> NoReturn:
    """Run a program with usable standard streams, then exit the process.

    The exit code is that of the program, `EXIT_IO_ERROR` or `EXIT_PIPE_CLOSED` after an `OutputError`, and
    `EXIT_INTERRUPTED` after a `KeyboardInterrupt`. Both exceptions discard unwritten output; others propagate.

    Args:
        program: Function that returns the exit code, or exits with `sys.exit`.
        report_output_error: Function that prints the reason of an `OutputError` to standard error; not called for a
            closed pipe.
    """
    _prepare_streams()
    try:
        try:
            exit_code = program()
        except SystemExit as stop:
            exit_code = stop.code
        write_output("", end="")
    except OutputError as error:
        _discard_buffer(sys.stdout)
        if error.reason:
            report_output_error(error.reason)
        exit_code = EXIT_IO_ERROR if error.reason else EXIT_PIPE_CLOSED
    except KeyboardInterrupt:
        _discard_buffer(sys.stdout)
        exit_code = EXIT_INTERRUPTED
    try:
        sys.stderr.flush()
    except OSError:
        _discard_buffer(sys.stderr)
    sys.exit(exit_code)


def write_output(text: str, *, end: str = "\n") -> None:
    """Write a text and all buffered output to standard output; raise `OutputError` for a failure."""
    try:
        print(text, end=end, flush=True)
    except OSError as error:
        raise OutputError(error) from None


def write_json(line: bytes) -> None:
    """Write JSON and a line break.

    If the encoding of standard output lacks a character, all characters outside ASCII become `\\u` escapes. Raises as
    `write_output`.
    """
    text = line.decode()
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text))
    write_output(text)


def write_error(line: str) -> None:
    """Write a line to standard error, or discard the line if the stream rejects it."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _prepare_streams() -> None:
    """Open closed standard streams on the null device, and replace or escape characters outside of their encoding."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # receives the lowest free descriptor
            os.set_inheritable(descriptor, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, closefd=False))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")


def _discard_buffer(stream: TextIO) -> None:
    """Redirect a stream to the null device, because the interpreter flushes the buffer at its exit."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, stream.fileno())
    os.close(null_device)
