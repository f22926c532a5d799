"""The connection to the database breaks just as a commit is done: it was written, and nobody knows."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from server.storage.database import open_database
from server.storage.executor import ThreadExecutor
from server.storage.journal import Journal
from server.storage.sqlite import open_engine
from server.storage.statements import BatchStatements
from tests.support.storage import BEN, ManualClock, PublishedEntries, build_edit, build_message
from tui_chat.protocol.errors import Unavailable

ResultT = TypeVar("ResultT")


class BreakingExecutor(ThreadExecutor):
    """Loses the connection after the next commit, as often as it is told."""

    breaks = 0

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        result = await super().run(work)
        if self.breaks:
            self.breaks -= 1
            raise OperationalError("COMMIT", None, ConnectionError())
        return result


Breaking = tuple[BreakingExecutor, Journal, PublishedEntries]


@pytest.fixture
async def breaking(tmp_path: Path) -> AsyncGenerator[Breaking]:
    path = tmp_path / "chat.db"
    await (await open_database(path, clock=ManualClock())).close()
    engine = open_engine(path, writable=True, pool_size=1, busy_timeout=50)
    writer = BreakingExecutor(engine, 1, "breaking")
    journal = Journal(writer, BatchStatements(engine.dialect), ManualClock())
    published = PublishedEntries()
    journal.set_publisher(published)
    yield writer, journal, published
    await journal.close()
    await writer.close()


async def test_what_was_refused_and_is_there_all_the_same_is_told_to_everybody_when_it_is_repeated(
    breaking: Breaking,
) -> None:
    writer, journal, published = breaking
    client_id = uuid4()
    writer.breaks = 1
    with pytest.raises(Unavailable):
        await journal.append(build_message("perhaps", client_id=client_id))
    assert published.batches == []
    later = journal.append(build_message("later", author=BEN))
    repeat = journal.append(build_message("perhaps", client_id=client_id))
    assert (await later).entry.seq == 2
    assert ((await repeat).duplicate, (await repeat).entry.seq) == (True, 1)
    assert [entry.seq for entry in await published.wait_for_entries(2)] == [1, 2]
    assert (await journal.append(build_message("perhaps", client_id=client_id))).duplicate
    await journal.close()
    assert [entry.seq for batch in published.batches for entry in batch] == [1, 2]


async def test_a_change_that_was_refused_and_is_there_all_the_same_is_told_when_it_is_repeated(
    breaking: Breaking,
) -> None:
    writer, journal, published = breaking
    await journal.append(build_message("old"))
    writer.breaks = 1
    with pytest.raises(Unavailable):
        await journal.append(build_edit(1, "new"))
    assert (await journal.append(build_edit(1, "new"))).entry.seq == 3
    assert (await journal.append(build_edit(1, "new"))).duplicate
    await journal.close()
    assert [entry.seq for batch in published.batches for entry in batch] == [1, 3]
