"""How many connections one address may hold and open, and how often it may do what costs everybody.

Rule 1  Loopback is exempt: everybody on the machine itself shares that address.
Rule 2  An IPv6 address counts with its /64, which is what one subscriber is given
        (RFC 6177): who has one has all of its 2^64 addresses.
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from server.domain.rates import Rate, TokenBucket
from server.protocol.errors import RateLimited

_SWEEP_EVERY = 1024
"""After so many takings, counters of addresses that went away are dropped."""


class AddressRate:
    """A token bucket for each address.

    Args:
        per_minute: How many times one address may, in a minute; so many at once, too.
    """

    def __init__(self, per_minute: int) -> None:
        self._rate = Rate(per_minute, per_minute / 60)
        self._buckets: dict[str, TokenBucket] = {}
        self._takings = 0

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._buckets)

    def take(self, address: str, now: float) -> float:
        """Count one more time.

        Returns:
            0.0 when it may, else the seconds until it may, and nothing is counted.
        """
        if is_loopback(address):
            return 0.0
        self._forget_full(now)
        subscriber = subscriber_of(address)
        bucket = self._buckets.get(subscriber)
        if bucket is None:
            bucket = self._buckets[subscriber] = TokenBucket(self._rate, now)
        return bucket.take(now)

    def _forget_full(self, now: float) -> None:
        self._takings += 1
        if self._takings % _SWEEP_EVERY == 0:
            self._buckets = {address: bucket for address, bucket in self._buckets.items() if not bucket.full(now)}


class AddressGate:
    """Counts the connections of each address.

    Args:
        at_once: How many one address may hold.
        per_minute: How many it may open in a minute.
    """

    def __init__(self, at_once: int, per_minute: int) -> None:
        self._at_once = at_once
        self._opened = AddressRate(per_minute)
        self._held: dict[str, int] = {}

    def admit(self, address: str, now: float) -> None:
        """Count a new connection; `release` it when it ends.

        Raises:
            RateLimited: The address has too many, or opens them too fast; nothing is counted.
        """
        if is_loopback(address):
            return
        subscriber = subscriber_of(address)
        held = self._held.get(subscriber, 0)
        if held >= self._at_once:
            raise RateLimited("too many connections from this address", 5.0)
        wait = self._opened.take(address, now)
        if wait:
            raise RateLimited("too many new connections from this address", wait)
        self._held[subscriber] = held + 1

    def release(self, address: str) -> None:
        """A connection that was admitted has ended."""
        subscriber = subscriber_of(address)
        left = self._held.get(subscriber, 0) - 1
        if left > 0:
            self._held[subscriber] = left
        else:
            self._held.pop(subscriber, None)


@lru_cache(maxsize=4096)
def subscriber_of(address: str) -> str:
    """Whom an address counts for: itself, or the network of rule 2; what is no address stands for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), 64), strict=False))


@lru_cache(maxsize=4096)
def is_loopback(address: str) -> bool:
    """Whether the address is this machine itself (RFC 6890)."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
