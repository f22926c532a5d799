"""Scheduler of socket writes for all sessions of one server.

- Batching: a round starts in the next event loop tick and flushes each pending send queue
  once; all frames of a queue leave in one write.
- Fairness: a round yields to the event loop after `TIME_SLICE`, so that a room with
  thousands of members does not block other work. Queues scheduled in the meantime precede
  the remaining ones, so that a response does not wait for the fan-out of a large room.
- Cooldown: the pause after a long round equals the duration of the round, up to
  `_MAX_COOLDOWN`. Under load, rounds of at most this duration take at most half of
  the time, and each write contains more frames.
- Responses: a round of at most `_SMALL_ROUND` queues interrupts a long cooldown, because few writes cost little beside
  the long round before.
- Errors: an error of one send queue ends its session only. Any other error is reported to the supervisor, and the
  round continues after the restart delay.
"""

import asyncio
import time

from server.engineio.send_queue import SendQueue
from server.observability.supervision import Supervisor

TIME_SLICE = 0.002
"""Seconds of writing before a round yields to the event loop."""

_CLOCK_CHECK_EVERY = 16  # send queues flushed between two reads of the clock

_COOLDOWN_THRESHOLD = 0.001  # longest round in seconds without a cooldown

_MAX_COOLDOWN = 0.02  # longest cooldown in seconds; the bound of the delay that a cooldown adds to a message

_LONG_COOLDOWN = 0.005  # a small round interrupts a cooldown with more remaining seconds

_SMALL_ROUND = 16  # maximum number of send queues of a small round


class FlushScheduler:
    """Flush scheduler bound to the running event loop.

    Args:
        supervisor: Receiver of errors outside the send queues.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._loop = asyncio.get_running_loop()
        self._pending: list[SendQueue] = []
        self._backlog: list[SendQueue] = []  # remaining queues of earlier slices
        self._round_seconds = 0.0
        self._cooldown_until = 0.0

    def schedule(self, send_queue: SendQueue) -> None:
        """Add a send queue to the next round, or to the one in progress, without writing.

        The next round starts in the next tick, or after the current cooldown. Repeated calls are not coalesced: a queue
        calls once per flush.
        """
        if not self._pending and not self._backlog:
            self._loop.call_soon(self._start_round)
        self._pending.append(send_queue)

    def _start_round(self) -> None:
        """Start the next round now or after the cooldown; a small round interrupts a long cooldown."""
        cooldown = self._cooldown_until - time.perf_counter()
        if cooldown <= 0 or (cooldown > _LONG_COOLDOWN and len(self._pending) <= _SMALL_ROUND):
            self._run_slice()
        else:
            self._loop.call_later(cooldown, self._run_slice)

    def _run_slice(self) -> None:
        """Flush one slice of the round; after an error, report the failure and repeat after the restart delay."""
        try:
            self._flush_pending()
        except Exception as error:
            self._loop.call_later(self._supervisor.report_failure("flush scheduler", error), self._run_slice)

    def _flush_pending(self) -> None:
        """Flush the pending send queues and then the backlog for about `TIME_SLICE`.

        The remaining queues form the backlog of the next tick. The round ends with the last queue; after a round
        above `_COOLDOWN_THRESHOLD`, a cooldown begins. An interrupted cooldown does not end earlier.
        """
        started_at = time.perf_counter()
        _flush_until(self._pending, started_at + TIME_SLICE)
        _flush_until(self._backlog, started_at + TIME_SLICE)
        finished_at = time.perf_counter()
        self._backlog += self._pending
        self._pending.clear()
        self._round_seconds += finished_at - started_at
        if self._backlog:
            self._loop.call_soon(self._run_slice)
            return
        if self._round_seconds > _COOLDOWN_THRESHOLD:
            cooldown_end = finished_at + min(self._round_seconds, _MAX_COOLDOWN)
            self._cooldown_until = max(self._cooldown_until, cooldown_end)
        self._round_seconds = 0.0


def _flush_until(send_queues: list[SendQueue], deadline: float) -> None:
    """Flush and remove queues until the deadline, in batches of `_CLOCK_CHECK_EVERY` and at least one batch.

    Queues that a flush appends are included. An error of a send queue is passed to `fail` of its owner.
    """
    flushed = 0
    while flushed < len(send_queues):
        batch = send_queues[flushed : flushed + _CLOCK_CHECK_EVERY]
        for send_queue in batch:
            try:
                send_queue.flush()
            except Exception as error:
                send_queue.owner.fail(error)
        flushed += len(batch)
        if time.perf_counter() > deadline:
            break
    del send_queues[:flushed]
