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

    __slots__ = ("_at", "_rate", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._at = now

    def take(self, now: float) -> float:
        """Take a token.

        Returns:
            0.0 when there was one, else the seconds until there is, and none is taken.
        """
        rate = self._rate
        self._tokens = min(rate.burst, self._tokens + (now - self._at) * rate.per_second)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / rate.per_second

    def full(self, now: float) -> bool:
        """Whether the bucket would be full, and so need not be remembered."""
        return self._tokens + (now - self._at) * self._rate.per_second >= self._rate.burst
