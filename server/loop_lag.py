"""How late the event loop comes to what is due: the time for which everybody waited."""

import asyncio
import time
from bisect import bisect_left
from itertools import accumulate

EVERY = 0.05
"""Seconds between two looks."""

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds of the histogram's buckets, in seconds."""


class LoopLag:
    """Sets a timer again and again, and counts how late it rings.

    Attributes:
        total: Seconds of lateness in all.
    """

    def __init__(self) -> None:
        self.total = 0.0
        self._counts = [0] * (len(BOUNDS) + 1)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look."""
        loop = asyncio.get_running_loop()
        due = time.monotonic() + EVERY

        def look() -> None:
            nonlocal due
            now = time.monotonic()
            late = max(0.0, now - due)
            self.total += late
            self._counts[bisect_left(BOUNDS, late)] += 1
            due = now + EVERY
            self._timer = loop.call_later(EVERY, look)

        self._timer = loop.call_later(EVERY, look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def buckets(self) -> list[tuple[str, int]]:
        """Cumulative counts by upper bound, as Prometheus wants them."""
        bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
        return list(zip(bounds, accumulate(self._counts), strict=True))
