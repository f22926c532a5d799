"""Reconnect delays: exponential backoff with jitter.

- First attempt: within `INITIAL_DELAY` seconds of the loss of a stable connection.
- Growth: the ceiling doubles per failure up to `EARLY_MAX_DELAY`, and after `EARLY_RETRY_DURATION` seconds of delays
  up to `MAX_DELAY`; jitter covers half of each delay and spreads the reconnects of many clients.
- Planned restart: the delay announced by the server precedes the next attempt, with its own jitter.
- Suspend: for `FAST_RETRY_DURATION` seconds after a resume, delays that are not announced are at most
  `FAST_RETRY_MAX_DELAY`, because the network of a laptop returns within moments.
- Reset: the caller resets the growth after a stable connection; a short connection counts as a failure.
"""

import time
from collections.abc import Callable

INITIAL_DELAY = 0.25
"""Ceiling of the first delay, in seconds."""
EARLY_RETRY_DURATION = 60.0
"""Sum of the delays with the ceiling `EARLY_MAX_DELAY`, in seconds."""
EARLY_MAX_DELAY = 2.0
"""Ceiling of the early delays, in seconds."""
MAX_DELAY = 15.0
"""Ceiling of later delays, and of an announced delay without its jitter, in seconds."""
FAST_RETRY_DURATION = 60.0
"""Duration of the fast retry period, in seconds."""
FAST_RETRY_MAX_DELAY = 1.0
"""Ceiling of a delay in the fast retry period, in seconds."""
RESTART_JITTER = 2.0
"""Spread of the reconnects after an announced restart, in seconds."""


class Backoff:
    """Delay calculation for consecutive connection attempts.

    Args:
        random: Source of random numbers in [0, 1).
        clock: Monotonic clock in seconds.
    """

    def __init__(self, random: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._random = random
        self._clock = clock
        self._fast_retry_until = 0.0
        self._failures = 0
        self._total_delay = 0.0  # sum of the delays since the last stable connection, in seconds
        self._announced_delay: float | None = None

    @property
    def is_fast_retry(self) -> bool:
        """True during the fast retry period."""
        return self._clock() < self._fast_retry_until

    def start_fast_retry(self) -> None:
        """Start the fast retry period after a suspend, or extend it; reset the growth and the announced delay."""
        self.reset_failures()
        self._announced_delay = None
        self._fast_retry_until = self._clock() + FAST_RETRY_DURATION

    def reset_failures(self) -> None:
        """Reset the growth, so that the delays start at `INITIAL_DELAY` again; an announced delay remains."""
        self._failures = 0
        self._total_delay = 0.0

    def set_announced_delay(self, seconds: float) -> None:
        """Set the next delay to the announced one in seconds, limited to a value from 0 to `MAX_DELAY`."""
        self._announced_delay = min(max(seconds, 0.0), MAX_DELAY)

    def next_delay(self) -> float:
        """Return the delay before the next attempt in seconds, and count a failure.

        An announced delay is returned once, plus up to `RESTART_JITTER` seconds, and counts no failure.
        """
        if self._announced_delay is not None:
            delay = self._announced_delay + self._random() * RESTART_JITTER
            self._announced_delay = None
            return delay
        limit = EARLY_MAX_DELAY if self._total_delay < EARLY_RETRY_DURATION else MAX_DELAY
        if self.is_fast_retry:
            limit = FAST_RETRY_MAX_DELAY
        ceiling = min(limit, INITIAL_DELAY * 2**self._failures)
        if ceiling < limit:
            self._failures += 1
        delay = ceiling * (0.5 + 0.5 * self._random())
        self._total_delay += delay
        return delay
