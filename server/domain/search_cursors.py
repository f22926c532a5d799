"""Search cursors: positions in the results of one search, opaque to clients.

A cursor consists of the position and an HMAC-SHA-256 signature (RFC 2104) of the position and the search with the
server's secret. The server stores no state per search, and all nodes with the same secret accept the same cursors.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from tui_chat.protocol.errors import BadRequest

_POSITION_BYTES = 8
_SIGNATURE_BYTES = 16  # 24 bytes in total, base64 without padding


class SearchCursors:
    """Encoder and decoder of search cursors.

    Args:
        secret: Signing secret of the server, at least 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def encode(self, position: int, query: str, room_key: str | None) -> str:
        """Return the cursor of a position: 32 base64url characters, the same at each call.

        Args:
            position: Exclusive upper bound of the entry id, below 2**64.
            query: Query text of the search.
            room_key: Canonical key of the searched room, None for all rooms.
        """
        signed_text = f"{position}\n{room_key or ''}\n{query}"
        signature = hmac.digest(self._secret, signed_text.encode(), hashlib.sha256)[:_SIGNATURE_BYTES]
        return urlsafe_b64encode(position.to_bytes(_POSITION_BYTES) + signature).decode()

    def decode(self, cursor: str, query: str, room_key: str | None) -> int:
        """Return the position of a cursor.

        Raises:
            BadRequest: The cursor is malformed, or belongs to another search or another server.
        """
        try:
            position = int.from_bytes(urlsafe_b64decode(cursor)[:_POSITION_BYTES])
        except ValueError:
            raise BadRequest("cursor_invalid") from None
        if not hmac.compare_digest(cursor.encode(), self.encode(position, query, room_key).encode()):
            raise BadRequest("cursor_invalid")
        return position
