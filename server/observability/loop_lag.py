"""Event loop lag: the delay of due callbacks, shared by all connections."""

import asyncio
import time
from bisect import bisect_left
from itertools import accumulate

_SAMPLE_INTERVAL = 0.05  # seconds between two samples

# Inclusive bucket limits of the lag histogram, in seconds.
_BUCKET_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class LoopLagMonitor:
    """Sampler of the event loop lag, based on a periodic timer that runs from the construction until `stop`.

    Requires a running event loop on construction.

    Attributes:
        total_seconds: Sum of all measured lags, in seconds.
        last_lag: Last measured lag, in seconds.
    """

    def __init__(self) -> None:
        self.total_seconds = 0.0
        self.last_lag = 0.0
        self._bucket_counts = [0] * (len(_BUCKET_BOUNDS) + 1)
        self._schedule_sample()

    def stop(self) -> None:
        """Stop sampling; the counts remain available. A repeated call has no effect."""
        self._timer.cancel()

    def _schedule_sample(self) -> None:
        due_at = time.monotonic() + _SAMPLE_INTERVAL
        self._timer = asyncio.get_running_loop().call_later(_SAMPLE_INTERVAL, self._take_sample, due_at)

    def _take_sample(self, due_at: float) -> None:
        lag = self.last_lag = max(0.0, time.monotonic() - due_at)
        self.total_seconds += lag
        self._bucket_counts[bisect_left(_BUCKET_BOUNDS, lag)] += 1
        self._schedule_sample()

    def get_cumulative_buckets(self) -> list[tuple[str, int]]:
        """Return pairs of inclusive upper bound in seconds and cumulative count, for a Prometheus histogram.

        For example, `("0.001", 12)`. The last pair, `+Inf`, has the total number of samples.
        """
        return list(zip([*map(str, _BUCKET_BOUNDS), "+Inf"], accumulate(self._bucket_counts), strict=True))
