"""Errors of invalid Engine.IO requests, with codes and messages of the Node.js server.

JavaScript clients show the messages in `connect_error`. Status 400 is required by the
specification (Engine.IO protocol v4, sections on query parameters and on data transfer).
"""

from enum import Enum

from aiohttp import web

from tui_chat.protocol.codec import SocketIOJson


class HandshakeError(Enum):
    """Error of an invalid request, as code and message (docs/protocol.md, "Connection")."""

    UNKNOWN_TRANSPORT = (0, "Transport unknown")
    UNKNOWN_SESSION = (1, "Session ID unknown")
    BAD_METHOD = (2, "Bad handshake method")
    BAD_REQUEST = (3, "Bad request")
    FORBIDDEN = (4, "Forbidden")
    UNSUPPORTED_VERSION = (5, "Unsupported protocol version")

    def to_response(self) -> web.Response:
        """Return the error as a JSON response `{"code", "message"}` with status 400."""
        code, message = self.value
        return web.Response(
            status=400,
            body=SocketIOJson.dumps({"code": code, "message": message}).encode(),
            content_type="application/json",
        )


def validate_request(request: web.Request) -> HandshakeError | None:
    """Validate the parts of a request that do not depend on a session.

    The existence of the session is not checked.

    Returns:
        None for a valid request, otherwise the first violation in this order: unknown transport; for a handshake, a
        method other than GET or a protocol version other than 4; JSONP; polling with an `Upgrade: websocket` header, or
        WebSocket without one.
    """
    query = request.query
    transport = query.get("transport")
    if transport not in ("polling", "websocket"):
        return HandshakeError.UNKNOWN_TRANSPORT
    if "sid" not in query:
        if request.method != "GET":
            return HandshakeError.BAD_METHOD
        if query.get("EIO") != "4":
            return HandshakeError.UNSUPPORTED_VERSION
    if "j" in query:  # JSONP was removed in protocol version 4
        return HandshakeError.BAD_REQUEST
    is_upgrade = request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"
    if (transport == "websocket") != is_upgrade:  # RFC 6455, section 4.1
        return HandshakeError.BAD_REQUEST
    return None
