"""Puts into the search's index what was written before there was one, while the server runs.

Rule 1  Newest first, a batch a transaction, and after each a rest as long as the
        batch took: messages of today do not wait for those of last year.
Rule 2  It may be stopped after any batch; the next start goes on.
"""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Connection, bindparam, select, update

from server.storage.executor import Executor
from server.storage.faults import is_outage, reason
from server.storage.rows import MESSAGE
from server.storage.search_index import UNINDEXED_COUNTER, SearchIndex
from server.storage.tables import counters, entries

BATCH = 500
"""Messages in one transaction: some hundredths of a second of the writer's time."""

REST_AT_LEAST = 0.001
AFTER_AN_OUTAGE = 5.0
"""Seconds."""

_log = logging.getLogger(__name__)

_counter = select(counters.c.last).where(counters.c.name == UNINDEXED_COUNTER)
_older = (
    select(entries.c.id, entries.c.room_id, entries.c.text)
    .where(entries.c.id <= bindparam("last"), entries.c.kind == MESSAGE, entries.c.deleted.is_(False))
    .order_by(entries.c.id.desc())
    .limit(bindparam("most"))
    .with_for_update(read=True)  # an edit on another node waits, and then finds its message indexed
)
_note = update(counters).where(counters.c.name == UNINDEXED_COUNTER).values(last=bindparam("left"))


async def backfill(writer: Executor, index: SearchIndex, clock: Callable[[], float]) -> None:
    """Index what is not indexed yet, to the end.

    Args:
        clock: Seconds that never go back.
    """
    began, left = clock(), await _left(writer)
    if left:
        _log.info("older messages are being indexed for the search, which finds them little by little")
    while left:
        started = clock()
        try:
            left = await writer.run(lambda connection: _batch(connection, index))
        except Exception as error:
            if not is_outage(error):
                raise
            _log.warning("older messages cannot be indexed now: %s", reason(error))
            await writer.reconnect()
            await asyncio.sleep(AFTER_AN_OUTAGE)
            continue
        await asyncio.sleep(max(REST_AT_LEAST, clock() - started))
        if not left:
            _log.info("all messages are indexed for the search, after %.0f seconds", clock() - began)


async def _left(writer: Executor) -> int:
    return await writer.run(lambda connection: connection.execute(_counter).scalar_one_or_none() or 0)


def _batch(connection: Connection, index: SearchIndex) -> int:
    last = connection.execute(_counter.with_for_update()).scalar_one()
    messages = connection.execute(_older, {"last": last, "most": BATCH}).all()
    index.add(connection, [(row.id, row.room_id, row.text) for row in messages])
    left = messages[-1].id - 1 if len(messages) == BATCH else 0
    connection.execute(_note, {"left": left})
    return left
