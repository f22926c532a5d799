"""Fixtures: a SQLite database, its clock and its published entries."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.storage.database import Database, open_database
from tests.support.postgresql import PostgreSQLServer, shared_postgresql
from tests.support.storage import ManualClock, PublishedEntries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def postgresql() -> PostgreSQLServer:
    """PostgreSQL server with a database for the tests of the module."""
    return shared_postgresql()


@pytest.fixture
async def database(path: Path, clock: ManualClock) -> AsyncIterator[Database]:
    database = await open_database(path, clock=clock, busy_timeout=50)
    yield database
    await database.close()


@pytest.fixture
def published(database: Database) -> PublishedEntries:
    published = PublishedEntries()
    database.journal.publish = published
    return published
