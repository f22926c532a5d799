"""Errors of the connection, the outbox and unsupported servers, as subclasses of protocol errors."""

from tui_chat.protocol.errors import BadRequest, Conflict, Unavailable


class Unreachable(Unavailable):
    """Failed connection attempt or HTTP request; `reason` is the cause."""


class InvalidAddress(BadRequest):
    """Server address with a syntax error."""


class ConnectionLost(Unavailable):
    """Closed connection; the outcome of a request without a response is unknown."""


class OutboxFull(Unavailable):
    """Outbox of the room is at its item limit."""


class UnsupportedByServer(BadRequest):
    """Request that the server does not support, for example a basic server (docs/clients.md, "Basic servers")."""


class DeliveryUnknown(Conflict):
    """Message without an echo from a basic server; resending may duplicate the message."""
