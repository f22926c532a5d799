"""Puts into the search's index what was written before there was one, while the server runs.

Rule 1  Newest first, a batch a transaction, and after each a rest as long as the
        batch took: messages of today do not wait for those of last year.
Rule 2  It may be stopped after any batch; the next start goes on.
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
"""Messages in one transaction: some hundredths of a second of the writer's time."""

MIN_PAUSE = 0.001
OUTAGE_RETRY_DELAY = 5.0
"""Seconds."""

_log = logging.getLogger(__name__)

_select_unindexed = select(counters.c.last).where(counters.c.name == UNINDEXED_COUNTER)
_select_batch = (
    select(entries.c.id, entries.c.room_id, entries.c.text)
    .where(entries.c.id <= bindparam("last"), entries.c.kind == KIND_MESSAGE, entries.c.deleted.is_(False))
    .order_by(entries.c.id.desc())
    .limit(bindparam("most"))
    .with_for_update(read=True)  # an edit on another node waits, and then finds its message indexed
)
_update_unindexed = update(counters).where(counters.c.name == UNINDEXED_COUNTER).values(last=bindparam("left"))


async def run_backfill(writer: Executor, index: SearchIndex, clock: Callable[[], float]) -> None:
    """Index what is not indexed yet, to the end.

    Args:
        clock: Seconds that never go back.
    """
    started_at, unindexed = clock(), await _read_unindexed(writer)
    if unindexed:
        _log.info("older messages are being indexed for the search, which finds them little by little")
    while unindexed:
        batch_started_at = clock()
        try:
            unindexed = await writer.run(lambda connection: _index_batch(connection, index))
        except Exception as error:
            if not is_outage(error):
                raise
            _log.warning("older messages cannot be indexed now: %s", describe_error(error))
            await writer.reconnect()
            await asyncio.sleep(OUTAGE_RETRY_DELAY)
            continue
        await asyncio.sleep(max(MIN_PAUSE, clock() - batch_started_at))
        if not unindexed:
            _log.info("all messages are indexed for the search, after %.0f seconds", clock() - started_at)


async def _read_unindexed(writer: Executor) -> int:
    return await writer.run(lambda connection: connection.execute(_select_unindexed).scalar_one_or_none() or 0)


def _index_batch(connection: Connection, index: SearchIndex) -> int:
    last = connection.execute(_select_unindexed.with_for_update()).scalar_one()
    messages = connection.execute(_select_batch, {"last": last, "most": BATCH_SIZE}).all()
    index.add(connection, [(row.id, row.room_id, row.text) for row in messages])
    unindexed = messages[-1].id - 1 if len(messages) == BATCH_SIZE else 0
    connection.execute(_update_unindexed, {"left": unindexed})
    return unindexed
