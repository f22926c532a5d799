"""SDK errors that are raised without an error response of the server.

- Hierarchy: all SDK errors derive from `tui_chat.protocol.errors.ChatError`.
"""

from tui_chat.protocol.errors import BadRequest, Conflict, Unavailable


class Unreachable(Unavailable):
    """Failed connection attempt; `reason` is the cause."""


class InvalidAddress(BadRequest):
    """Server address with a syntax error."""


class ConnectionLost(Unavailable):
    """Loss of the connection before the response to a request; the outcome of the request is unknown."""


class OutboxFull(Unavailable):
    """Outbox of the room is at its item limit."""


class UnsupportedByServer(BadRequest):
    """Request that the server does not support: a basic server (docs/clients.md), or one that requires a join."""


class DeliveryUnknown(Conflict):
    """Message without an echo from a basic server; resending may duplicate the message."""
