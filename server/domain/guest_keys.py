"""Guests: people without an account, who are the same member when they come back.

A guest key is the member's id and a signature of it (HMAC-SHA-256, RFC 2104)
under the server's own secret, so that the server stores nothing for a guest
and every node that shares the secret knows all of them.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable

_ID_BYTES = 9
_SIGNATURE_BYTES = 18


class GuestKeys:
    """Makes guests and recognises them.

    Args:
        secret: The server's own, at least 32 bytes.
        random_bytes: Gives so many unpredictable bytes.
    """

    def __init__(self, secret: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self._secret = secret
        self._random_bytes = random_bytes

    def generate_member_id(self) -> str:
        """An id that nobody has: `g` and 12 characters of base64url."""
        return "g" + _encode_base64url(self._random_bytes(_ID_BYTES))

    def issue(self, member_id: str) -> str:
        """The secret that proves to be this member."""
        signature = hmac.digest(self._secret, member_id.encode(), hashlib.sha256)[:_SIGNATURE_BYTES]
        return f"{member_id}.{_encode_base64url(signature)}"

    def verify(self, guest_key: str) -> str | None:
        """The member's id, or None for a key that this server never gave."""
        member_id = guest_key.partition(".")[0]
        presented = guest_key.encode("utf-8", "surrogatepass")
        expected = self.issue(member_id).encode("utf-8", "surrogatepass") if member_id.isascii() else b""
        return member_id if hmac.compare_digest(presented, expected) else None


def _encode_base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
