"""Rate limits of a connection: one token bucket per rate class."""

from collections.abc import Mapping

from server.domain.token_bucket import Rate, TokenBucket
from tui_chat.protocol.requests import Request

_INVALID = "invalid"

DEFAULT_RATES: Mapping[str, Rate] = {
    "messages": Rate(10, 3),  # sendMessage
    "joins": Rate(5, 5),  # joinRoom, changeNick and room creation
    "searches": Rate(10, 2),  # search
    "default": Rate(100, 30),  # all other requests
    _INVALID: Rate(20, 1),  # invalid requests; an excess closes the connection
}
"""Rates of one connection by rate class (`Request.rate_class`)."""


class RequestLimits:
    """Rate limiter of requests.

    Args:
        rates: Rates of one connection by rate class, with the keys of `DEFAULT_RATES`.
        enabled: Limit valid requests. Invalid requests are limited in any case.
    """

    def __init__(self, rates: Mapping[str, Rate], *, enabled: bool) -> None:
        self._rates = rates
        self._enabled = enabled

    def create_buckets(self, now: float) -> dict[str, TokenBucket]:
        """Return full token buckets for a new connection, by rate class."""
        return {rate_class: TokenBucket(rate, now) for rate_class, rate in self._rates.items()}

    def acquire(self, buckets: dict[str, TokenBucket], request: Request, now: float) -> float:
        """Acquire a token for a request.

        Args:
            buckets: Result of `create_buckets` for the connection.
            request: Request that determines the rate class.
            now: Monotonic time in seconds.

        Returns:
            0.0 on success, and always if the limits are disabled. Otherwise the seconds until a token is available; a
            failure consumes no token.
        """
        return buckets[request.rate_class].acquire(now) if self._enabled else 0.0

    def allow_invalid_request(self, buckets: dict[str, TokenBucket], now: float) -> bool:
        """Acquire a token for an invalid request; return whether one was available.

        The limit applies even if `enabled` is False.
        """
        return buckets[_INVALID].acquire(now) == 0
