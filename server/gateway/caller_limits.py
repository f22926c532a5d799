"""Rate limits of HTTP requests, with the rates of a connection.

- Accounts and webhooks: each has its own token buckets for requests from all addresses.
- Guests: all guests of an address share token buckets, because a guest key costs nothing. Each guest at a loopback
  address has separate token buckets.
"""

from server.domain.lru_table import LruTable
from server.domain.rate_limits import Quota, is_loopback, rate_limit_key
from server.gateway.http_callers import HttpCaller
from server.gateway.request_limits import RequestLimiter, TokenBuckets, describe_excess
from tui_chat.protocol import errors

_MAX_CALLERS = 10_000  # callers with token buckets in memory; above, the least recently used one is dropped


class CallerLimits:
    """Token buckets of the callers of HTTP requests.

    Args:
        limiter: Limiter of requests.
    """

    def __init__(self, limiter: RequestLimiter) -> None:
        self._limiter = limiter
        self._buckets = LruTable[str, TokenBuckets](_MAX_CALLERS)

    def acquire(self, caller: HttpCaller, rate_class: str, size: int) -> None:
        """Acquire the tokens for a request; without limits, every request succeeds.

        Args:
            caller: Person of the request.
            rate_class: Key of `DEFAULT_RATES`.
            size: Size of the body in bytes, limited for the class `messages` only.

        Raises:
            RateLimited: The rate is exceeded; no token is consumed, and `retry_after` is in seconds.
        """
        delay = self._limiter.acquire(self._get_buckets(caller), rate_class, size)
        if delay:
            raise errors.RateLimited(describe_excess(rate_class), retry_after=round(delay, 3))

    def get_quota(self, caller: HttpCaller, rate_class: str) -> Quota | None:
        """Return the state of a rate for a person, None without limits."""
        if not self._limiter.is_enabled:
            return None
        return self._limiter.get_quota(self._get_buckets(caller), rate_class)

    def _get_buckets(self, caller: HttpCaller) -> TokenBuckets:
        """Return the token buckets of an account, a webhook, or the address of a guest; full ones on the first use."""
        is_shared = caller.account is None and not is_loopback(caller.address)
        key = rate_limit_key(caller.address) if is_shared else caller.member_id
        buckets = self._buckets.get(key)
        if buckets is None:
            buckets = self._limiter.create_buckets()
            self._buckets.put(key, buckets)
        return buckets
