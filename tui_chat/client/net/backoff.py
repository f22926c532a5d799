"""How long to wait before the next attempt to connect.

Rule 1  The first attempt after a break comes within a quarter of a second, so that
        a short break is healed before anybody notices.
Rule 2  Each further one waits twice as long, up to `CAP`, and half of every wait is
        chance: a thousand clients that lost one server do not return as one.
Rule 3  A server that says when it will be back is not asked before.
Rule 4  After a sleep no wait is longer than `HURRIED`, for `HURRY` seconds: the network of a
        laptop that wakes comes up within moments.
Rule 5  A connection that lasted forgets the failures before it. One that ends at once
        counts as another failure.
"""

import time
from collections.abc import Callable

INITIAL_DELAY = 0.25
MAX_DELAY = 15.0
FAST_RETRY_DURATION = 60.0
FAST_RETRY_MAX_DELAY = 1.0
RESTART_JITTER = 2.0
"""Seconds over which those who were told the same moment come back."""


class Backoff:
    """Counts the attempts that failed.

    Args:
        random: Gives a number from 0 up to 1.
        clock: Seconds that never go back.
    """

    def __init__(self, random: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._random = random
        self._clock = clock
        self._fast_retry_until = 0.0
        self._failures = 0
        self._announced_delay: float | None = None

    @property
    def is_fast_retry(self) -> bool:
        """It is to be tried often, for now."""
        return self._clock() < self._fast_retry_until

    def start_fast_retry(self) -> None:
        """This computer has slept."""
        self._failures = 0
        self._announced_delay = None
        self._fast_retry_until = self._clock() + FAST_RETRY_DURATION

    def reset_failures(self) -> None:
        """The connection lasted."""
        self._failures = 0

    def set_announced_delay(self, seconds: float) -> None:
        """The server will be back after so many seconds."""
        self._announced_delay = min(max(seconds, 0.0), MAX_DELAY)

    def next_delay(self) -> float:
        """Seconds to wait now; each call counts as one attempt."""
        if self._announced_delay is not None:
            delay = self._announced_delay + self._random() * RESTART_JITTER
            self._announced_delay = None
            return delay
        ceiling = min(FAST_RETRY_MAX_DELAY if self.is_fast_retry else MAX_DELAY, INITIAL_DELAY * 2**self._failures)
        if ceiling < MAX_DELAY:
            self._failures += 1
        return ceiling * (0.5 + 0.5 * self._random())
