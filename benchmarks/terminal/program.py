"""Program in a pseudo-terminal, with measurements of output, latency, CPU and memory."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

COLUMNS, ROWS = 120, 40
TIMEOUT = 60.0

_CONTROL_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC
    rb"|\x1b[ -/]+[0-~]"  # character sets
    rb"|\x1b[0-OQ-WYZ\\`-~]"
)
_INCOMPLETE_SEQUENCE = re.compile(rb"\x1b[^\x1b]{0,300}$")


@dataclass(frozen=True, slots=True)
class EchoSample:
    """Measurement of one key echo.

    Attributes:
        latency: Seconds from key to echo.
        cpu: CPU seconds of the program in that time, a measure independent of the machine's load.
    """

    latency: float
    cpu: float


class TerminalProgram:
    """Running program with its terminal; the end of a `with` block kills the program.

    Args:
        command: Program and arguments.
        home: Home directory, created if missing.

    Attributes:
        start_time: Start of the process, in seconds of `time.perf_counter`.
        bytes_read: Size of the output, control sequences included.
    """

    def __init__(self, command: Sequence[str], home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        # PYTHON: with PYTHONDONTWRITEBYTECODE, each start compiles chat-tui, but not the installed Textual.
        excluded_prefixes = ("XDG_", "CHAT_", "TEXTUAL", "PYTHON")
        child_environment = {
            name: value for name, value in os.environ.items() if not name.startswith(excluded_prefixes)
        }
        child_environment |= {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.start_time = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=child_environment, start_new_session=True
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self._incomplete = b""
        self.bytes_read = 0

    def __enter__(self) -> "TerminalProgram":
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def write_keys(self, keys: bytes) -> float:
        """Write keys to the terminal and return the time of the write (`time.perf_counter`)."""
        os.write(self._master, keys)
        return time.perf_counter()

    def read(self, timeout: float) -> bytes | None:
        """Return the next output without control sequences, or None after `timeout` seconds without output.

        The result may be empty. An incomplete control sequence at the end is kept for the next call.

        Raises:
            SystemExit: The program has ended.
        """
        if not select.select([self._master], [], [], max(0.0, timeout))[0]:
            return None
        try:
            data = os.read(self._master, 1 << 20)
        except OSError:
            raise SystemExit(f"{self._process.args} exited unexpectedly") from None
        self.bytes_read += len(data)
        output = self._incomplete + data
        text = _CONTROL_SEQUENCE.sub(b"", output)
        incomplete = _INCOMPLETE_SEQUENCE.search(text)
        self._incomplete = incomplete.group() if incomplete is not None else b""
        return text[: incomplete.start()] if incomplete is not None else text

    def wait_for_output(self, marker: bytes, timeout: float = TIMEOUT) -> float:
        """Read until the output contains `marker`, and return the time (`time.perf_counter`).

        Raises:
            TimeoutError: The marker did not appear within `timeout` seconds.
            SystemExit: The program has ended.
        """
        received = b""
        deadline = time.perf_counter() + timeout
        while marker not in received:
            text = self.read(deadline - time.perf_counter())
            if text is None or time.perf_counter() > deadline:
                raise TimeoutError(f"{marker!r} not found in the output {received[-2000:]!r}")
            received = received[-4096:] + text
        return time.perf_counter()

    def wait_until_quiet(self, quiet_period: float = 0.3) -> None:
        """Read until no output follows for `quiet_period` seconds.

        Raises:
            TimeoutError: The output has no such pause within `TIMEOUT` seconds.
            SystemExit: The program has ended.
        """
        deadline = time.perf_counter() + TIMEOUT
        while self.read(quiet_period) is not None:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{self._process.args} writes output without a pause")

    def measure_echo(self, key: bytes) -> "EchoSample":
        """Press a key and measure the time and CPU until its echo; raises the exceptions of `wait_for_output`."""
        cpu_before, pressed_at = self.cpu_seconds(), self.write_keys(key)
        return EchoSample(self.wait_for_output(key) - pressed_at, self.cpu_seconds() - cpu_before)

    def cpu_seconds(self) -> float:
        """Return the CPU time of all threads in seconds."""
        nanoseconds = 0
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            try:
                nanoseconds += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                continue  # thread ended in the meantime
        return nanoseconds / 1e9

    def resident_mib(self) -> float:
        """Return the resident memory in MiB."""
        (line,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
        return int(line) / 1024
