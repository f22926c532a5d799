"""Errors of invalid Engine.IO requests, with codes and messages of the Node.js server.

JavaScript clients show the messages in `connect_error`. All errors have status 400, which the specification requires
for invalid query parameters and unknown sessions (Engine.IO protocol v4). For `FORBIDDEN`, the Node.js server responds
with 403; status 400 is a deviation of this server (docs/protocol.md, "Deviations from the specifications").
"""

from enum import Enum

from aiohttp import web

from tui_chat.protocol.codec import SocketIOJson


class InvalidRequest(Enum):
    """Kind of an invalid handshake or session request, as code and message (docs/protocol.md, "Connection")."""

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


def validate_request(request: web.Request) -> InvalidRequest | None:
    """Validate the parts of a request that do not depend on a session.

    The existence of the session is not checked.

    Returns:
        None for a valid request, otherwise the first violation in this order: unknown transport; for a handshake, a
        method other than GET or a protocol version other than 4; JSONP, a polling GET with an `Upgrade: websocket`
        header, or a WebSocket request that is not a GET with this header.
    """
    query = request.query
    transport = query.get("transport")
    if transport not in ("polling", "websocket"):
        return InvalidRequest.UNKNOWN_TRANSPORT
    if "sid" not in query:
        if request.method != "GET":
            return InvalidRequest.BAD_METHOD
        if query.get("EIO") != "4":
            return InvalidRequest.UNSUPPORTED_VERSION
    is_jsonp = "j" in query  # removed in protocol version 4
    is_upgrade = request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"
    is_valid = not is_jsonp and is_upgrade == (transport == "websocket")  # RFC 6455, section 4.1
    return None if is_valid else InvalidRequest.BAD_REQUEST
