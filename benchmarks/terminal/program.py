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
PATIENCE = 60.0

_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS and the like
    rb"|\x1b[ -/]+[0-~]"  # character sets
    rb"|\x1b[0-OQ-WYZ\\`-~]"
)
_BROKEN_OFF = re.compile(rb"\x1b[^\x1b]{0,300}$")


@dataclass(frozen=True, slots=True)
class Echo:
    """What passed from a key to its showing.

    Attributes:
        took: Seconds.
        cpu: CPU seconds of the program meanwhile, whatever it did: what it would have taken on an idle machine.
    """

    took: float
    cpu: float


class Program:
    """One program and the terminal it runs in.

    Args:
        command: The program and its arguments.
        home: Its home folder.
        environ: More environment variables.
    """

    def __init__(self, command: Sequence[str], home: Path, environ: Mapping[str, str] | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        # PYTHON: told not to write bytecode, chat-tui would be compiled at each start, and Textual not.
        foreign = ("XDG_", "CHAT_", "TEXTUAL", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        kept |= {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        kept |= dict(environ or {})
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=kept, start_new_session=True
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self._rest = b""

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def type(self, keys: bytes) -> float:
        """Send bytes as the keyboard would; the moment that was done (seconds of `time.perf_counter`)."""
        os.write(self._master, keys)
        return time.perf_counter()

    def read(self, patience: float) -> bytes | None:
        """What it writes next, without control sequences; None when it wrote nothing for that many seconds."""
        if not select.select([self._master], [], [], max(0.0, patience))[0]:
            return None
        try:
            written = self._rest + os.read(self._master, 1 << 20)
        except OSError:
            raise SystemExit(f"{self._process.args} has ended") from None
        text = _SEQUENCE.sub(b"", written)
        broken = _BROKEN_OFF.search(text)
        self._rest = broken.group() if broken is not None else b""
        return text[: broken.start()] if broken is not None else text

    def until(self, marker: bytes, patience: float = PATIENCE) -> float:
        """Read until `marker` stands in what it wrote; the moment it did.

        Raises:
            TimeoutError: It never did.
        """
        seen = b""
        deadline = time.perf_counter() + patience
        while marker not in seen:
            text = self.read(deadline - time.perf_counter())
            if text is None:
                raise TimeoutError(f"{marker!r} was not shown, but {seen[-2000:]!r}")
            seen = seen[-4096:] + text
        return time.perf_counter()

    def settle(self, quiet: float = 0.3) -> None:
        """Read until nothing was written for so many seconds."""
        deadline = time.perf_counter() + PATIENCE
        while self.read(quiet) is not None:
            if time.perf_counter() > deadline:
                raise TimeoutError("it never came to rest")

    def echo(self, key: bytes) -> "Echo":
        """Press a key, and wait until it shows."""
        used, pressed = self.cpu(), self.type(key)
        return Echo(self.until(key) - pressed, self.cpu() - used)

    def cpu(self) -> float:
        """CPU seconds that all its threads have used."""
        used = 0
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            try:
                used += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:
                continue  # a thread that has just ended
        return used / 1e9

    def resident(self) -> float:
        """MiB of resident memory."""
        (line,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
        return int(line) / 1024
