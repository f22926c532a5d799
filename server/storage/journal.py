"""Write path of all room logs, with group commit.

- Durability: a command is answered after the commit of its transaction, and published after its answer.
- Order: entries of a room have the order of the `append` calls. `seq` increases by exactly 1 per entry; rejected
  or failed commands leave no gap.
- Batching: commands that arrive during a transaction form the next batch, up to `MAX_BATCH`; on PostgreSQL of at most
  `BatchStatements.max_rooms` rooms, because the rooms are locked for other nodes until the commit. A batch starts when
  `_LINGER_TICKS` event loop ticks add no further command, at the latest after `LINGER`. A transaction costs as much as
  ten messages, and entries of one commit reach each reader in one write.
- Bounded queue: with `max_queue_depth` queued commands, `append` raises `Unavailable`. The overload counts as an outage
  until the queue is empty.
- Outages: a failing database rejects the whole batch with `Unavailable`, and the next batch is the next attempt.
  The start and the end of an outage are logged once each.
- Uncertain commits: a rejected command may be committed, if the connection was lost at the end of the commit. A
  repeated message is recognized by its clientId, answered with the original entry and then published. A
  repeated change without effect publishes the newest entry of the room, so that readers detect the missing one.
- Isolation: a command that makes a transaction fail is retried and rejected alone.
- Supervision: after any other exception in the writer, the commands of its batch are rejected as uncertain, and the
  writer restarts with the queued commands.
- Cancellation: a cancelled caller affects neither its own command nor other commands.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from uuid import UUID

from sqlalchemy import exc

from server.domain.log_commands import LogCommand
from server.observability.supervision import Supervisor
from server.storage.batch_writer import AppendOutcome, AppendResult, apply_batch
from server.storage.errors import describe_error, is_outage
from server.storage.executor import RETRY_AFTER, Executor
from server.storage.statements import BatchStatements
from tui_chat.protocol import errors, events

MAX_BATCH = 512
"""Maximum number of commands per transaction; larger batches add latency without a noticeable gain."""

_LINGER_TICKS = 2  # event loop ticks from the arrival of a packet to its command: one to read, one to dispatch

LINGER = 0.002
"""Maximum delay of a transaction for further commands, in seconds."""

MAX_QUEUE_DEPTH = 10_000
"""Default limit of queued commands."""

log = logging.getLogger("chat.storage")

QueuedCommand = tuple[LogCommand, "asyncio.Future[AppendResult]"]


class Journal:
    """Queue and writer of log commands.

    Requires a running event loop on construction, and a final `close`.

    Args:
        max_queue_depth: Maximum number of queued commands.
        supervisor: Owner of the writer task.

    Attributes:
        publish: Callback for committed entries, None for no publication. Called once per batch with new entries, in
            commit order, after the callers of `append` have resumed. An exception of the callback is logged; the
            entries are not published again.
    """

    def __init__(
        self,
        writer: Executor,
        statements: BatchStatements,
        clock: Callable[[], int],
        max_queue_depth: int = MAX_QUEUE_DEPTH,
        supervisor: Supervisor | None = None,
    ) -> None:
        self._writer = writer
        self._statements = statements
        self._clock = clock
        self._max_queue_depth = max_queue_depth
        self._queue: deque[QueuedCommand] = deque()
        self._wakeup = asyncio.Event()
        self.publish: Callable[[Sequence[events.Entry]], None] | None = None
        self._outage: str | None = None
        self._overloaded = False
        self._maybe_committed: dict[UUID | LogCommand, bool] = {}  # uncertain commits, oldest first
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._batch: list[QueuedCommand] = []  # taken from the queue, not answered yet
        self._writer_task = (supervisor or Supervisor()).supervise("journal", self._run_writer, self._fail_batch)

    @property
    def queue_depth(self) -> int:
        """Number of commands in the queue, without those of the running transaction."""
        return len(self._queue)

    @property
    def outage(self) -> str | None:
        """Reason of the current outage or overload, None in normal operation."""
        return self._outage or ("too many messages are waiting to be saved" if self._overloaded else None)

    def append(self, command: LogCommand) -> "asyncio.Future[AppendResult]":
        """Queue a command for the next batch.

        Returns:
            A future with the result of the committed command.

        Raises:
            Unavailable: The journal is closing or its queue is full; nothing is written.

        Exceptions of the future:
            ChatError: The command was rejected, as by `BatchWriter.append`; nothing is written.
            Unavailable: The database failed; the commit is uncertain (see the module documentation).
            InternalError: The command cannot be written; the log contains the reason.
        """
        if self._closing:
            raise errors.Unavailable("server_stopping", retry_after=RETRY_AFTER)
        if len(self._queue) >= self._max_queue_depth:
            if not self._overloaded:
                log.error("journal queue full with %d commands, rejecting further commands", len(self._queue))
            self._overloaded = True
            raise errors.Unavailable("messages_waiting", retry_after=RETRY_AFTER)
        future: asyncio.Future[AppendResult] = self._loop.create_future()
        self._queue.append((command, future))
        self._wakeup.set()
        return future

    async def close(self) -> None:
        """Commit and publish the queued commands, then stop the writer; later commands are rejected.

        A failing database rejects the queued commands as usual. A repeated call only waits.
        """
        self._closing = True
        self._wakeup.set()
        await self._writer_task

    def report_outage(self, reason: str) -> None:
        """Mark the database as failing, and log the start of an outage.

        A later reason replaces the current one without another log line. Commands are accepted during an outage; the
        outage lasts until `report_recovery` or the next committed batch.
        """
        if self._outage is None:
            log.error("database write failed: %s", reason)
        self._outage = reason

    def report_recovery(self) -> None:
        """Mark the database as working, and log the end of an outage; without an outage, no effect."""
        if self._outage is not None:
            log.warning("database writes resumed")
            self._outage = None

    async def _run_writer(self) -> None:
        """Write queued batches until `close` and an empty queue."""
        while True:
            await self._wakeup.wait()
            while self._queue:
                await self._linger()
                self._take_batch()
                await self._write_batch(self._batch)
            if self._overloaded:
                log.warning("journal queue drained, accepting commands again")
                self._overloaded = False
            if self._closing:
                return
            self._wakeup.clear()

    def _take_batch(self) -> None:
        """Move the commands of the next transaction from the queue, which is not empty, to the batch.

        After an exception, each command is in the queue or in the batch.
        """
        size, max_rooms = min(MAX_BATCH, len(self._queue)), self._statements.max_rooms
        self._batch = []
        room_keys: set[str] = set()
        while len(self._batch) < size:
            self._batch.append(self._queue.popleft())
            if max_rooms is not None:
                room_keys.add(self._batch[-1][0].room.key)
                if len(room_keys) > max_rooms:
                    self._queue.appendleft(self._batch.pop())
                    return

    def _fail_batch(self, _error: BaseException) -> None:
        """Reject the unanswered commands of an interrupted batch with `Unavailable`, and record uncertain commits."""
        unanswered = [(command, future) for command, future in self._batch if not future.done()]
        for _, future in unanswered:
            future.set_exception(errors.Unavailable("storage_unwritable", retry_after=RETRY_AFTER))
        self._mark_uncertain([command for command, _ in unanswered])

    def _mark_uncertain(self, commands: list[LogCommand]) -> None:
        """Record uncertain commits: a repeat of one of these commands publishes its entry.

        Above `max_queue_depth` records, the oldest are dropped.
        """
        self._maybe_committed.update({_get_dedup_key(command): True for command in commands})
        while len(self._maybe_committed) > self._max_queue_depth:
            del self._maybe_committed[next(iter(self._maybe_committed))]

    async def _linger(self) -> None:
        """Wait until `_LINGER_TICKS` event loop ticks add no further command, but at most `LINGER` seconds.

        A full batch ends the wait.
        """
        deadline = self._loop.time() + LINGER
        previous_depth = 0
        while previous_depth < len(self._queue) < MAX_BATCH and self._loop.time() < deadline:
            previous_depth = len(self._queue)
            for _ in range(_LINGER_TICKS):
                await asyncio.sleep(0)

    async def _write_batch(self, batch: list[QueuedCommand]) -> None:
        """Commit a batch, answer its commands, and publish its new entries one event loop tick later.

        A batch that fails because of a command is committed one command at a time.
        """
        outcomes = await self._commit([command for command, _ in batch])
        if outcomes is None:
            for queued in batch:
                await self._write_batch([queued])
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():
                if isinstance(outcome, AppendResult):
                    future.set_result(outcome)
                else:
                    future.set_exception(outcome)
        await asyncio.sleep(0)  # lets the callers send their acknowledgements before the publication
        new_entries = self._select_unpublished(batch, outcomes)
        if new_entries and self.publish is not None:
            try:
                self.publish(new_entries)
            except Exception:
                log.exception("publication of %d committed entries failed", len(new_entries))

    def _select_unpublished(self, batch: list[QueuedCommand], outcomes: list[AppendOutcome]) -> list[events.Entry]:
        """Return the unpublished entries of a batch in commit order, and remove their uncertain commits.

        These are the new entries and those of repeated uncertain commits, without the entries of no-ops (id 0).
        """
        to_publish = [
            outcome.entry
            for (command, _), outcome in zip(batch, outcomes, strict=True)
            if isinstance(outcome, AppendResult)
            and (self._remove_uncertain(command) or not outcome.duplicate)
            and outcome.entry.id
        ]
        return sorted(to_publish, key=attrgetter("id"))

    def _remove_uncertain(self, command: LogCommand) -> bool:
        """Remove the uncertain commit of an accepted command, and return whether one existed."""
        return bool(self._maybe_committed) and self._maybe_committed.pop(_get_dedup_key(command), False)

    async def _commit(self, commands: list[LogCommand]) -> list[AppendOutcome] | None:
        """Write a transaction and return the outcome of each command, or None to write the commands one by one.

        Success ends an outage. A failure of the database starts an outage, rejects all commands with `Unavailable`,
        records their uncertain commits and reconnects. Another error yields None for several commands; that of a single
        command is logged and becomes `InternalError`.
        """
        try:
            outcomes = await self._writer.run(
                partial(
                    apply_batch,
                    statements=self._statements,
                    commands=commands,
                    now=self._clock(),
                    republish=self._maybe_committed,
                )
            )
        except Exception as error:
            if is_outage(error):
                self.report_outage(describe_error(error))
                self._mark_uncertain(commands)
                await self._writer.reconnect()
                return [errors.Unavailable("storage_unwritable", retry_after=RETRY_AFTER) for _ in commands]
            if len(commands) > 1:
                return None
            # Database errors may quote message texts, which must not reach the log.
            log.error(
                "log command failed: %s",
                describe_error(error),
                exc_info=None if isinstance(error, exc.SQLAlchemyError) else error,
            )
            return [errors.InternalError("change_not_saved")]
        self.report_recovery()  # an exception here must not repeat the committed commands
        return outcomes


def _get_dedup_key(command: LogCommand) -> UUID | LogCommand:
    """Return the identity of a repeated command: its clientId, otherwise the command itself."""
    return command.client_id or command
