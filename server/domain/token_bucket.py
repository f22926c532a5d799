"""Token buckets: how often somebody may do something.

A bucket holds at most `burst` tokens and gains `per_second` of them; a request
takes one. The time is passed in, in seconds of any clock that never goes back.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """What is allowed.

    Attributes:
        burst: How many at once.
        per_second: How many in the long run.
    """

    burst: float
    per_second: float


class TokenBucket:
    """One counter under one `Rate`; it starts full."""

    __slots__ = ("_rate", "_tokens", "_updated_at")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._updated_at = now

    def acquire(self, now: float) -> float:
        """Take a token.

        Returns:
            0.0 when there was one, else the seconds until there is, and none is taken.
        """
        rate = self._rate
        self._tokens = min(rate.burst, self._tokens + (now - self._updated_at) * rate.per_second)
        self._updated_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / rate.per_second

    def is_full(self, now: float) -> bool:
        """Whether the bucket would be full, and so need not be remembered."""
        return self._tokens + (now - self._updated_at) * self._rate.per_second >= self._rate.burst
