"""Rate limits of HTTP requests, with the rates of a connection.

- Accounts and webhooks: each has its own token buckets for requests from all addresses.
- Guests: all guests of an address share token buckets, because a guest key costs nothing; at a loopback address, each
  guest has its own.
"""

from server.domain.lru_table import LruTable
from server.domain.rate_limits import Quota, is_loopback, rate_limit_key
from server.gateway.http_callers import HttpCaller
from server.gateway.request_limits import RequestLimiter, TokenBuckets, get_excess_reason
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
        """Acquire the tokens for a request (`RequestLimiter.acquire`).

        Args:
            caller: Sender of the request.
            rate_class: Rate class of the request.
            size: Size of the body in bytes.

        Raises:
            RateLimited: The rate is exceeded; no token is consumed.
        """
        delay = self._limiter.acquire(self._get_buckets(caller), rate_class, size)
        if delay:
            raise errors.RateLimited(get_excess_reason(rate_class), retry_after=round(delay, 3))

    def get_quota(self, caller: HttpCaller, rate_class: str) -> Quota | None:
        """Return the state of a rate of a caller, None without limits."""
        if not self._limiter.is_enabled:
            return None
        return self._limiter.get_quota(self._get_buckets(caller), rate_class)

    def _get_buckets(self, caller: HttpCaller) -> TokenBuckets:
        """Return the token buckets of an account, a webhook, or the address of a guest, created on demand."""
        is_shared = caller.account is None and not is_loopback(caller.address)
        key = rate_limit_key(caller.address) if is_shared else caller.member_id
        buckets = self._buckets.get(key)
        if buckets is None:
            buckets = self._limiter.create_buckets()
            self._buckets.put(key, buckets)
        return buckets
