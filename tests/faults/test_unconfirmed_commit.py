"""Repeated commands after a commit whose confirmation is lost with the database connection."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from server.domain.log_commands import AppendDeletion, AppendEdit, AppendReaction
from server.storage.database import open_database
from server.storage.executor import ThreadExecutor
from server.storage.journal import Journal
from server.storage.sqlite import open_engine
from server.storage.statements import BatchStatements
from tests.support.storage import (
    BEN,
    ManualClock,
    PublishedEntries,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
)
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import MessageChange

ResultT = TypeVar("ResultT")


class DisconnectingExecutor(ThreadExecutor):
    """Executor that fails after the commits of its next `failures_left` transactions."""

    failures_left = 0

    async def run(self, work: Callable[[Connection], ResultT]) -> ResultT:
        result = await super().run(work)
        if self.failures_left:
            self.failures_left -= 1
            raise OperationalError("COMMIT", None, ConnectionError())
        return result


DisconnectingJournal = tuple[DisconnectingExecutor, Journal, PublishedEntries]


@pytest.fixture
async def disconnecting(tmp_path: Path) -> AsyncGenerator[DisconnectingJournal]:
    path = tmp_path / "chat.db"
    await (await open_database(path, clock=ManualClock())).close()
    engine = open_engine(path, writable=True, pool_size=1, busy_timeout=50)
    writer = DisconnectingExecutor(engine, 1, "disconnecting")
    journal = Journal(writer, BatchStatements(engine.dialect), ManualClock())
    published = PublishedEntries()
    journal.publish = published
    yield writer, journal, published
    await journal.close()
    await writer.close()


async def test_a_repeat_publishes_a_message_of_an_unconfirmed_commit_once(
    disconnecting: DisconnectingJournal,
) -> None:
    writer, journal, published = disconnecting
    client_id = uuid4()
    writer.failures_left = 1
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


@pytest.mark.parametrize("change", [build_edit(1, "new"), build_reaction(1), build_deletion(1)])
async def test_a_repeat_publishes_a_change_of_an_unconfirmed_commit_once(
    disconnecting: DisconnectingJournal, change: AppendEdit | AppendReaction | AppendDeletion
) -> None:
    writer, journal, published = disconnecting
    await journal.append(build_message("old"))
    writer.failures_left = 1
    with pytest.raises(Unavailable):
        await journal.append(change)
    for _ in range(2):
        result = await journal.append(change)
        assert (result.entry.seq, result.duplicate) == (2, True)
    await journal.close()
    assert [entry.seq for batch in published.batches for entry in batch] == [1, 2]
    assert isinstance(published.batches[-1][0], MessageChange)


async def test_a_change_repeated_after_a_newer_message_publishes_nothing(disconnecting: DisconnectingJournal) -> None:
    writer, journal, published = disconnecting
    await journal.append(build_message("old"))
    writer.failures_left = 1
    with pytest.raises(Unavailable):
        await journal.append(build_reaction(1))
    await journal.append(build_message("newer, which reveals the missing entry"))
    assert (await journal.append(build_reaction(1))).entry.seq == 3
    await journal.close()
    assert [entry.seq for batch in published.batches for entry in batch] == [1, 3]
