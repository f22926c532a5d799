"""How late the event loop comes to what is due: the time for which everybody waited."""

import asyncio
import time
from bisect import bisect_left
from itertools import accumulate

SAMPLE_INTERVAL = 0.05
"""Seconds between two looks."""

BUCKET_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds of the histogram's buckets, in seconds."""


class LoopLagMonitor:
    """Sets a timer again and again, and counts how late it rings.

    Attributes:
        total: Seconds of lateness in all.
    """

    def __init__(self) -> None:
        self.total_seconds = 0.0
        self._bucket_counts = [0] * (len(BUCKET_BOUNDS) + 1)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look."""
        loop = asyncio.get_running_loop()
        expected_at = time.monotonic() + SAMPLE_INTERVAL

        def sample() -> None:
            nonlocal expected_at
            now = time.monotonic()
            lag = max(0.0, now - expected_at)
            self.total_seconds += lag
            self._bucket_counts[bisect_left(BUCKET_BOUNDS, lag)] += 1
            expected_at = now + SAMPLE_INTERVAL
            self._timer = loop.call_later(SAMPLE_INTERVAL, sample)

        self._timer = loop.call_later(SAMPLE_INTERVAL, sample)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def cumulative_buckets(self) -> list[tuple[str, int]]:
        """Cumulative counts by upper bound, as Prometheus wants them."""
        bounds = [*(str(bound) for bound in BUCKET_BOUNDS), "+Inf"]
        return list(zip(bounds, accumulate(self._bucket_counts), strict=True))
