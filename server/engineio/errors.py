"""What a request can have wrong before there is a session to ask, in the reference server's words.

The specification says 400 to all of it (Engine.IO protocol v4, "Query parameters",
"Sending and receiving data"). The codes and messages are those that the Node.js
server sends and that its clients show (`connect_error`).
"""

from enum import Enum
from typing import Any

from aiohttp import web

from tui_chat.protocol.codec import SocketIOJson

TRANSPORTS = ("polling", "websocket")


class HandshakeError(Enum):
    """A request that is not of the protocol: its code and its message."""

    UNKNOWN_TRANSPORT = (0, "Transport unknown")
    UNKNOWN_SESSION = (1, "Session ID unknown")
    BAD_METHOD = (2, "Bad handshake method")
    BAD_REQUEST = (3, "Bad request")
    FORBIDDEN = (4, "Forbidden")
    UNSUPPORTED_VERSION = (5, "Unsupported protocol version")

    def to_response(self, status: int = 400) -> web.Response:
        """The refusal, as `{"code", "message"}`."""
        code, message = self.value
        return _json_response(status, {"code": code, "message": message})


def validate_request(request: web.Request) -> HandshakeError | None:
    """What is wrong with a request by itself, whatever session it is for; None when nothing is."""
    query = request.query
    transport = query.get("transport")
    if transport not in TRANSPORTS:
        return HandshakeError.UNKNOWN_TRANSPORT
    if "sid" not in query:
        if request.method != "GET":
            return HandshakeError.BAD_METHOD
        if query.get("EIO") != "4":
            return HandshakeError.UNSUPPORTED_VERSION
    if "j" in query:  # JSONP, which version 4 of the protocol has not
        return HandshakeError.BAD_REQUEST
    if (transport == "websocket") != (request.method == "GET" and is_websocket_upgrade(request)):
        return HandshakeError.BAD_REQUEST
    return None


def is_websocket_upgrade(request: web.Request) -> bool:
    """Whether it asks for the WebSocket protocol (RFC 6455, section 4.1)."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _json_response(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=SocketIOJson.dumps(body).encode(), content_type="application/json")
