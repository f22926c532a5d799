"""A Socket.IO connection as the rest of the gateway sees it, and what it asks of the gateway."""

from typing import Protocol

from msgspec import Raw

from server.domain.rates import TokenBucket
from server.gateway.frames import Frame


class Wire(Protocol):
    """The transport under a connection."""

    def push(self, frame: Frame) -> None:
        """Send it after all that was pushed before; frames of one tick leave together."""
        ...

    def hang_up(self, reason: str) -> None:
        """End the connection once what was pushed is sent, with one log line."""
        ...


class Connection:
    """Somebody's connection to the root namespace.

    Attributes:
        sid: The Socket.IO session id, told to this client alone.
        address: Where it comes from.
        member_id: The guest it is, once it joined a room.
        buckets: What it may do how often, by kind of request.
        slow_since: Since when it has had to wait for the rate, at every request; None while it need not.
    """

    __slots__ = ("__weakref__", "address", "buckets", "hang_up", "member_id", "push", "sid", "slow_since")

    def __init__(
        self,
        wire: Wire,
        sid: str,
        address: str,
        buckets: dict[str, TokenBucket],
        slow_since: float | None = None,
    ) -> None:
        self.push = wire.push
        self.hang_up = wire.hang_up
        self.sid = sid
        self.address = address
        self.buckets = buckets
        self.member_id: str | None = None
        self.slow_since = slow_since


class Gateway(Protocol):
    """What the engine tells of its connections."""

    def arrived(self, wire: Wire, address: str, auth: Raw | None, former: Connection | None) -> Connection:
        """A client wants in.

        Args:
            former: Its connection on the same transport before this one, which has ended.

        Raises:
            ChatError: It may not come in.
        """
        ...

    async def event(self, connection: Connection, name: str, arguments: list[Raw], *, answered: bool) -> bytes | None:
        """A client sent an event; its next one is given when this returns.

        Args:
            answered: It asked for an acknowledgement.

        Returns:
            The answer as JSON; None when none was asked for.
        """
        ...

    def gone(self, connection: Connection) -> None:
        """The connection has ended; nothing more may be pushed."""
        ...
