"""How many connections one address may hold and open.

Loopback is exempt: everybody on the machine itself shares that address.
"""

from ipaddress import ip_address

from server.domain.rates import Rate, TokenBucket
from server.protocol.errors import RateLimited

_SWEEP_EVERY = 1024
"""After so many admissions, counters of addresses that went away are dropped."""


class AddressGate:
    """Counts the connections of each address.

    Args:
        at_once: How many one address may hold.
        per_minute: How many it may open in a minute.
    """

    def __init__(self, at_once: int, per_minute: int) -> None:
        self._at_once = at_once
        self._rate = Rate(per_minute, per_minute / 60)
        self._held: dict[str, int] = {}
        self._opened: dict[str, TokenBucket] = {}
        self._admissions = 0

    def admit(self, address: str, now: float) -> None:
        """Count a new connection; `release` it when it ends.

        Raises:
            RateLimited: The address has too many, or opens them too fast; nothing is counted.
        """
        if not is_loopback(address):
            if self._held.get(address, 0) >= self._at_once:
                raise RateLimited("too many connections from this address", 5.0)
            self._forget_full(now)
            bucket = self._opened.get(address)
            if bucket is None:
                bucket = self._opened[address] = TokenBucket(self._rate, now)
            wait = bucket.take(now)
            if wait:
                raise RateLimited("too many new connections from this address", wait)
        self._held[address] = self._held.get(address, 0) + 1

    def release(self, address: str) -> None:
        """A connection that was admitted has ended."""
        left = self._held.get(address, 0) - 1
        if left > 0:
            self._held[address] = left
        else:
            self._held.pop(address, None)

    def _forget_full(self, now: float) -> None:
        self._admissions += 1
        if self._admissions % _SWEEP_EVERY == 0:
            self._opened = {address: bucket for address, bucket in self._opened.items() if not bucket.full(now)}


def is_loopback(address: str) -> bool:
    """Whether the address is this machine itself (RFC 6890)."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
