"""Configuration of the complete test suite."""

import gc
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, settings
from sqlalchemy import Dialect, Engine

from server.app import RunningServer
from server.gateway import password_hashing
from server.storage import database, schema, sqlite
from server.storage.statements import BatchStatements
from tests.support.free_port import reserved_port
from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_host
from tests.support.memory_files import find_memory_directory, store_temporary_files_in_memory
from tests.support.postgresql import stop_shared_postgresql
from tests.support.program import forked_python
from tests.support.run_services import run_services
from tests.support.server_process import stop_servers
from tests.support.worker_template import forked_workers
from tui_chat import local_server
from tui_chat.client import history_sync, membership

# Many tests start the program as a subprocess, and without bytecode files each start would compile all modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Results must not depend on the speed of the machine.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

GC_THRESHOLDS = (50_000, 20, 50)
"""Thresholds of the generations of the garbage collector, as in `server.process`."""


def pytest_configure(config: pytest.Config) -> None:
    """Start the processes that fork workers and programs under test, and store temporary files in memory.

    Most tests have a database of their own, and on a disk they wait for its writes longer than they compute.
    Garbage collection pauses until the end of the test collection, whose objects live as long as the session.
    """
    gc.disable()
    config.add_cleanup(javascript_host.stop)
    store_temporary_files_in_memory()
    if not hasattr(config, "workerinput"):
        services = ExitStack()
        if config.getoption("tx", None):
            services.enter_context(forked_workers(config))  # before processes whose pipes a fork would keep open
        services.enter_context(run_services())
        services.callback(stop_shared_postgresql)
        config.add_cleanup(services.close)


def pytest_collection_finish() -> None:
    """Exclude the modules and tests of the session from garbage collection, and collect as rarely as the server."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Return the workers for `-n auto`: two per core, because tests wait about half of their time."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session", autouse=True)
def shared_statements() -> Generator[None]:
    """Share compiled statements between the databases of a session, because each database compiles the same ones."""
    statements: dict[str, BatchStatements] = {}
    cache: dict[Any, Any] = {}
    dialects: list[Dialect] = []

    def get_statements(dialect: Dialect) -> BatchStatements:
        if dialect.name not in statements:
            statements[dialect.name] = BatchStatements(dialect)
        return statements[dialect.name]

    def create_engine(url: str, **options: Any) -> Engine:
        engine = sqlalchemy.create_engine(url, **options)
        if not dialects:
            dialects.append(engine.dialect)
        engine.dialect = dialects[0]  # part of the cache keys
        engine.update_execution_options(compiled_cache=cache)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "BatchStatements", get_statements)
        patch.setattr(sqlite, "create_engine", create_engine)
        yield


@pytest.fixture(scope="session", autouse=True)
def database_template(shared_statements: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Create SQLite databases as copies of one with the schema, whose creation takes a quarter of a server start."""
    template = tmp_path_factory.mktemp("template") / "chat.db"
    sqlite.create_file(template)
    engine = sqlite.open_engine(template, writable=True, pool_size=1, busy_timeout=0)
    with engine.begin() as connection:
        schema.ensure(connection)
    engine.dispose()
    content = template.read_bytes()

    def copy_template(path: Path) -> None:
        is_new = not path.exists()
        sqlite.create_file(path)
        if is_new:
            path.write_bytes(content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_file", copy_template)
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_password_hashes() -> Generator[None]:
    """Hash passwords of servers in the test process with the least memory, a hundredth of the usual time.

    The threads keep their priority, because other processes of the tests would delay the hashes for seconds.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password_hashing, "MEMORY_KIB", 8)
        patch.setattr(password_hashing, "NICE_INCREMENT", 0)
        yield


@pytest.fixture(scope="session", autouse=True)
def forked_local_servers() -> None:
    """Start local servers of the test process by the fork server."""
    local_server.SERVER_COMMAND = (*forked_python(), "-m", "server")


@pytest.fixture
def server_options() -> dict[str, str]:
    """Settings of the fixture `server`. Tests override this fixture by parametrization."""
    return {}


@pytest.fixture
async def server(tmp_path: Path, server_options: dict[str, str]) -> AsyncGenerator[RunningServer]:
    """Server without rate limits. Packages override this fixture for other settings."""
    async with running_server(tmp_path / "server", rate_limit="off", **server_options) as running:
        yield running


@pytest.fixture
def unused_tcp_port() -> Generator[int]:
    """Port without a listener, for servers of the test. Other programs cannot take the port during the test."""
    with reserved_port() as port:
        yield port


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the page size of clients and the limits of their gap fill to a tenth, for tests of long absences."""
    monkeypatch.setattr(membership, "HISTORY_PAGE", 20)
    monkeypatch.setattr(history_sync, "HISTORY_PAGE", 20)
    monkeypatch.setattr(history_sync, "MAX_AUTO_FILL", 100)
    monkeypatch.setattr(history_sync, "MAX_BUFFERED_ENTRIES", 100)
    monkeypatch.setattr("tui_chat.session.server_link.GAP_FETCH_LIMIT", 40)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """Home directory with a path short enough for control sockets. Its servers stop after the test."""
    with tempfile.TemporaryDirectory(prefix="chat-", dir=find_memory_directory() or "/tmp") as directory:
        for name in [name for name in os.environ if name.startswith(("CHAT_", "XDG_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", directory)
        try:
            yield Path(directory)
        finally:
            stop_servers()
