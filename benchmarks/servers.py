"""The servers that are compared, each a process on a core of its own."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS_DIRECTORY = Path(__file__).parent
SERVER_CORE, LOAD_CORE = 0, 1
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class MeasuredServer:
    """A server that was started.

    Attributes:
        url: Where it listens.
        pid: Its process.
    """

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """Seconds of CPU that the process has used, all threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS

    def resident_bytes(self) -> int:
        """Bytes of memory that the process occupies."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE_SIZE


def pin_to_load_core() -> None:
    """Give this process the load's core, and as many connections as the system allows."""
    max_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max_files, max_files))
    os.sched_setaffinity(0, {LOAD_CORE})


def available_servers() -> list[str]:
    """The servers that can be started here, ours first."""
    names = ["chat-server"]
    if shutil.which("node") and (BENCHMARKS_DIRECTORY / "node/node_modules/socket.io").is_dir():
        names.append("node")
    if (BENCHMARKS_DIRECTORY / "node/node_modules/.bin/bun").exists():
        names.append("bun")
    return names


@contextlib.contextmanager
def run_server(
    name: str, *, quiet_joins: bool = False, source_directory: Path = BENCHMARKS_DIRECTORY.parent
) -> Generator[MeasuredServer]:
    """Run a server, pinned to its core, for as long as the context lasts.

    Args:
        name: One of `available()`.
        tree: The folder whose `server` package is run: another copy, to compare with an older one.
        quiet_joins: Spare the peers telling everybody of each join, which takes them minutes in rooms of thousands.
    """
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as folder:
        database = f"{folder}/chat.db"
        commands = {
            "chat-server": [
                *(sys.executable, "-m", "server", "--port", "0", "--database", database),
                *("--rate-limit", "off", "--log-level", "warning"),
            ],
            "node": ["node", str(BENCHMARKS_DIRECTORY / "node/server.mjs")],
            "bun": [
                str(BENCHMARKS_DIRECTORY / "node/node_modules/.bin/bun"),
                "run",
                str(BENCHMARKS_DIRECTORY / "node/server.bun.mjs"),
            ],
        }
        own_affinity = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {SERVER_CORE})  # a child inherits it
        environment = {**os.environ, "QUIET_JOINS": "1"} if quiet_joins else None
        process = subprocess.Popen(
            commands[name], stdout=subprocess.PIPE, cwd=source_directory, text=True, env=environment
        )
        os.sched_setaffinity(0, own_affinity)
        try:
            assert process.stdout is not None
            match = re.search(r"http://\S+:\d+", process.stdout.readline())
            if match is None:
                raise RuntimeError(f"{name} did not start")
            yield MeasuredServer(match[0], process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
