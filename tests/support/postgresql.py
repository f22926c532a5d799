"""Temporary PostgreSQL server, reachable through a Unix socket in its directory, or through a port."""

import fcntl
import os
import pwd
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from tests.support.requirements import require_postgresql
from tests.support.run_services import RUN_DIRECTORY

_UNPRIVILEGED_USER = "postgres"


@dataclass(frozen=True)
class PostgreSQLServer:
    """PostgreSQL server with its own data directory.

    Attributes:
        directory: Directory of data, log and socket.
        bin_directory: Directory of the PostgreSQL programs.
        user: System user of the server process; None is the current user.
        port: TCP port of the loopback interface; 0 for the socket only.
        database: Name of the database of `url`.
    """

    directory: Path
    bin_directory: Path
    user: str | None
    port: int = 0
    database: str = "postgres"

    @property
    def url(self) -> str:
        """URL of the database."""
        if self.port:
            return f"postgresql://chat@127.0.0.1:{self.port}/{self.database}"
        return f"postgresql://chat@/{self.database}?host={self.directory}"

    def create_database(self) -> str:
        """Create an empty database with a random name, and return its URL."""
        return self.with_new_database().url

    def with_new_database(self) -> "PostgreSQLServer":
        """Create an empty database with a random name, and return the server with this database."""
        name = uuid4().hex
        self.execute(self.url, f'CREATE DATABASE "{name}"')
        return replace(self, database=name)

    def execute(self, url: str, statement: str) -> None:
        """Run an SQL statement in a database."""
        self._run("psql", "-v", "ON_ERROR_STOP=1", "-c", statement, url)

    def create(self) -> None:
        """Create the data directory, and start the server."""
        if self.user is not None:
            os.chown(self.directory, pwd.getpwnam(self.user).pw_uid, -1)
        self._run(
            "initdb", "-D", self._data_directory, "-U", "chat", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"
        )
        self.start()

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        address = f"-c listen_addresses=127.0.0.1 -p {self.port}" if self.port else "-c listen_addresses=''"
        options = f"{address} -c unix_socket_directories='{self.directory}' -c fsync=off -c max_connections=300"
        self._run("pg_ctl", "-D", self._data_directory, "-w", "-l", str(self.directory / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop the server immediately, without waiting for its connections."""
        self._run("pg_ctl", "-D", self._data_directory, "-w", "-m", "immediate", "stop")

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
    with TemporaryDirectory(prefix="chat-postgresql-") as directory:
        server = _installed_server(Path(directory), port)
        server.create()
        try:
            yield server
        finally:
            server.stop()


def shared_postgresql() -> PostgreSQLServer:
    """Return the server of the test run with a new database; skip the test without a PostgreSQL installation.

    The first call of the run starts the server.
    """
    directory = Path(os.environ[RUN_DIRECTORY]) / "postgresql"
    server = _installed_server(directory)
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            directory.mkdir()
            server.create()
    return server.with_new_database()


def stop_shared_postgresql() -> None:
    """Stop the server of the test run if it has been started."""
    directory = Path(os.environ[RUN_DIRECTORY]) / "postgresql"
    if (directory / "data/postmaster.pid").exists():
        _installed_server(directory).stop()


def _installed_server(directory: Path, port: int = 0) -> PostgreSQLServer:
    user = _UNPRIVILEGED_USER if os.getuid() == 0 else None  # PostgreSQL does not run as root
    return PostgreSQLServer(directory, require_postgresql(), user, port)
