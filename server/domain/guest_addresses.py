"""Addresses of guests, for bans that also hold for new guests from the same address (docs/moderation.md).

- Privacy: storage holds keyed hashes only (HMAC-SHA-256, RFC 2104). Addresses stay in memory.
- Several nodes: the hashes of guests of other nodes are recorded on request.
- Shared addresses: loopback addresses and trusted proxies have no hash, because many persons share such an address.
"""

import hashlib
import hmac
from collections.abc import Callable

from server.domain.lru_table import LruTable
from server.domain.rate_limits import is_loopback, parse_ip_address, rate_limit_key

_RECENT_GUESTS = 20_000  # guests with a known address, so that a ban also reaches an author who has left
_HASH_BYTES = 16


class GuestAddresses:
    """Addresses of the most recent guests, and their keyed hashes.

    Args:
        secret: Key of the hashes, at least 32 bytes.
        is_trusted_proxy: Predicate of addresses that belong to trusted proxies.
    """

    def __init__(self, secret: bytes, is_trusted_proxy: Callable[[str], bool]) -> None:
        self._secret = secret
        self._is_trusted_proxy = is_trusted_proxy
        self._recent = LruTable[str, str](_RECENT_GUESTS)
        self._remote_hashes = LruTable[str, bytes](_RECENT_GUESTS)

    def record(self, member_id: str, address: str) -> None:
        """Record the newest address of a guest; above 20,000 guests, the least recently used one is dropped."""
        self._recent.put(member_id, address)

    def record_hash(self, member_id: str, address_hash: bytes) -> None:
        """Record the hash of the address of a guest of another node."""
        self._remote_hashes.put(member_id, address_hash)

    def is_known(self, member_id: str) -> bool:
        """Return whether the address of a guest of this node is known."""
        return self._recent.get(member_id) is not None

    def hash_of_guest(self, member_id: str) -> bytes | None:
        """Return the hash of the address of a guest of any node, None for an unknown guest.

        An address recorded on this node precedes a hash of another node; an invalid or shared one yields None.
        """
        address = self._recent.get(member_id)
        return self._remote_hashes.get(member_id) if address is None else self.hash_address(address)

    def hash_address(self, address: str) -> bytes | None:
        """Return the keyed hash of an address, None for an invalid or shared address.

        All addresses of an IPv6 /64 prefix have the same hash (`rate_limit_key`).
        """
        if parse_ip_address(address) is None or is_loopback(address) or self._is_trusted_proxy(address):
            return None
        return hmac.digest(self._secret, rate_limit_key(address).encode(), hashlib.sha256)[:_HASH_BYTES]
