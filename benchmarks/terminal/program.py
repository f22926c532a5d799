"""A program in a pseudo-terminal, looked at from outside: what it writes, when, and what CPU and memory that takes."""

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

COLUMNS, ROWS = 120, 40
TIMEOUT = 60.0

_CONTROL_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS and the like
    rb"|\x1b[ -/]+[0-~]"  # character sets
    rb"|\x1b[0-OQ-WYZ\\`-~]"
)
_INCOMPLETE_SEQUENCE = re.compile(rb"\x1b[^\x1b]{0,300}$")


@dataclass(frozen=True, slots=True)
class EchoSample:
    """What passed from a key to its showing.

    Attributes:
        took: Seconds.
        cpu: CPU seconds of the program meanwhile, whatever it did: what it would have taken on an idle machine.
    """

    latency: float
    cpu: float


class TerminalProgram:
    """One program and the terminal it runs in.

    Args:
        command: The program and its arguments.
        home: Its home folder.
        environ: More environment variables.
    """

    def __init__(self, command: Sequence[str], home: Path, environment: Mapping[str, str] | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        # PYTHON: told not to write bytecode, chat-tui would be compiled at each start, and Textual not.
        excluded_prefixes = ("XDG_", "CHAT_", "TEXTUAL", "PYTHON")
        child_environment = {
            name: value for name, value in os.environ.items() if not name.startswith(excluded_prefixes)
        }
        child_environment |= {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        child_environment |= dict(environment or {})
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.start_time = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=child_environment, start_new_session=True
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self._incomplete = b""

    def __enter__(self) -> "TerminalProgram":
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def write_keys(self, keys: bytes) -> float:
        """Send bytes as the keyboard would; the moment that was done (seconds of `time.perf_counter`)."""
        os.write(self._master, keys)
        return time.perf_counter()

    def read(self, timeout: float) -> bytes | None:
        """What it writes next, without control sequences; None when it wrote nothing for that many seconds."""
        if not select.select([self._master], [], [], max(0.0, timeout))[0]:
            return None
        try:
            output = self._incomplete + os.read(self._master, 1 << 20)
        except OSError:
            raise SystemExit(f"{self._process.args} has ended") from None
        text = _CONTROL_SEQUENCE.sub(b"", output)
        incomplete = _INCOMPLETE_SEQUENCE.search(text)
        self._incomplete = incomplete.group() if incomplete is not None else b""
        return text[: incomplete.start()] if incomplete is not None else text

    def wait_for_output(self, marker: bytes, timeout: float = TIMEOUT) -> float:
        """Read until `marker` stands in what it wrote; the moment it did.

        Raises:
            TimeoutError: It never did.
        """
        received = b""
        deadline = time.perf_counter() + timeout
        while marker not in received:
            text = self.read(deadline - time.perf_counter())
            if text is None:
                raise TimeoutError(f"{marker!r} was not shown, but {received[-2000:]!r}")
            received = received[-4096:] + text
        return time.perf_counter()

    def wait_until_quiet(self, quiet_period: float = 0.3) -> None:
        """Read until nothing was written for so many seconds."""
        deadline = time.perf_counter() + TIMEOUT
        while self.read(quiet_period) is not None:
            if time.perf_counter() > deadline:
                raise TimeoutError("it never came to rest")

    def measure_echo(self, key: bytes) -> "EchoSample":
        """Press a key, and wait until it shows."""
        cpu_before, pressed_at = self.cpu_seconds(), self.write_keys(key)
        return EchoSample(self.wait_for_output(key) - pressed_at, self.cpu_seconds() - cpu_before)

    def cpu_seconds(self) -> float:
        """CPU seconds that all its threads have used."""
        nanoseconds = 0
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            try:
                nanoseconds += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                continue  # a thread that has just ended
        return nanoseconds / 1e9

    def resident_mib(self) -> float:
        """MiB of resident memory."""
        (line,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
        return int(line) / 1024
