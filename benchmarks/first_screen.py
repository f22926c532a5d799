"""How soon chat-tui paints its first screen, and how soon a key shows, beside a bare Textual program.

Both run alternately in pseudo-terminals, so that whatever else the machine does
falls on both. `python benchmarks/first_screen.py [rounds]` prints medians in
milliseconds and the ratio, and ends with 1 when a ratio is above `BOUND`.
"""

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

BOUND = 1.5
ROUNDS = 15
KEYS = "QWZXJYVBGP"  # letters that end no escape sequence which Textual writes

BARE = """
from textual.app import App
from textual.widgets import Input, Static

class Bare(App):
    def compose(self):
        yield Static("Nickname")
        yield Input()

Bare().run()
"""


class Program:
    """A program in a pseudo-terminal."""

    def __init__(self, command: list[str], home: str) -> None:
        self.started = time.perf_counter()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environ = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        environ |= {"HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
        )
        os.close(slave)
        self.master = master

    def until(self, marker: bytes, patience: float = 20.0) -> float:
        """Read until `marker` was written; the moment it was."""
        seen = b""
        deadline = time.perf_counter() + patience
        while marker not in seen:
            ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.perf_counter()))
            if not ready:
                raise TimeoutError(f"{marker!r} was not painted")
            seen = seen[-4096:] + os.read(self.master, 65_536)
        return time.perf_counter()

    def settle(self) -> None:
        """Read until nothing was written for a while."""
        while select.select([self.master], [], [], 0.4)[0]:
            os.read(self.master, 65_536)

    def echo(self, key: str) -> float:
        """Press a key; seconds until it shows."""
        pressed = time.perf_counter()
        os.write(self.master, key.encode())
        shown = self.until(key.encode())
        while select.select([self.master], [], [], 0.05)[0]:
            os.read(self.master, 65_536)
        return shown - pressed

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@contextmanager
def server(home: str) -> Generator[str]:
    """A chat-server in a process of its own; its URL."""
    command = [sys.executable, "-m", "server", "--port", "0", "--database", f"{home}/chat.db"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield next(word for word in process.stdout.readline().split() if word.startswith("http"))
    finally:
        process.terminate()
        process.wait()


def measured(command: list[str], marker: bytes, home: str) -> tuple[float, list[float]]:
    """Seconds until `marker` is painted, and seconds until each key shows."""
    program = Program(command, home)
    try:
        first = program.until(marker) - program.started
        program.settle()
        return first, [program.echo(key) for key in KEYS]
    finally:
        program.end()


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as home, server(home) as url:
        bare = Path(home) / "bare.py"
        bare.write_text(BARE)
        commands = {
            "bare Textual": ([sys.executable, str(bare)], b"Nickname"),
            "join form": ([sys.executable, "-m", "tui_chat"], b"Nickname"),
            "chat screen": ([sys.executable, "-m", "tui_chat", url, "--room", "tea", "--nick", "ann"], b"1 here"),
        }
        for number, (command, marker) in enumerate(commands.values()):  # warm the file cache, and compile
            measured(command, marker, f"{home}/{number}")
        firsts: dict[str, list[float]] = {name: [] for name in commands}
        echoes: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for number, (name, (command, marker)) in enumerate(commands.items()):
                # A room that was joined is remembered: each program has a home of its own.
                first, echo = measured(command, marker, f"{home}/{number}")
                firsts[name].append(first)
                echoes[name] += echo
    failed = False
    for what, found, judged in (("first screen", firsts, ("join form",)), ("key to echo", echoes, tuple(commands)[1:])):
        base = statistics.median(found["bare Textual"])
        for name, values in found.items():
            median = statistics.median(values)
            ratio = median / base
            failed |= name in judged and ratio > BOUND
            print(f"{what:14}{name:14}{median * 1000:8.1f} ms  {ratio:5.2f}×")
    sys.exit(failed)


if __name__ == "__main__":
    main()
