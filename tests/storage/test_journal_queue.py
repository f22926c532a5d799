"""Queue, batches and transactions of the journal."""

import asyncio
import gc
from pathlib import Path

import pytest

from server.storage import journal
from server.storage.batch_rooms import BatchRoom
from server.storage.batch_writer import AppendResult, BatchWriter
from server.storage.database import Database, open_database
from server.storage.journal import MAX_BATCH
from tests.support.storage import (
    ManualClock,
    PublishedEntries,
    build_message,
)
from tui_chat.protocol.errors import ChatError, Unavailable


async def test_queued_commands_are_published_in_batches_of_limited_size(
    database: Database, published: PublishedEntries
) -> None:
    pending = [database.journal.append(build_message(str(n))) for n in range(MAX_BATCH + 10)]
    await asyncio.gather(*pending)
    entries = await published.wait_for_entries(MAX_BATCH + 10)
    assert [len(batch) for batch in published.batches] == [MAX_BATCH, 10]
    assert [entry.seq for entry in entries] == list(range(1, MAX_BATCH + 11))


async def test_acknowledgements_precede_publication(database: Database) -> None:
    calls: list[str] = []
    database.journal.publish = lambda entries: calls.extend(f"published {entry.seq}" for entry in entries)

    async def send() -> None:
        result = await database.journal.append(build_message())
        calls.append(f"acknowledged {result.entry.seq}")

    await asyncio.gather(send(), send())
    await database.journal.append(build_message())
    assert calls[:4] == ["acknowledged 1", "acknowledged 2", "published 1", "published 2"]


async def test_cancelled_callers_do_not_affect_the_batch(database: Database, published: PublishedEntries) -> None:
    async def send(text: str) -> int:
        return (await database.journal.append(build_message(text))).entry.seq

    tasks = [asyncio.create_task(send(str(number))) for number in range(5)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result for result in results if isinstance(result, int)] == [1, 3, 5]
    await database.journal.append(build_message())
    assert [entry.seq for entry in await published.wait_for_entries(6)] == [1, 2, 3, 4, 5, 6]


async def test_a_full_queue_rejects_commands_immediately(path: Path, clock: ManualClock) -> None:
    database = await open_database(path, clock=clock, max_queue_depth=3)
    pending = [database.journal.append(build_message()) for _ in range(3)]
    with pytest.raises(Unavailable) as error:
        database.journal.append(build_message())
    assert error.value.retry_after
    assert [result.entry.seq for result in await asyncio.gather(*pending)] == [1, 2, 3]
    assert (await database.journal.append(build_message())).entry.seq == 4
    await database.close()


async def test_closing_writes_queued_commands_and_rejects_new_ones(
    database: Database, path: Path, clock: ManualClock
) -> None:
    pending = [database.journal.append(build_message()) for _ in range(20)]
    await database.close()
    assert [future.result().entry.seq for future in pending] == list(range(1, 21))
    with pytest.raises(Unavailable):
        database.journal.append(build_message())
    assert not path.with_name("chat.db-wal").exists()


async def test_a_failing_publisher_does_not_stop_the_journal(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("no")

    database.journal.publish = fail
    await database.journal.append(build_message("private words"))
    await database.journal.append(build_message())
    await database.journal.append(build_message())
    assert len(caplog.records) >= 1
    assert "private words" not in caplog.text


async def test_a_command_that_cannot_be_stored_fails_alone(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = await asyncio.gather(
        database.journal.append(build_message("a")),
        database.journal.append(build_message("private \ud800 words")),
        database.journal.append(build_message("b")),
        return_exceptions=True,
    )
    assert [isinstance(outcome, ChatError) for outcome in outcomes] == [False, True, False]
    assert (await database.journal.append(build_message("c"))).entry.seq == 3
    assert "private" not in caplog.text


async def test_many_concurrent_senders_share_few_transactions(database: Database, published: PublishedEntries) -> None:
    async def send() -> None:
        for _ in range(5):
            await database.journal.append(build_message())

    await asyncio.gather(*(send() for _ in range(100)))
    await published.wait_for_entries(500)
    assert len(published.batches) <= 25


async def test_commands_of_consecutive_ticks_share_a_transaction(
    database: Database, published: PublishedEntries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LINGER", 60.0)
    pending: list[asyncio.Future[AppendResult]] = []
    for number in range(20):
        pending.append(database.journal.append(build_message(str(number))))
        await asyncio.sleep(0)
    await asyncio.gather(*pending)
    await published.wait_for_entries(20)
    assert [len(batch) for batch in published.batches] == [20]


async def test_a_continuous_stream_of_commands_is_written(
    database: Database, published: PublishedEntries, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 5_000
    monkeypatch.setattr(journal, "MAX_BATCH", 2 * limit)
    first = database.journal.append(build_message())
    while not first.done():
        if database.journal.queue_depth < limit:
            database.journal.append(build_message())
        await asyncio.sleep(0)
    await published.wait_for_entries(1)
    assert len(published.batches[0]) < limit


async def test_a_batch_leaves_no_reference_cycle(database: Database) -> None:
    await database.journal.append(build_message("one"))
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for text in ("two", "three"):
            await database.journal.append(build_message(text))
        gc.collect()
        assert [item for item in gc.garbage if isinstance(item, (BatchWriter, BatchRoom))] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
