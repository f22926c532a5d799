"""How many connections one address may hold and open, and how often it may do what costs everybody.

Rule 1  Loopback is exempt: everybody on the machine itself shares that address.
Rule 2  An IPv6 address counts with its /64, which is what one subscriber is given
        (RFC 6177): who has one has all of its 2^64 addresses.
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from server.domain.token_bucket import Rate, TokenBucket
from tui_chat.protocol.errors import RateLimited

_SWEEP_INTERVAL = 1024
"""After so many takings, counters of addresses that went away are dropped."""


class PerAddressLimiter:
    """A token bucket for each address.

    Args:
        per_minute: How many times one address may, in a minute; so many at once, too.
    """

    def __init__(self, per_minute: int) -> None:
        self._rate = Rate(per_minute, per_minute / 60)
        self._buckets: dict[str, TokenBucket] = {}
        self._acquisitions = 0

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._buckets)

    def acquire(self, address: str, now: float) -> float:
        """Count one more time.

        Returns:
            0.0 when it may, else the seconds until it may, and nothing is counted.
        """
        if is_loopback(address):
            return 0.0
        self._drop_full_buckets(now)
        key = rate_limit_key(address)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate, now)
        return bucket.acquire(now)

    def _drop_full_buckets(self, now: float) -> None:
        self._acquisitions += 1
        if self._acquisitions % _SWEEP_INTERVAL == 0:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}


class ConnectionLimiter:
    """Counts the connections of each address.

    Args:
        at_once: How many one address may hold.
        per_minute: How many it may open in a minute.
    """

    def __init__(self, max_connections: int, per_minute: int) -> None:
        self._max_connections = max_connections
        self._connect_limiter = PerAddressLimiter(per_minute)
        self._open_connections: dict[str, int] = {}

    def acquire(self, address: str, now: float) -> None:
        """Count a new connection; `release` it when it ends.

        Raises:
            RateLimited: The address has too many, or opens them too fast; nothing is counted.
        """
        if is_loopback(address):
            return
        key = rate_limit_key(address)
        open_count = self._open_connections.get(key, 0)
        if open_count >= self._max_connections:
            raise RateLimited("too many connections from this address", 5.0)
        retry_after = self._connect_limiter.acquire(address, now)
        if retry_after:
            raise RateLimited("too many new connections from this address", retry_after)
        self._open_connections[key] = open_count + 1

    def release(self, address: str) -> None:
        """A connection that was admitted has ended."""
        key = rate_limit_key(address)
        remaining = self._open_connections.get(key, 0) - 1
        if remaining > 0:
            self._open_connections[key] = remaining
        else:
            self._open_connections.pop(key, None)


@lru_cache(maxsize=4096)
def rate_limit_key(address: str) -> str:
    """Whom an address counts for: itself, or the network of rule 2; what is no address stands for itself."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((int(ip), 64), strict=False))


@lru_cache(maxsize=4096)
def is_loopback(address: str) -> bool:
    """Whether the address is this machine itself (RFC 6890)."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
