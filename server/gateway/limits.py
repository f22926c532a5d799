"""How often one connection may do what: a token bucket for each kind of request."""

from dataclasses import dataclass

from server.domain.rates import Rate, TokenBucket
from server.protocol.errors import RateLimited
from server.protocol.requests import Request

_MESSAGES, _JOINS, _SEARCHES, _OTHERS, _FAULTS = "messages", "joins", "searches", "others", "faults"


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
    others: Rate = Rate(100, 30)
    faults: Rate = Rate(20, 1)


class RequestLimits:
    """Applies the rates; `enabled` false applies only that of faults."""

    def __init__(self, rates: RequestRates, *, enabled: bool) -> None:
        self._rates = rates
        self._enabled = enabled

    def buckets(self, now: float) -> dict[str, TokenBucket]:
        """The counters of a new connection."""
        rates = self._rates
        return {
            _MESSAGES: TokenBucket(rates.messages, now),
            _JOINS: TokenBucket(rates.joins, now),
            _SEARCHES: TokenBucket(rates.searches, now),
            _OTHERS: TokenBucket(rates.others, now),
            _FAULTS: TokenBucket(rates.faults, now),
        }

    def admit(self, buckets: dict[str, TokenBucket], request: Request, now: float) -> None:
        """Count a request.

        Raises:
            RateLimited: There were too many of its kind; it is not to be carried out.
        """
        if not self._enabled:
            return
        kind = request.rate_class
        wait = buckets[kind].acquire(now)
        if wait:
            raise RateLimited(f"too many {kind if kind != _OTHERS else 'requests'}", round(wait, 3))

    def tolerates_fault(self, buckets: dict[str, TokenBucket], now: float) -> bool:
        """Count a request that was not valid; False when there were too many."""
        return buckets[_FAULTS].acquire(now) == 0
