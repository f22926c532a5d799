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

HERE = Path(__file__).parent
SERVER_CORE, LOAD_CORE = 0, 1
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that was started.

    Attributes:
        url: Where it listens.
        pid: Its process.
    """

    url: str
    pid: int

    def cpu(self) -> float:
        """Seconds of CPU that the process has used, all threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def resident(self) -> int:
        """Bytes of memory that the process occupies."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE


def become_the_load() -> None:
    """Give this process the load's core, and as many connections as the system allows."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
    os.sched_setaffinity(0, {LOAD_CORE})


def available() -> list[str]:
    """The servers that can be started here, ours first."""
    names = ["chat-server"]
    if shutil.which("node") and (HERE / "node/node_modules/socket.io").is_dir():
        names.append("node")
    if (HERE / "node/node_modules/.bin/bun").exists():
        names.append("bun")
    return names


@contextlib.contextmanager
def started(name: str, *, quiet_joins: bool = False, tree: Path = HERE.parent) -> Generator[Peer]:
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
            "node": ["node", str(HERE / "node/server.mjs")],
            "bun": [str(HERE / "node/node_modules/.bin/bun"), "run", str(HERE / "node/server.bun.mjs")],
        }
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {SERVER_CORE})  # a child inherits it
        environ = {**os.environ, "QUIET_JOINS": "1"} if quiet_joins else None
        process = subprocess.Popen(commands[name], stdout=subprocess.PIPE, cwd=tree, text=True, env=environ)
        os.sched_setaffinity(0, own)
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+:\d+", process.stdout.readline())
            if found is None:
                raise RuntimeError(f"{name} did not start")
            yield Peer(found[0], process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
