"""The one way into a room's log.

Rule 1  An entry is answered only after its transaction is committed, and published
        only after it is answered. Nothing that was answered is ever lost.
Rule 2  Order within a room is the order of the calls of `append`; `seq` grows by
        exactly 1, without holes, whatever is refused or fails meanwhile.
Rule 3  What has gathered while a transaction ran is the next transaction, up to
        `BATCH` drafts: under load many messages share one wait for the disk. It begins
        when the event loop brings no more, and after `GATHERING` in any case: a
        transaction costs as much as ten messages, and what is committed together
        is told together, in one write to each reader.
Rule 4  No more than `waiting_limit` drafts wait. One more is refused at once. That
        counts as trouble, told as in rule 5, until all that waited is written.
Rule 5  A database that fails refuses the whole batch with `Unavailable`, and the
        journal tries again with the next. The log says so once an outage, and
        once when it is over. An entry refused so may yet have been committed
        (a connection lost at the very end): who repeats it with its clientId
        gets the answer to the first, and it is published then. A change, which
        has no clientId, is then an entry once more, and that one is published.
Rule 6  A draft that alone makes a transaction fail is refused alone.
Rule 7  A caller that goes away changes nothing for its draft nor for the others.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from server.domain.drafts import Draft, MessageDraft
from server.protocol.entries import Entry
from server.protocol.errors import Internal, Unavailable
from server.storage.batch import Appended, Outcome, write
from server.storage.executor import Executor
from server.storage.faults import is_outage, is_race, reason
from server.storage.statements import Statements

BATCH = 512
"""Drafts in one transaction: beyond this the disk's share of a message is noise, and answers only come later."""

TURNS = 2
"""Of the event loop, from the bytes of a message to its draft: in one it is read, in the next worked off."""

GATHERING = 0.002
"""Seconds for which a transaction waits at most for drafts that are on their way."""

WAITING_LIMIT = 10_000
RETRY_AFTER = 2.0
"""Seconds that a refused client is told to wait."""

RACES = 3
"""How often a batch is tried again when the transactions of several nodes got in each other's way."""

_log = logging.getLogger(__name__)

Publish = Callable[[Sequence[Entry]], None]
_Waiting = tuple[Draft, "asyncio.Future[Appended]"]


class Journal:
    """Takes drafts from everywhere and writes them in batches.

    Must be made inside a running event loop, and closed.

    Args:
        writer: Runs one transaction at a time.
        clock: Milliseconds since the epoch.
        waiting_limit: Drafts that may wait for their transaction.
    """

    def __init__(
        self,
        writer: Executor,
        statements: Statements,
        clock: Callable[[], int],
        waiting_limit: int = WAITING_LIMIT,
    ) -> None:
        self._writer = writer
        self._statements = statements
        self._clock = clock
        self._waiting_limit = waiting_limit
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._publish: Publish | None = None
        self._outage: str | None = None
        self._crowded = False
        self._unsure: dict[UUID | Draft, bool] = {}  # what was refused and may be written, oldest first
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._write_all(), name="journal")

    @property
    def waiting(self) -> int:
        """How many drafts wait for their transaction."""
        return len(self._waiting)

    @property
    def outage(self) -> str | None:
        """Why the last batch could not be written or the last draft was not taken, or None."""
        return self._outage or ("too many messages are waiting to be saved" if self._crowded else None)

    def subscribe(self, publish: Publish) -> None:
        """Have every batch's new entries given to `publish`, in the order of their commit.

        It is called once a batch, after the callers of `append` had their turn
        on the event loop. It replaces the one before.
        """
        self._publish = publish

    def append(self, draft: Draft) -> "asyncio.Future[Appended]":
        """Queue a draft; await the result for its entry on disk.

        Its place in the order is taken by the call, not by the await.

        Raises:
            NotFound: What it answers or changes does not exist.
            Forbidden: It changes what somebody else said.
            Conflict: Its clientId is another member's, or its target was deleted.
            Unavailable: Too many wait, or the database fails; nothing was written.
            Internal: This draft cannot be written; the log says why.
        """
        if self._closing:
            raise Unavailable("the server is stopping", RETRY_AFTER)
        if len(self._waiting) >= self._waiting_limit:
            if not self._crowded:
                _log.error("%d messages are waiting to be saved, more are refused", len(self._waiting))
            self._crowded = True
            raise Unavailable("too many messages are waiting to be saved", RETRY_AFTER)
        future: asyncio.Future[Appended] = self._loop.create_future()
        self._waiting.append((draft, future))
        self._arrived.set()
        return future

    async def close(self) -> None:
        """Write and publish what waits, then stop. What comes later is refused."""
        self._closing = True
        self._arrived.set()
        await self._task

    def note_outage(self, why: str) -> None:
        """The database cannot be written now: say so once."""
        if self._outage is None:
            _log.error("the database cannot be written: %s", why)
        self._outage = why

    def note_recovery(self) -> None:
        """The database was just written."""
        if self._outage is not None:
            _log.warning("the database can be written again")
            self._outage = None

    async def _write_all(self) -> None:
        while True:
            await self._arrived.wait()
            while self._waiting:
                await self._gather()
                count = min(BATCH, len(self._waiting))
                await self._write([self._waiting.popleft() for _ in range(count)])
            if self._crowded:
                _log.warning("all messages that waited are saved or refused, more are taken again")
                self._crowded = False
            if self._closing:
                return
            self._arrived.clear()

    async def _gather(self) -> None:
        """Wait while the event loop brings more drafts, as it does when many talk (rule 3)."""
        until = self._loop.time() + GATHERING
        before = 0
        while before < len(self._waiting) < BATCH and self._loop.time() < until:
            before = len(self._waiting)
            for _ in range(TURNS):
                await asyncio.sleep(0)

    async def _write(self, batch: list[_Waiting]) -> None:
        outcomes = await self._commit([draft for draft, _ in batch])
        if outcomes is None:
            for waiting in batch:
                await self._write([waiting])
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Appended):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
        await asyncio.sleep(0)  # the callers' turn: whoever wrote it is answered before it is pushed
        new = self._untold(batch, outcomes)
        if not new or self._publish is None:
            return
        try:
            self._publish(new)
        except Exception:
            _log.exception("%d entries were written but not published", len(new))

    def _untold(self, batch: list[_Waiting], outcomes: list[Outcome]) -> list[Entry]:
        """The entries that nobody was told of, in the order of their commit."""
        untold: list[Entry] = []
        for (draft, _), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Appended):
                was_unsure = bool(self._unsure) and self._unsure.pop(_repeated_as(draft), False)
                if was_unsure or not outcome.duplicate:
                    untold.append(outcome.entry)
        untold.sort(key=_id)
        return untold

    def _doubt(self, drafts: list[Draft]) -> None:
        self._unsure.update({_repeated_as(draft): True for draft in drafts})
        while len(self._unsure) > self._waiting_limit:
            del self._unsure[next(iter(self._unsure))]

    async def _commit(self, drafts: list[Draft]) -> list[Outcome] | None:
        """What became of each draft, or None when they have to be written one by one."""
        untold = {draft for draft in drafts if draft in self._unsure} if self._unsure else frozenset[Draft]()
        work = partial(write, statements=self._statements, drafts=drafts, now=self._clock(), untold=untold)
        try:
            outcomes = await self._run(work)
            self.note_recovery()
            return outcomes
        except Exception as error:
            if is_outage(error):
                self.note_outage(reason(error))
                self._doubt(drafts)
                await self._writer.reconnect()
                return [_unavailable() for _ in drafts]
            if len(drafts) > 1:
                return None
            trace = None if isinstance(error, SQLAlchemyError) else error  # a database's own words may quote the text
            _log.error("a draft could not be written: %s", reason(error), exc_info=trace)
            return [Internal("the server could not save this")]

    async def _run(self, work: Callable[[Connection], list[Outcome]]) -> list[Outcome]:
        for _ in range(RACES):
            try:
                return await self._writer.run(work)
            except DBAPIError as error:
                if not is_race(error):
                    raise
        return await self._writer.run(work)


def _repeated_as(draft: Draft) -> UUID | Draft:
    """By what a repeat is known: the clientId of a message, the whole of what has none."""
    return draft.client_id or draft if isinstance(draft, MessageDraft) else draft


def _id(entry: Entry) -> int:
    return entry.id


def _unavailable() -> Unavailable:
    return Unavailable("the server cannot save anything right now", RETRY_AFTER)
