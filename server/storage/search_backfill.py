"""Background indexing of messages from before the introduction of the search index.

- Priority: newest messages first, one batch per transaction. A pause as long as the batch follows each batch, so
  new messages keep at least half of the writer.
- Resumption: each batch stores the progress; a restart continues after the last completed batch.
"""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Connection, bindparam, select, update

from server.storage.errors import describe_error, is_outage
from server.storage.executor import Executor
from server.storage.row_mapping import KIND_MESSAGE
from server.storage.search_index import UNINDEXED_COUNTER, SearchIndex
from server.storage.tables import counters, entries

BATCH_SIZE = 500
"""Messages per transaction, a few hundredths of a second of writer time."""

MIN_PAUSE = 0.001
"""Minimum pause between two batches, in seconds."""

OUTAGE_RETRY_DELAY = 5.0
"""Delay of the next attempt after a database failure, in seconds."""

_log = logging.getLogger(__name__)

_select_unindexed = select(counters.c.last).where(counters.c.name == UNINDEXED_COUNTER)
_select_batch = (
    select(entries.c.id, entries.c.room_id, entries.c.text)
    .where(entries.c.id <= bindparam("last"), entries.c.kind == KIND_MESSAGE, entries.c.deleted.is_(False))
    .order_by(entries.c.id.desc())
    .limit(bindparam("batch_size"))
    .with_for_update(read=True)  # concurrent edits on other nodes must wait for the index row
)
_update_unindexed = update(counters).where(counters.c.name == UNINDEXED_COUNTER).values(last=bindparam("unindexed"))


async def run_backfill(writer: Executor, index: SearchIndex, clock: Callable[[], float]) -> None:
    """Index all outstanding messages.

    The coroutine returns immediately if none are outstanding. After the first read, an outage delays the next attempt;
    other errors are raised.

    Args:
        writer: Executor shared with the journal.
        index: Search index of the database.
        clock: Monotonic clock in seconds.
    """
    started_at, last_unindexed_id = clock(), await _read_last_unindexed_id(writer)
    if last_unindexed_id:
        _log.info("search index backfill started; search results are incomplete until completion")
    while last_unindexed_id:
        batch_started_at = clock()
        try:
            last_unindexed_id = await writer.run(lambda connection: _index_batch(connection, index))
        except Exception as error:
            if not is_outage(error):
                raise
            _log.warning("search index backfill interrupted, retrying: %s", describe_error(error))
            await writer.reconnect()
            await asyncio.sleep(OUTAGE_RETRY_DELAY)
            continue
        await asyncio.sleep(max(MIN_PAUSE, clock() - batch_started_at))
        if not last_unindexed_id:
            _log.info("search index backfill completed in %.0f seconds", clock() - started_at)


async def _read_last_unindexed_id(writer: Executor) -> int:
    return await writer.run(lambda connection: connection.execute(_select_unindexed).scalar_one_or_none() or 0)


def _index_batch(connection: Connection, index: SearchIndex) -> int:
    last = connection.execute(_select_unindexed.with_for_update()).scalar_one()
    messages = connection.execute(_select_batch, {"last": last, "batch_size": BATCH_SIZE}).all()
    index.add(connection, [(row.id, row.room_id, row.text) for row in messages])
    last_unindexed_id = messages[-1].id - 1 if len(messages) == BATCH_SIZE else 0
    connection.execute(_update_unindexed, {"unindexed": last_unindexed_id})
    return last_unindexed_id
