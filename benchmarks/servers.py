"""Server processes under measurement, pinned to one core."""

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
_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = _CORES[0], _CORES[-1]
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class MeasuredServer:
    """Running server process.

    Attributes:
        url: Base URL.
        pid: Process id.
    """

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time of all threads, user and system, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS

    def resident_bytes(self) -> int:
        """Return the resident memory in bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE_SIZE


def pin_to_load_core() -> None:
    """Pin this process to the load core and raise its limit of open files to the hard limit."""
    max_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max_files, max_files))
    os.sched_setaffinity(0, {LOAD_CORE})


@contextlib.contextmanager
def on_server_core() -> Generator[None]:
    """Run this process on the server core within the block; a process started in the block stays there."""
    affinity = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, affinity)


def available_servers() -> list[str]:
    """Return the names of the installed servers, chat-server first."""
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
    """Run a pinned server process with a new database for the duration of the context.

    Args:
        name: One of `available_servers()`.
        quiet_joins: Disable join notices of the Node.js and Bun servers. In large rooms, the delivery takes minutes.
        source_directory: Directory with the `server` package, for example of another version.

    Raises:
        RuntimeError: The server did not start.
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
        environment = {**os.environ, "QUIET_JOINS": "1"} if quiet_joins else None
        with on_server_core():
            process = subprocess.Popen(
                commands[name], stdout=subprocess.PIPE, cwd=source_directory, text=True, env=environment
            )
        try:
            assert process.stdout is not None
            match = re.search(r"http://\S+:\d+", process.stdout.readline())
            if match is None:
                raise RuntimeError(f"{name} printed no URL: start the command by hand to see its error")
            yield MeasuredServer(match[0], process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
