"""Rate limits: token buckets, and limits per client address.

- Token bucket: a bucket holds at most `burst` tokens, gains `per_second` tokens per second, and loses the cost of
  each request. The caller passes in the time, in seconds of a monotonic clock.
- Exemption: the limiters of addresses do not limit loopback addresses, because all local users share them.
- IPv6 aggregation: an IPv6 address counts as its /64 prefix, because one host can use all addresses of its subnet
  (RFC 4291, section 2.5.4).
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from tui_chat.protocol.errors import RateLimited

_SWEEP_INTERVAL = 1024  # acquisitions between two removals of full buckets


@dataclass(frozen=True, slots=True)
class Rate:
    """Parameters of a token bucket.

    Attributes:
        burst: Capacity in tokens.
        per_second: Refill rate in tokens per second.
    """

    burst: float
    per_second: float


class Quota(NamedTuple):
    """State of a token bucket, as reported to clients.

    Attributes:
        limit: Capacity in tokens.
        window: Seconds in which an empty bucket fills.
        remaining: Available whole tokens.
        reset: Seconds until the bucket is full.
    """

    limit: int
    window: float
    remaining: int
    reset: float


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

    def acquire(self, now: float, cost: float = 1) -> float:
        """Consume the tokens of one request.

        A cost above the capacity requires a full bucket and leaves a debt, which delays later requests. A negative cost
        returns tokens, unless the debt is greater.

        Returns:
            0.0 on success, otherwise the seconds until enough tokens are available; a failure consumes no token.
        """
        rate = self._rate
        self._tokens = min(rate.burst, self._tokens + (now - self._updated_at) * rate.per_second)
        self._updated_at = now
        missing = min(cost, rate.burst) - self._tokens
        if missing > 0:
            return missing / rate.per_second
        self._tokens -= cost
        return 0.0

    def get_quota(self, now: float) -> Quota:
        """Return the state at `now`; the bucket stays unchanged."""
        burst, per_second = self._rate.burst, self._rate.per_second
        tokens = min(burst, self._tokens + (now - self._updated_at) * per_second)
        return Quota(int(burst), burst / per_second, max(0, int(tokens)), (burst - tokens) / per_second)

    def is_full(self, now: float) -> bool:
        """Return whether the bucket is full at `now`; the bucket stays unchanged."""
        return self._tokens + (now - self._updated_at) * self._rate.per_second >= self._rate.burst


class PerAddressLimiter:
    """Token bucket per client address; full buckets are discarded in intervals.

    Args:
        per_minute: Sustained rate per address and minute, and size of the burst.
    """

    def __init__(self, per_minute: int) -> None:
        self._rate = Rate(per_minute, per_minute / 60)
        self._buckets: dict[str, TokenBucket] = {}
        self._acquisitions = 0

    def acquire(self, address: str, now: float) -> float:
        """Consume one token of the address; loopback always succeeds.

        Returns:
            0.0 on success, otherwise the seconds until the next token; a failure consumes no token.
        """
        if is_loopback(address):
            return 0.0
        self._acquisitions += 1
        if self._acquisitions % _SWEEP_INTERVAL == 0:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}
        return self._buckets.setdefault(rate_limit_key(address), TokenBucket(self._rate, now)).acquire(now)


class ConnectionLimiter:
    """Limiter of open and new connections per client address.

    Args:
        max_connections: Maximum number of open connections per address.
        per_minute: Maximum number of new connections per address and minute.
    """

    def __init__(self, max_connections: int, per_minute: int) -> None:
        self._max_connections = max_connections
        self._connect_limiter = PerAddressLimiter(per_minute)
        self._open_connections = Counter[str]()

    def acquire(self, address: str, now: float) -> None:
        """Register a new connection; each success requires a matching `release`. Loopback is not counted.

        At the maximum of open connections, `retry_after` is 5 seconds and no token of the connection rate is
        consumed.

        Raises:
            RateLimited: A limit of the address is exceeded, and the connection is not counted.
        """
        if is_loopback(address):
            return
        key = rate_limit_key(address)
        if self._open_connections[key] >= self._max_connections:
            raise RateLimited("too_many_connections", retry_after=5.0)
        retry_after = self._connect_limiter.acquire(address, now)
        if retry_after:
            raise RateLimited("too_many_new_connections", retry_after=retry_after)
        self._open_connections[key] += 1

    def release(self, address: str) -> None:
        """Unregister a closed connection of the address.

        Without effect for an address without counted connections, such as loopback.
        """
        key = rate_limit_key(address)
        self._open_connections[key] -= 1
        if self._open_connections[key] <= 0:
            del self._open_connections[key]


@lru_cache(maxsize=4096)
def rate_limit_key(address: str) -> str:
    """Return the key under which an address is counted.

    An IPv6 address maps to its /64 prefix, such as `2001:db8::/64`, and an IPv4-mapped address to the IPv4 address. An
    invalid value is its own key.
    """
    ip = parse_ip_address(address)
    return str(ip_network((int(ip), 64), strict=False)) if isinstance(ip, IPv6Address) else str(ip or address)


@lru_cache(maxsize=4096)
def is_loopback(address: str) -> bool:
    """Return whether the address is a loopback address (RFC 6890), even an IPv4-mapped one.

    False for an invalid address and for a host name such as `localhost`.
    """
    ip = parse_ip_address(address)
    return ip is not None and ip.is_loopback


def parse_ip_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an IP address, the IPv4 address of an IPv4-mapped one, or None for an invalid one."""
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
