"""Rate limits of a connection: one token bucket per rate class."""

from dataclasses import dataclass

from server.domain.token_bucket import Rate, TokenBucket
from tui_chat.protocol.errors import RateLimited
from tui_chat.protocol.requests import Request

_MESSAGES, _JOINS, _SEARCHES, _DEFAULT, _INVALID = "messages", "joins", "searches", "default", "invalid"


@dataclass(frozen=True, slots=True)
class RequestRates:
    """Rates of one connection, one per rate class.

    Attributes:
        messages: `sendMessage`.
        joins: `joinRoom`, `changeNick` and room creation.
        searches: `search`.
        default: All other requests.
        invalid: Invalid requests; an excess closes the connection.
    """

    messages: Rate = Rate(10, 3)
    joins: Rate = Rate(5, 5)
    searches: Rate = Rate(10, 2)
    default: Rate = Rate(100, 30)
    invalid: Rate = Rate(20, 1)


class RequestLimits:
    """Rate limiter of requests.

    Args:
        rates: Rates of one connection.
        enabled: Limit valid requests. Invalid requests are limited in any case.
    """

    def __init__(self, rates: RequestRates, *, enabled: bool) -> None:
        self._rates = rates
        self._enabled = enabled

    def create_buckets(self, now: float) -> dict[str, TokenBucket]:
        """Return full token buckets for a new connection, by rate class."""
        rates = self._rates
        return {
            _MESSAGES: TokenBucket(rates.messages, now),
            _JOINS: TokenBucket(rates.joins, now),
            _SEARCHES: TokenBucket(rates.searches, now),
            _DEFAULT: TokenBucket(rates.default, now),
            _INVALID: TokenBucket(rates.invalid, now),
        }

    def acquire(self, buckets: dict[str, TokenBucket], request: Request, now: float) -> None:
        """Acquire a token for a request.

        Always successful if the limits are disabled; a failure consumes no token.

        Args:
            buckets: Result of `create_buckets` for the connection.
            request: Request that determines the rate class.
            now: Monotonic time in seconds.

        Raises:
            RateLimited: No token is available; `retry_after` is set.
        """
        if not self._enabled:
            return
        rate_class = request.rate_class
        retry_after = buckets[rate_class].acquire(now)
        if retry_after:
            raise RateLimited(f"too many {rate_class if rate_class != _DEFAULT else 'requests'}", round(retry_after, 3))

    def allow_invalid_request(self, buckets: dict[str, TokenBucket], now: float) -> bool:
        """Acquire a token for an invalid request; return whether one was available.

        The limit applies even if `enabled` is False.
        """
        return buckets[_INVALID].acquire(now) == 0
