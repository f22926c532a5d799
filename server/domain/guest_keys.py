"""Guest keys: credentials that let members without an account keep their identity.

A guest key consists of the member id and an HMAC-SHA-256 signature (RFC 2104) with the server's secret. The
server stores no state per guest, and all nodes with the same secret accept the same keys.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from secrets import token_bytes

_ID_BYTES = 9
_SIGNATURE_BYTES = 18


class GuestKeys:
    """Issuer and verifier of guest keys.

    Args:
        secret: Signing secret of the server, at least 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def generate_member_id(self) -> str:
        """Return a new random member id: `g` followed by 12 base64url characters."""
        return "g" + _encode_base64url(token_bytes(_ID_BYTES))

    def derive_member_id(self, scope: str) -> str:
        """Return the member id of a scope, such as one request: the same at each call and on all nodes.

        The format is that of `generate_member_id`.
        """
        digest = hmac.digest(self._secret, b"member:" + scope.encode(), hashlib.sha256)
        return "g" + _encode_base64url(digest[:_ID_BYTES])

    def issue(self, member_id: str) -> str:
        """Return the guest key of a member: `<member id>.<24 base64url characters>`.

        The key is the same at each call and never expires. The member id is not checked.
        """
        signature = hmac.digest(self._secret, member_id.encode(), hashlib.sha256)[:_SIGNATURE_BYTES]
        return f"{member_id}.{_encode_base64url(signature)}"

    def verify(self, guest_key: str) -> str | None:
        """Return the member id of a valid guest key, otherwise None.

        Malformed keys and keys signed with another secret yield None.
        """
        member_id = guest_key.partition(".")[0]
        expected = self.issue(member_id).encode("utf-8", "surrogatepass") if member_id.isascii() else b""
        return member_id if hmac.compare_digest(guest_key.encode("utf-8", "surrogatepass"), expected) else None


def _encode_base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
