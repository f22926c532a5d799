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

from server.domain.log_commands import AppendMessage, LogCommand
from server.storage.batch_writer import AppendOutcome, AppendResult, apply_batch
from server.storage.errors import describe_error, is_outage, is_serialization_failure
from server.storage.executor import Executor
from server.storage.statements import BatchStatements
from tui_chat.protocol.errors import InternalError, Unavailable
from tui_chat.protocol.events import Entry

MAX_BATCH = 512
"""Drafts in one transaction: beyond this the disk's share of a message is noise, and answers only come later."""

LINGER_TICKS = 2
"""Of the event loop, from the bytes of a message to its draft: in one it is read, in the next worked off."""

LINGER = 0.002
"""Seconds for which a transaction waits at most for drafts that are on their way."""

MAX_QUEUE_DEPTH = 10_000
RETRY_AFTER = 2.0
"""Seconds that a refused client is told to wait."""

SERIALIZATION_RETRIES = 3
"""How often a batch is tried again when the transactions of several nodes got in each other's way."""

_log = logging.getLogger(__name__)

Publisher = Callable[[Sequence[Entry]], None]
_QueuedCommand = tuple[LogCommand, "asyncio.Future[AppendResult]"]


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
        statements: BatchStatements,
        clock: Callable[[], int],
        max_queue_depth: int = MAX_QUEUE_DEPTH,
    ) -> None:
        self._writer = writer
        self._statements = statements
        self._clock = clock
        self._max_queue_depth = max_queue_depth
        self._queue: deque[_QueuedCommand] = deque()
        self._wakeup = asyncio.Event()
        self._publish: Publisher | None = None
        self._outage: str | None = None
        self._overloaded = False
        self._maybe_committed: dict[UUID | LogCommand, bool] = {}  # what was refused and may be written, oldest first
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._writer_task = self._loop.create_task(self._run_writer(), name="journal")

    @property
    def queue_depth(self) -> int:
        """How many drafts wait for their transaction."""
        return len(self._queue)

    @property
    def outage(self) -> str | None:
        """Why the last batch could not be written or the last draft was not taken, or None."""
        return self._outage or ("too many messages are waiting to be saved" if self._overloaded else None)

    def set_publisher(self, publish: Publisher) -> None:
        """Have every batch's new entries given to `publish`, in the order of their commit.

        It is called once a batch, after the callers of `append` had their turn
        on the event loop. It replaces the one before.
        """
        self._publish = publish

    def append(self, command: LogCommand) -> "asyncio.Future[AppendResult]":
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
        if len(self._queue) >= self._max_queue_depth:
            if not self._overloaded:
                _log.error("%d messages are waiting to be saved, more are refused", len(self._queue))
            self._overloaded = True
            raise Unavailable("too many messages are waiting to be saved", RETRY_AFTER)
        future: asyncio.Future[AppendResult] = self._loop.create_future()
        self._queue.append((command, future))
        self._wakeup.set()
        return future

    async def close(self) -> None:
        """Write and publish what waits, then stop. What comes later is refused."""
        self._closing = True
        self._wakeup.set()
        await self._writer_task

    def report_outage(self, reason: str) -> None:
        """The database cannot be written now: say so once."""
        if self._outage is None:
            _log.error("the database cannot be written: %s", reason)
        self._outage = reason

    def report_recovery(self) -> None:
        """The database was just written."""
        if self._outage is not None:
            _log.warning("the database can be written again")
            self._outage = None

    async def _run_writer(self) -> None:
        while True:
            await self._wakeup.wait()
            while self._queue:
                await self._linger()
                count = min(MAX_BATCH, len(self._queue))
                await self._write_batch([self._queue.popleft() for _ in range(count)])
            if self._overloaded:
                _log.warning("all messages that waited are saved or refused, more are taken again")
                self._overloaded = False
            if self._closing:
                return
            self._wakeup.clear()

    async def _linger(self) -> None:
        """Wait while the event loop brings more drafts, as it does when many talk (rule 3)."""
        deadline = self._loop.time() + LINGER
        previous_depth = 0
        while previous_depth < len(self._queue) < MAX_BATCH and self._loop.time() < deadline:
            previous_depth = len(self._queue)
            for _ in range(LINGER_TICKS):
                await asyncio.sleep(0)

    async def _write_batch(self, batch: list[_QueuedCommand]) -> None:
        outcomes = await self._commit([command for command, _ in batch])
        if outcomes is None:
            for queued in batch:
                await self._write_batch([queued])
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, AppendResult):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
        await asyncio.sleep(0)  # the callers' turn: whoever wrote it is answered before it is pushed
        new_entries = self._entries_to_publish(batch, outcomes)
        if not new_entries or self._publish is None:
            return
        try:
            self._publish(new_entries)
        except Exception:
            _log.exception("%d entries were written but not published", len(new_entries))

    def _entries_to_publish(self, batch: list[_QueuedCommand], outcomes: list[AppendOutcome]) -> list[Entry]:
        """The entries that nobody was told of, in the order of their commit."""
        to_publish: list[Entry] = []
        for (command, _), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, AppendResult):
                was_maybe_committed = bool(self._maybe_committed) and self._maybe_committed.pop(
                    _dedup_key(command), False
                )
                if was_maybe_committed or not outcome.duplicate:
                    to_publish.append(outcome.entry)
        to_publish.sort(key=_entry_id)
        return to_publish

    def _mark_maybe_committed(self, commands: list[LogCommand]) -> None:
        self._maybe_committed.update({_dedup_key(command): True for command in commands})
        while len(self._maybe_committed) > self._max_queue_depth:
            del self._maybe_committed[next(iter(self._maybe_committed))]

    async def _commit(self, commands: list[LogCommand]) -> list[AppendOutcome] | None:
        """What became of each draft, or None when they have to be written one by one."""
        republish = (
            {command for command in commands if command in self._maybe_committed}
            if self._maybe_committed
            else frozenset[LogCommand]()
        )
        work = partial(
            apply_batch, statements=self._statements, commands=commands, now=self._clock(), republish=republish
        )
        try:
            outcomes = await self._run_with_retries(work)
            self.report_recovery()
            return outcomes
        except Exception as error:
            if is_outage(error):
                self.report_outage(describe_error(error))
                self._mark_maybe_committed(commands)
                await self._writer.reconnect()
                return [_unavailable_error() for _ in commands]
            if len(commands) > 1:
                return None
            exc_info = (
                None if isinstance(error, SQLAlchemyError) else error
            )  # a database's own words may quote the text
            _log.error("a draft could not be written: %s", describe_error(error), exc_info=exc_info)
            return [InternalError("the server could not save this")]

    async def _run_with_retries(self, work: Callable[[Connection], list[AppendOutcome]]) -> list[AppendOutcome]:
        for _ in range(SERIALIZATION_RETRIES):
            try:
                return await self._writer.run(work)
            except DBAPIError as error:
                if not is_serialization_failure(error):
                    raise
        return await self._writer.run(work)


def _dedup_key(command: LogCommand) -> UUID | LogCommand:
    """By what a repeat is known: the clientId of a message, the whole of what has none."""
    return command.client_id or command if isinstance(command, AppendMessage) else command


def _entry_id(entry: Entry) -> int:
    return entry.id


def _unavailable_error() -> Unavailable:
    return Unavailable("the server cannot save anything right now", RETRY_AFTER)
