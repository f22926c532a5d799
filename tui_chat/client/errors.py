"""What can go wrong between a client and its server, beside what the server refuses.

All are `Unavailable`, so whoever catches `server.protocol.errors.ChatError` has
every error of the SDK.
"""

from server.protocol.errors import Unavailable


class Unreachable(Unavailable):
    """No connection to the server could be made; `message` says why, for a person."""


class ConnectionLost(Unavailable):
    """The connection ended before the answer came: the request may have been done or not."""


class OutboxFull(Unavailable):
    """So much waits to be sent into the room that nothing more is taken."""
