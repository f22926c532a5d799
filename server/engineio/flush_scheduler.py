"""When what is owed gets written: in rounds, each connection at most once in one.

Rule 1  A round begins in the next turn of the event loop, and takes every
        connection that is owed something; what a connection is owed by then
        leaves in one write.
Rule 2  After `SLICE` of writing the event loop does something else, so that a
        room of thousands holds up nobody.
Rule 3  After a round that took long the next one rests for as long. Under load
        half the time at most goes into writing, and each write carries more.
"""

import asyncio
import time

from server.engineio.send_queue import SendQueue

TIME_SLICE = 0.005
"""Seconds."""

CLOCK_CHECK_EVERY = 32
"""Connections between two looks at the clock."""

COOLDOWN_THRESHOLD = 0.001
"""Seconds: a round up to this asks for no rest."""

MAX_COOLDOWN = 0.02
"""Seconds: what a message may have to wait for the next round."""


class FlushScheduler:
    """Writes to the connections of one server. Made where an event loop runs."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pending: list[SendQueue] = []
        self._scheduled = False
        self._round_seconds = 0.0
        self._cooldown_until = 0.0

    def schedule(self, send_queue: SendQueue) -> None:
        """This connection is owed something; called once before each of its flushes."""
        self._pending.append(send_queue)
        if not self._scheduled:
            self._scheduled = True
            cooldown = self._cooldown_until - time.perf_counter()
            if cooldown > 0:
                self._loop.call_later(cooldown, self._flush_pending)
            else:
                self._loop.call_soon(self._flush_pending)

    def _flush_pending(self) -> None:
        started_at = time.perf_counter()
        flushed = 0
        while flushed < len(self._pending):
            # Whoever is cut here may make others be owed something; they come at the end.
            for send_queue in self._pending[flushed : flushed + CLOCK_CHECK_EVERY]:
                send_queue.flush()
            flushed += CLOCK_CHECK_EVERY
            if time.perf_counter() - started_at > TIME_SLICE:
                break
        del self._pending[:flushed]
        finished_at = time.perf_counter()
        self._round_seconds += finished_at - started_at
        if self._pending:
            self._loop.call_soon(self._flush_pending)
            return
        self._scheduled = False
        if self._round_seconds > COOLDOWN_THRESHOLD:
            self._cooldown_until = finished_at + min(self._round_seconds, MAX_COOLDOWN)
        self._round_seconds = 0.0
