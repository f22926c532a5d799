from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.storage.database import Database, open_database
from tests.support.storage import Clock, Published


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(path: Path, clock: Clock) -> AsyncIterator[Database]:
    database = await open_database(path, clock=clock, busy_timeout=50)
    yield database
    await database.close()


@pytest.fixture
def published(database: Database) -> Published:
    published = Published()
    database.journal.set_publisher(published)
    return published
