"""Temporary Redis or Valkey server, reachable through a Unix socket in its directory, or through a port."""

import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.requirements import require_redis

_START_TIMEOUT = 20.0  # seconds


@dataclass
class RedisServer:
    """Redis server without persistence.

    Attributes:
        directory: Directory of the socket.
        program: Path of the server program.
        port: TCP port of the loopback interface; 0 for the socket only.
    """

    directory: Path
    program: str
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """URL for `--bus`."""
        if self.port:
            return f"redis://127.0.0.1:{self.port}/0"
        return f"unix://{self.directory}/socket"

    def start(self) -> None:
        """Start the server and wait for its socket."""
        socket = self.directory / "socket"
        socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                *(self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(socket)),
                *("--save", "", "--appendonly", "no"),
            ],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_TIMEOUT
        while not socket.exists():
            assert self._process.poll() is None, "redis-server has failed"
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill the server; its connections are lost."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@contextmanager
def redis_server(port: int = 0) -> Generator[RedisServer]:
    """Run a server within the block; skip the test without a Redis or Valkey installation.

    Args:
        port: TCP port of the loopback interface; 0 for a Unix socket only.
    """
    program = require_redis()
    with TemporaryDirectory(prefix="chat-redis-", dir="/tmp") as directory:
        server = RedisServer(Path(directory), program, port)
        server.start()
        try:
            yield server
        finally:
            server.stop()
