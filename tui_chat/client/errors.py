"""What can go wrong between a client and its server, beside what the server refuses.

Whoever catches `tui_chat.protocol.errors.ChatError` has every error of the SDK.
"""

from tui_chat.protocol.errors import BadRequest, Conflict, Unavailable


class Unreachable(Unavailable):
    """No connection to the server could be made; `message` says why, for a person."""


class ConnectionLost(Unavailable):
    """The connection ended before the answer came: the request may have been done or not."""


class OutboxFull(Unavailable):
    """So much waits to be sent into the room that nothing more is taken."""


class UnsupportedByServer(BadRequest):
    """The server is a plain one (docs/clients.md, "Plain servers"), which knows only joining and talking."""


class DeliveryUnknown(Conflict):
    """A plain server got the message, perhaps: nobody knows whether it was said. Said again, it may be said twice."""
