"""How often one connection may do what: a token bucket for each kind of request."""

from dataclasses import dataclass

from server.domain.token_bucket import Rate, TokenBucket
from tui_chat.protocol.errors import RateLimited
from tui_chat.protocol.requests import Request

_MESSAGES, _JOINS, _SEARCHES, _OTHER, _INVALID = "messages", "joins", "searches", "others", "faults"


@dataclass(frozen=True, slots=True)
class RequestRates:
    """The rates of one connection.

    Attributes:
        messages: Of `sendMessage`.
        joins: Of `joinRoom` and `changeNick`, which whole rooms are told of, and of making rooms.
        searches: Of `search`.
        others: Of everything else.
        faults: Of requests that are not valid; past it the connection is closed.
    """

    messages: Rate = Rate(10, 3)
    joins: Rate = Rate(5, 5)
    searches: Rate = Rate(10, 2)
    other: Rate = Rate(100, 30)
    invalid: Rate = Rate(20, 1)


class RequestLimits:
    """Applies the rates; `enabled` false applies only that of faults."""

    def __init__(self, rates: RequestRates, *, enabled: bool) -> None:
        self._rates = rates
        self._enabled = enabled

    def create_buckets(self, now: float) -> dict[str, TokenBucket]:
        """The counters of a new connection."""
        rates = self._rates
        return {
            _MESSAGES: TokenBucket(rates.messages, now),
            _JOINS: TokenBucket(rates.joins, now),
            _SEARCHES: TokenBucket(rates.searches, now),
            _OTHER: TokenBucket(rates.other, now),
            _INVALID: TokenBucket(rates.invalid, now),
        }

    def acquire(self, buckets: dict[str, TokenBucket], request: Request, now: float) -> None:
        """Count a request.

        Raises:
            RateLimited: There were too many of its kind; it is not to be carried out.
        """
        if not self._enabled:
            return
        rate_class = request.rate_class
        retry_after = buckets[rate_class].acquire(now)
        if retry_after:
            raise RateLimited(f"too many {rate_class if rate_class != _OTHER else 'requests'}", round(retry_after, 3))

    def allow_invalid_request(self, buckets: dict[str, TokenBucket], now: float) -> bool:
        """Count a request that was not valid; False when there were too many."""
        return buckets[_INVALID].acquire(now) == 0
