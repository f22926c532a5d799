"""Plain lines out, plain lines in: no cursor movement, no escape sequence, nothing drawn twice.

Rule 1  What comes while nothing is being typed is written at once; what comes while something is waits until
        Enter, or until nothing was typed for `PATIENCE` seconds, and then the typed part is written again under it.
Rule 2  The terminal is left as it was found, however the program ends.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import FileIO

try:
    import readline
except ImportError:  # some systems have none; then the terminal's own line editing is used
    readline = None

IDLE_FLUSH_SECONDS = 15.0
"""Seconds without a key after which what waits is written although a line is half typed."""

POLL_INTERVAL = 0.5


class LineTerminal:
    """Standard input and output as a conversation of lines."""

    def __init__(self) -> None:
        """Make it; `open` takes the terminal."""
        self._complete: Callable[[str], Sequence[str]] = lambda _: ()
        self._is_reading = False
        self._is_interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._pending: list[str] = []
        self._input_lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._read_requests = threading.Semaphore(0)
        self._last_input: tuple[str, float] = ("", 0.0)
        self._restore: Callable[[], None] = lambda: None
        self._candidates: Sequence[str] = ()

    def open(self, complete: Callable[[str], Sequence[str]]) -> None:
        """Begin to read, or go on with another completion.

        Args:
            complete: What the text before the caret may become, as whole texts.
        """
        self._complete = complete
        if self._is_reading:
            return
        self._is_reading = True
        if self._is_interactive:
            self._restore = _save_terminal_state()
            if readline is not None:
                readline.set_completer(self._complete_word)
                readline.set_completer_delims(" \n")
                readline.parse_and_bind("tab: complete")
                readline.parse_and_bind("set enable-bracketed-paste off")
        threading.Thread(target=self._read_loop, args=(asyncio.get_running_loop(),), daemon=True).start()

    def close(self) -> None:
        """Leave the terminal as it was found."""
        self._restore()

    def write_line(self, text: str) -> None:
        """Write a sentence, now or when the line that is being typed is done."""
        self._pending.append(text)
        if not self.current_input():
            self._flush()

    async def read_line(self) -> str | None:
        """The next line that was typed, None at the end of the input."""
        self._read_requests.release()
        while True:
            try:
                async with asyncio.timeout(POLL_INTERVAL):
                    line = await self._input_lines.get()
            except TimeoutError:
                self._flush_overdue()
                continue
            self._flush()
            return line

    def current_input(self) -> str:
        """What is being typed."""
        return readline.get_line_buffer() if readline is not None and self._is_interactive else ""

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        for text in pending:
            print(text, flush=True)

    def _flush_overdue(self) -> None:
        current, now = self.current_input(), time.monotonic()
        if current != self._last_input[0]:
            self._last_input = (current, now)
        if not self._pending:
            return
        if not current:
            self._flush()
        elif now - self._last_input[1] > IDLE_FLUSH_SECONDS:
            print()
            self._flush()
            print(current, end="", flush=True)
            self._last_input = (current, now)

    def _read_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        # Without a terminal, not through `sys.stdin`: its lock, held at the end of the program, would abort it.
        raw = FileIO(0, closefd=False)
        while True:
            self._read_requests.acquire()
            line: str | None
            try:
                line = input() if self._is_interactive else (raw.readline().decode(errors="replace") or None)
            except (EOFError, OSError, ValueError):
                line = None
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._input_lines.put_nowait, line)
            if line is None:
                return

    def _complete_word(self, word: str, index: int) -> str | None:
        if readline is None:
            return None
        begin, end = readline.get_begidx(), readline.get_endidx()
        if index == 0:
            self._candidates = [text[begin:] for text in self._complete(readline.get_line_buffer()[:end])]
        return self._candidates[index] if index < len(self._candidates) else None


def _save_terminal_state() -> Callable[[], None]:
    """What brings the terminal back into the state that it is in now."""
    try:
        import termios  # noqa: PLC0415 (not on every system)

        attributes = termios.tcgetattr(sys.stdin.fileno())
    except (ImportError, OSError):
        return lambda: None

    def restore() -> None:
        with suppress(OSError, termios.error):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, attributes)

    return restore
