"""Rate limits of requests, on connections and over HTTP.

- Rate class: each request uses one token of its class; requests of the class `messages` use their size in bytes too.
- Owner: a connection has the token buckets; over HTTP, an account, a webhook or the address of a guest has them
  (`server.gateway.caller_limits`).
"""

from collections.abc import Callable, Mapping

from server.domain.rate_limits import Quota, Rate, TokenBucket

DEFAULT_RATES: Mapping[str, Rate] = {
    "messages": Rate(10, 3),  # messages, their changes, topics, moderation, policies, deletions of rooms
    "joins": Rate(5, 5),  # joins, observations, nicknames, statuses; new rooms, invites, webhooks and group codes
    "searches": Rate(10, 2),  # search, listMembers, listMentions, audit
    "default": Rate(100, 30),  # all other requests
    "stored_bytes": Rate(128 * 1024, 16 * 1024),  # arguments of the class "messages"
    "refusals": Rate(100, 10),  # requests that fail with `rate_limited`; excess requests wait instead
    "invalid": Rate(20, 1),  # invalid requests; an excess closes the connection
}
"""Rates of one connection by rate class (`Request.rate_class`)."""

TokenBuckets = dict[str, TokenBucket]
"""Token buckets by rate class."""


class RequestLimiter:
    """Limiter of valid requests.

    Args:
        rates: Rates by rate class, with the keys of `DEFAULT_RATES`.
        monotonic: Monotonic clock, in seconds.

    Attributes:
        is_enabled: Valid requests are limited; otherwise `acquire` always succeeds.
    """

    def __init__(self, rates: Mapping[str, Rate], monotonic: Callable[[], float], *, is_enabled: bool) -> None:
        self._rates = rates
        self._monotonic = monotonic
        self.is_enabled = is_enabled

    def create_buckets(self) -> TokenBuckets:
        """Return full token buckets for all rate classes."""
        now = self._monotonic()
        return {name: TokenBucket(rate, now) for name, rate in self._rates.items()}

    def acquire(self, buckets: TokenBuckets, rate_class: str, size: int) -> float:
        """Acquire the tokens for a request; return the seconds before the next attempt, or 0 on success.

        A failure consumes no token.

        Args:
            buckets: Token buckets of the sender.
            rate_class: Rate class of the request.
            size: Size of the request in bytes, limited for the class `messages`.
        """
        if not self.is_enabled:
            return 0.0
        now = self._monotonic()
        delay = buckets[rate_class].acquire(now)
        if delay or rate_class != "messages":
            return delay
        delay = buckets["stored_bytes"].acquire(now, size)
        if delay:
            buckets["messages"].acquire(now, -1)
        return delay

    def get_quota(self, buckets: TokenBuckets, rate_class: str) -> Quota:
        """Return the state of the token bucket of a rate class."""
        return buckets[rate_class].get_quota(self._monotonic())


def get_excess_reason(rate_class: str) -> str:
    """Return the reason of `RateLimited` for a rate class."""
    return f"too_many_{'requests' if rate_class == 'default' else rate_class}"
