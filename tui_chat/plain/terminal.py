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

PATIENCE = 15.0
"""Seconds without a key after which what waits is written although a line is half typed."""

CHECKED_EVERY = 0.5


class PlainTerminal:
    """Standard input and output as a conversation of lines."""

    def __init__(self) -> None:
        """Make it; `open` takes the terminal."""
        self._complete: Callable[[str], Sequence[str]] = lambda _: ()
        self._reading = False
        self._interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._waiting: list[str] = []
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)
        self._seen: tuple[str, float] = ("", 0.0)
        self._put_back: Callable[[], None] = lambda: None
        self._candidates: Sequence[str] = ()

    def open(self, complete: Callable[[str], Sequence[str]]) -> None:
        """Begin to read, or go on with another completion.

        Args:
            complete: What the text before the caret may become, as whole texts.
        """
        self._complete = complete
        if self._reading:
            return
        self._reading = True
        if self._interactive:
            self._put_back = _as_it_is()
            if readline is not None:
                readline.set_completer(self._completed)
                readline.set_completer_delims(" \n")
                readline.parse_and_bind("tab: complete")
                readline.parse_and_bind("set enable-bracketed-paste off")
        threading.Thread(target=self._read, args=(asyncio.get_running_loop(),), daemon=True).start()

    def close(self) -> None:
        """Leave the terminal as it was found."""
        self._put_back()

    def say(self, text: str) -> None:
        """Write a sentence, now or when the line that is being typed is done."""
        self._waiting.append(text)
        if not self.typed():
            self._write()

    async def line(self) -> str | None:
        """The next line that was typed, None at the end of the input."""
        self._wanted.release()
        while True:
            try:
                async with asyncio.timeout(CHECKED_EVERY):
                    line = await self._lines.get()
            except TimeoutError:
                self._write_what_waits_too_long()
                continue
            self._write()
            return line

    def typed(self) -> str:
        """What is being typed."""
        return readline.get_line_buffer() if readline is not None and self._interactive else ""

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        for text in waiting:
            print(text, flush=True)

    def _write_what_waits_too_long(self) -> None:
        typed, now = self.typed(), time.monotonic()
        if typed != self._seen[0]:
            self._seen = (typed, now)
        if not self._waiting:
            return
        if not typed:
            self._write()
        elif now - self._seen[1] > PATIENCE:
            print()
            self._write()
            print(typed, end="", flush=True)
            self._seen = (typed, now)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        # Without a terminal, not through `sys.stdin`: its lock, held at the end of the program, would abort it.
        raw = FileIO(0, closefd=False)
        while True:
            self._wanted.acquire()
            line: str | None
            try:
                line = input() if self._interactive else (raw.readline().decode(errors="replace") or None)
            except (EOFError, OSError, ValueError):
                line = None
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._lines.put_nowait, line)
            if line is None:
                return

    def _completed(self, word: str, at: int) -> str | None:
        if readline is None:
            return None
        begin, end = readline.get_begidx(), readline.get_endidx()
        if at == 0:
            self._candidates = [text[begin:] for text in self._complete(readline.get_line_buffer()[:end])]
        return self._candidates[at] if at < len(self._candidates) else None


def _as_it_is() -> Callable[[], None]:
    """What brings the terminal back into the state that it is in now."""
    try:
        import termios  # noqa: PLC0415 (not on every system)

        attributes = termios.tcgetattr(sys.stdin.fileno())
    except (ImportError, OSError):
        return lambda: None

    def put_back() -> None:
        with suppress(OSError, termios.error):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, attributes)

    return put_back
