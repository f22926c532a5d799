"""A PostgreSQL server of the tests' own, in a folder, reachable only through a socket in it."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

_UNPRIVILEGED = "postgres"


@dataclass(frozen=True)
class PostgreSQL:
    """A running server; `psql`-like statements go through its own `createdb` and `dropdb` to no one else."""

    folder: Path
    programs: Path
    user: str | None

    @property
    def url(self) -> str:
        """Of the database that every server has."""
        return f"postgresql://chat@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Cut every connection and stop it."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def make(self) -> None:
        """Make the folder of its data."""
        self._run("initdb", "-D", self._data, "-U", "chat", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8")

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            cwd=self.folder,
            check=True,
            timeout=50,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )


@contextmanager
def running() -> Generator[PostgreSQL]:
    """A server for as long as the block runs; skips the test where PostgreSQL is not installed."""
    programs = need_postgresql()
    user = _UNPRIVILEGED if os.getuid() == 0 else None  # the server refuses to run as root
    with TemporaryDirectory(prefix="chat-postgresql-") as name:
        if user is not None:
            os.chown(name, pwd.getpwnam(user).pw_uid, -1)
        server = PostgreSQL(Path(name), programs, user)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def need_postgresql() -> Path:
    """The folder of PostgreSQL's programs; skips the test where there is none."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if versions:
        return versions[-1]
    reason = "PostgreSQL is not installed: apt-get install postgresql"
    if os.environ.get("CHAT_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
