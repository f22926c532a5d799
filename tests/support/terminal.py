"""Programs in a real pseudo-terminal, with pyte as the terminal emulator."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pyte

from tests.support.environment import program_environment
from tests.support.program import start_program
from tests.support.wait import TIMEOUT, wait_until

CHAT_TUI = (sys.executable, "-m", "tui_chat")

# DCS, SOS, PM and APC strings, which pyte would print.
_CONTROL_STRING = re.compile(rb"\x1b[PX^_](?:[^\x1b]|\x1b[^\\])*\x1b\\")
_INCOMPLETE_STRING = re.compile(rb"\x1b(?:[PX^_](?:[^\x1b]|\x1b[^\\])*\x1b?)?\Z")

CURSOR_VISIBLE_MODE = 25
ALTERNATE_SCREEN_MODE = 1049
MOUSE_MODES = (1000, 1002, 1003, 1006, 1015)
BRACKETED_PASTE_MODE = 2004
FOCUS_REPORTING_MODE = 1004


class PtyTerminal:
    """Pseudo-terminal with one program.

    Attributes:
        process: The program.
        screen: Emulated screen, cell by cell.
        written: All output bytes of the program.
        initial_settings: Result of `termios.tcgetattr` before the start of the program.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, master: int, columns: int, rows: int, initial_settings: list[object]
    ) -> None:
        self.process = process
        self.initial_settings = initial_settings
        self.screen = pyte.Screen(columns, rows)
        self.written = bytearray()
        self._incomplete = b""
        self._master = master
        self._stream = pyte.ByteStream(self.screen)
        self._open = True
        self._throttle_task: asyncio.Task[None] | None = None
        self._cached_text: str | None = None
        os.set_blocking(master, False)
        asyncio.get_running_loop().add_reader(master, self._read_available)

    def screen_text(self) -> str:
        """Return the screen as text, one line per row without trailing blanks."""
        if self._cached_text is None:
            columns = range(self.screen.columns)
            rows = (self.screen.buffer[row] for row in range(self.screen.lines))
            # The second cell of a wide character is empty.
            self._cached_text = "\n".join("".join([row[column].data for column in columns]).rstrip() for row in rows)
        return self._cached_text

    def reset_screen(self) -> None:
        """Clear the emulated screen, to detect a full redraw by the program."""
        self.screen.reset()
        self._cached_text = None

    def write_keys(self, text: str) -> None:
        """Write characters to the program, like key presses."""
        self.write_bytes(text.encode())

    def write_bytes(self, data: bytes) -> None:
        """Write raw bytes to the program in one call."""
        os.write(self._master, data)

    async def paste(self, text: str) -> None:
        """Write a bracketed paste at the speed of the reader."""
        pending = memoryview(f"\x1b[200~{text}\x1b[201~".encode())
        async with asyncio.timeout(TIMEOUT):
            while pending:
                try:
                    pending = pending[os.write(self._master, pending) :]
                except BlockingIOError:
                    await asyncio.sleep(0.002)

    def send_signal(self, signal_number: signal.Signals) -> None:
        """Send a signal to the program."""
        self.process.send_signal(signal_number)

    def disconnect(self) -> None:
        """Close the master side, like a closed terminal window or a lost connection."""
        self._stop_reading()
        os.close(self._master)
        self._master = -1

    def termios_settings(self) -> list[object]:
        """Return the result of `termios.tcgetattr`."""
        return list(termios.tcgetattr(self._master))

    def throttle(self, bytes_per_second: int | None) -> None:
        """Limit the read rate like a slow line; None removes the limit."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        if self._throttle_task is not None:
            self._throttle_task.cancel()
            self._throttle_task = None
        if bytes_per_second is None:
            loop.add_reader(self._master, self._read_available)
        else:
            self._throttle_task = asyncio.create_task(self._read_throttled(bytes_per_second))

    async def _read_throttled(self, bytes_per_second: int) -> None:
        while self._open:
            with suppress(BlockingIOError, OSError):
                self._feed(os.read(self._master, max(1, bytes_per_second // 50)))
            await asyncio.sleep(1 / 50)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal size."""
        self.screen.resize(rows, columns)
        self._cached_text = None
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait_for_text(self, text: str, timeout: float = TIMEOUT) -> None:
        """Wait for a text on the screen.

        Raises:
            AssertionError: Timeout; the message contains the screen.
        """
        try:
            await wait_until(lambda: text in self.screen_text(), timeout)
        except TimeoutError:
            raise AssertionError(f"timeout: {text!r} is not on the screen:\n{self.screen_text()}") from None

    async def wait_closed(self) -> int:
        """Wait for the exit of the program and return its exit code, negative after a signal."""
        async with asyncio.timeout(TIMEOUT):
            exit_code = await self.process.wait()
        if self._open:
            self._read_available()
        return exit_code

    def private_modes(self) -> set[int]:
        """Return the enabled private modes (DECSET), parsed from the output of the program."""
        enabled: set[int] = set()
        for sequence in bytes(self.written).split(b"\x1b[?")[1:]:
            numbers, final_byte = bytearray(), b""
            for byte in sequence:
                if byte in b"0123456789;":
                    numbers.append(byte)
                else:
                    final_byte = bytes([byte])
                    break
            modes = {int(number) for number in numbers.split(b";") if number}
            if final_byte == b"h":
                enabled |= modes
            elif final_byte == b"l":
                enabled -= modes
        return enabled

    async def close(self) -> None:
        """Kill a running program and close the terminal."""
        self._stop_reading()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        if self._master >= 0:
            os.close(self._master)

    def _read_available(self) -> None:
        try:
            while data := os.read(self._master, 65_536):
                self._feed(data)
        except BlockingIOError:
            return
        except OSError:  # EIO on Linux: the program side is closed
            pass
        self._stop_reading()

    def _feed(self, data: bytes) -> None:
        self.written += data
        text = _CONTROL_STRING.sub(b"", self._incomplete + data)
        incomplete = _INCOMPLETE_STRING.search(text)
        self._incomplete = text[incomplete.start() :] if incomplete is not None else b""
        self._stream.feed(text.removesuffix(self._incomplete) if self._incomplete else text)
        self._cached_text = None

    def _stop_reading(self) -> None:
        if self._throttle_task is not None:
            self._throttle_task.cancel()
            self._throttle_task = None
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._master)


@asynccontextmanager
async def terminal(
    command: Sequence[str],
    home: Path,
    *,
    columns: int = 80,
    rows: int = 24,
    environ: Mapping[str, str | None] | None = None,
    is_controlling: bool = True,
) -> AsyncGenerator[PtyTerminal]:
    """Run a program in a pseudo-terminal with a separate home directory.

    Args:
        command: Program and arguments.
        home: Home directory; settings from the environment of the caller are removed.
        columns: Width in cells.
        rows: Height in cells.
        environ: Additional environment variables; None removes a variable.
        is_controlling: True if the terminal is the controlling terminal, so that closing it sends SIGHUP.
    """
    env = program_environment(home, TERM="xterm-256color", COLORTERM="truecolor")
    env["CHAT_EXIT_WHEN_IDLE"] = "1"  # local servers of the program end soon after the test
    for name, value in (environ or {}).items():
        env.pop(name, None)
        if value is not None:
            env[name] = value
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    initial_settings = list[object](termios.tcgetattr(master))
    process = await start_program(
        command,
        env,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        new_session=True,
        controlling_terminal=is_controlling,
    )
    os.close(slave)
    pty_terminal = PtyTerminal(process, master, columns, rows, initial_settings)
    try:
        yield pty_terminal
    finally:
        await pty_terminal.close()
