"""Temporary PostgreSQL server, reachable through a Unix socket in its directory, or through a port."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

_UNPRIVILEGED_USER = "postgres"


@dataclass(frozen=True)
class PostgreSQLServer:
    """PostgreSQL server with its own data directory.

    Attributes:
        directory: Directory of data, log and socket.
        bin_directory: Directory of the PostgreSQL programs.
        user: System user of the server process; None is the current user.
        port: TCP port of the loopback interface; 0 for the socket only.
    """

    directory: Path
    bin_directory: Path
    user: str | None
    port: int = 0

    @property
    def url(self) -> str:
        """URL of the maintenance database."""
        if self.port:
            return f"postgresql://chat@127.0.0.1:{self.port}/postgres"
        return f"postgresql://chat@/postgres?host={self.directory}"

    def create_database(self) -> str:
        """Create an empty database with a random name, and return its URL."""
        name = uuid4().hex
        self.execute(self.url, f'CREATE DATABASE "{name}"')
        return f"postgresql://chat@/{name}?host={self.directory}"

    def execute(self, url: str, statement: str) -> None:
        """Run an SQL statement in a database."""
        self._run("psql", "-v", "ON_ERROR_STOP=1", "-c", statement, url)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        address = f"-c listen_addresses=127.0.0.1 -p {self.port}" if self.port else "-c listen_addresses=''"
        options = f"{address} -c unix_socket_directories='{self.directory}' -c fsync=off"
        self._run("pg_ctl", "-D", self._data_directory, "-w", "-l", str(self.directory / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop the server immediately, without waiting for its connections."""
        self._run("pg_ctl", "-D", self._data_directory, "-w", "-m", "immediate", "stop")

    def init_data_directory(self) -> None:
        """Create the data directory."""
        self._run(
            "initdb", "-D", self._data_directory, "-U", "chat", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"
        )

    @property
    def _data_directory(self) -> str:
        return str(self.directory / "data")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.bin_directory / program), *arguments],
            user=self.user,
            cwd=self.directory,
            check=True,
            timeout=50,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )


@contextmanager
def postgresql_server(port: int = 0) -> Generator[PostgreSQLServer]:
    """Run a server within the block; skip the test without a PostgreSQL installation.

    Args:
        port: TCP port of the loopback interface; 0 for a Unix socket only.
    """
    bin_directory = require_postgresql()
    user = _UNPRIVILEGED_USER if os.getuid() == 0 else None  # PostgreSQL does not run as root
    with TemporaryDirectory(prefix="chat-postgresql-") as directory:
        if user is not None:
            os.chown(directory, pwd.getpwnam(user).pw_uid, -1)
        server = PostgreSQLServer(Path(directory), bin_directory, user, port)
        server.init_data_directory()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def require_postgresql() -> Path:
    """Return the directory of the PostgreSQL programs, or skip the test."""
    initdb = shutil.which("initdb")
    if initdb is not None:
        return Path(initdb).resolve().parent
    bin_directories = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if bin_directories:
        return bin_directories[-1]
    reason = "missing PostgreSQL: run apt-get install postgresql"
    if os.environ.get("CHAT_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
