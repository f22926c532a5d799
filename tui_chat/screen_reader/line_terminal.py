"""Line-based terminal input and output without cursor movement, escape sequences or redrawing.

- Output: lines are written immediately while the input line is empty. Otherwise the lines are queued until the input
  line is empty again or `IDLE_FLUSH_SECONDS` pass without a key. In the second case, the partial input is printed again
  below the lines.
- Completion: runs in the event loop while the input thread waits, for `COMPLETION_TIMEOUT` seconds at most.
- Blocked output: a thread writes, so that the event loop runs while a pipe or terminal does not accept output.
- Restore: `close` resets the terminal attributes that the constructor saved.
"""

import asyncio
import codecs
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from io import FileIO
from typing import Any

from tui_chat.input_thread import read_in_thread
from tui_chat.screen_reader.output_thread import OutputThread
from tui_chat.secret_input import read_secret
from tui_chat.standard_streams import OutputError, write_output

try:
    import readline
except ImportError:  # not available on every platform; the terminal's own line editing remains
    readline = None
try:
    import termios
except ImportError:  # not available on Windows
    termios = None

log = logging.getLogger("chat.screen_reader")

IDLE_FLUSH_SECONDS = 15.0
"""Idle time in seconds after which queued output is written despite a partial input line."""

POLL_INTERVAL = 0.5
"""Interval of the idle checks, in seconds."""

COMPLETION_TIMEOUT = 5.0
"""Time limit of a completion in seconds, for a slow server."""

CompletionFunction = Callable[[str], Coroutine[Any, Any, Sequence[str]]]


class LineTerminal:
    """Standard input and output as an asynchronous line interface of the running event loop.

    Args:
        on_output_error: Called by a thread for the first failed write; this line and all later ones are lost.
    """

    def __init__(self, on_output_error: Callable[[OutputError], None]) -> None:
        self._output = OutputThread(on_output_error)
        self._loop = asyncio.get_running_loop()
        self._complete: CompletionFunction | None = None
        self._candidates: Sequence[str] = ()
        self._pending: list[str] = []
        self._reading: asyncio.Future[str] | None = None
        self._last_input: tuple[str, float] = ("", 0.0)
        self._is_interactive = is_interactive()
        self._restore = _save_terminal_state() if self._is_interactive else lambda: None
        if self._is_interactive and readline is not None:
            readline.set_completer(self._complete_word)
            readline.set_completer_delims(" \n")
            is_libedit = "libedit" in (readline.__doc__ or "")  # the usual readline of macOS, with other commands
            readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
            readline.parse_and_bind("set enable-bracketed-paste off")

    def close(self) -> None:
        """Write all output for at most `CLOSE_TIMEOUT`, and restore the terminal attributes, even after an error.

        Raises:
            OutputError: A write has failed.
        """
        if self._pending:
            self._output.write("\n")
            self._flush()
        try:
            self._output.close()
        finally:
            self._restore()

    def write_line(self, text: str) -> None:
        """Write a line now if the input line is empty, otherwise queue the line.

        `read_line`, `prompt` and `close` write the queued lines.
        """
        self._pending.append(text)
        if not self.current_input():
            self._flush()

    def write_immediately(self, text: str) -> None:
        """Write a line below the partial input line, before queued lines."""
        self._output.write(f"\n{text}\n")

    async def read_line(self, complete: CompletionFunction) -> str | None:
        """Return the next input line without its line break, or None at the end of the input.

        Unreadable input counts as the end, and an exception other than `OSError` is logged. Queued output is written
        before the return. After a cancellation, the next call continues the read.

        Args:
            complete: Coroutine function from the text before the cursor to all complete replacements of that text.
                Called on Tab, if the input is a terminal and readline is available.
        """
        self._complete = complete
        reading = self._reading = self._reading or asyncio.ensure_future(read_in_thread(read_input))
        while not (await asyncio.wait({reading}, timeout=POLL_INTERVAL))[0]:
            self._flush_overdue()
        self._reading = None
        self._flush()
        try:
            return reading.result()
        except EOFError:
            return None
        except Exception:
            log.exception("input closed: terminal cannot be read")
            return None

    async def prompt(self, text: str, *, is_secret: bool) -> str:
        """Write queued output and a prompt, and return the next line, hidden on a terminal if secret.

        Call only between calls of `read_line`. Completion is off.

        Raises:
            EOFError: The input has ended or cannot be read, or a secret cannot be hidden.
            OutputError: The prompt cannot be written.
        """
        self._complete = None
        self._flush()
        return await read_in_thread(partial(read_secret if is_secret else read_input, text))

    def current_input(self) -> str:
        """Return the typed part of the input line, "" without readline or a terminal."""
        return readline.get_line_buffer() if readline is not None and self._is_interactive else ""

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        for text in pending:
            self._output.write(f"{text}\n")

    def _flush_overdue(self) -> None:
        """Write the queued lines if the input line is empty, or has been unchanged for `IDLE_FLUSH_SECONDS`."""
        current, now = self.current_input(), time.monotonic()
        if current != self._last_input[0]:
            self._last_input = (current, now)
        if not self._pending:
            return
        if not current:
            self._flush()
        elif now - self._last_input[1] > IDLE_FLUSH_SECONDS:
            self._output.write("\n")
            self._flush()
            self._output.write(current)
            self._last_input = (current, now)

    def _complete_word(self, word: str, index: int) -> str | None:
        """Return the completion with an index, None after the last one; called by readline in the input thread.

        Index 0 computes the completions of the text before the cursor.
        """
        if readline is None or self._complete is None:
            return None
        if index == 0:
            begin, text = readline.get_begidx(), readline.get_line_buffer()[: readline.get_endidx()]
            completions = _run_completion(self._loop, self._complete, text)
            self._candidates = [completion[begin:] for completion in completions]
        return self._candidates[index] if index < len(self._candidates) else None


def _run_completion(loop: asyncio.AbstractEventLoop, complete: CompletionFunction, text: str) -> Sequence[str]:
    """Run a completion in the event loop from another thread, and return its result.

    The result is empty after an exception, which is logged, after `COMPLETION_TIMEOUT`, which cancels the completion,
    and for a closed event loop.
    """
    coroutine = complete(text)
    try:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError:  # the event loop is closed
        coroutine.close()
        return ()
    try:
        return future.result(COMPLETION_TIMEOUT)
    except (TimeoutError, CancelledError):
        future.cancel()
    except Exception:
        log.exception("completion failed")
    return ()


def is_interactive() -> bool:
    """Return whether standard input and standard output are both a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def read_input(prompt: str = "") -> str:
    """Write a prompt, and return the next line of standard input without its line break.

    Undecodable bytes are replaced, and a byte order mark of input other than a terminal is removed.

    Raises:
        EOFError: The input has ended or cannot be read.
        OutputError: The prompt cannot be written.
    """
    data = b""
    with suppress(OSError):
        if is_interactive():
            return input(prompt)
        write_output(prompt, end="")
        # `sys.stdin` would read ahead, and a daemon thread that holds its lock at interpreter exit aborts the process.
        data = FileIO(0, closefd=False).readline()
    if not data:
        raise EOFError
    return data.removeprefix(codecs.BOM_UTF8).decode(sys.stdin.encoding, errors="replace").rstrip("\r\n")


def _save_terminal_state() -> Callable[[], None]:
    """Return a function that restores the current terminal attributes, without effect if they cannot be read."""
    if termios is None:
        return lambda: None
    terminal_errors = (OSError, termios.error)
    try:
        descriptor = sys.stdin.fileno()
        attributes = termios.tcgetattr(descriptor)
    except terminal_errors:
        return lambda: None
    set_attributes = partial(termios.tcsetattr, descriptor, termios.TCSADRAIN, attributes)

    def restore() -> None:
        with suppress(*terminal_errors):
            set_attributes()

    return restore
