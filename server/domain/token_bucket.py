"""Token bucket rate limiter.

A bucket holds at most `burst` tokens, gains `per_second` tokens per second, and loses one token per request. The
caller passes in the time, in seconds of a monotonic clock.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """Parameters of a token bucket.

    Attributes:
        burst: Capacity in tokens.
        per_second: Refill rate in tokens per second.
    """

    burst: float
    per_second: float


class TokenBucket:
    """Token bucket with the parameters of a `Rate`, initially full.

    Args:
        rate: Capacity and refill rate.
        now: Monotonic time in seconds.
    """

    __slots__ = ("_rate", "_tokens", "_updated_at")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._updated_at = now

    def acquire(self, now: float) -> float:
        """Consume one token.

        Returns:
            0.0 on success, otherwise the seconds until a token is available; a failure consumes no token.
        """
        rate = self._rate
        self._tokens = min(rate.burst, self._tokens + (now - self._updated_at) * rate.per_second)
        self._updated_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / rate.per_second

    def is_full(self, now: float) -> bool:
        """Return whether the bucket is full at `now`, and can be discarded without losing state.

        The bucket stays unchanged.
        """
        return self._tokens + (now - self._updated_at) * self._rate.per_second >= self._rate.burst
