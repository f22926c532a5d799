"""SDK errors that are raised without an error response of the server.

- Hierarchy: all SDK errors derive from `tui_chat.protocol.errors.ChatError`.
"""

from tui_chat.protocol.errors import BadRequest, Conflict, Unavailable


class Unreachable(Unavailable):
    """Connection attempt failed; `reason` is the cause."""


class InvalidAddress(BadRequest):
    """Server address with a syntax error."""


class ConnectionLost(Unavailable):
    """Connection closed before the response; the outcome of the request is unknown."""


class OutboxFull(Unavailable):
    """Outbox of the room is at its item limit."""


class UnsupportedByServer(BadRequest):
    """Request unknown to a basic server (docs/clients.md, "Basic servers")."""


class DeliveryUnknown(Conflict):
    """Message without an echo from a basic server; resending may duplicate the message."""
