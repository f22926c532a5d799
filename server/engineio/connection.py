"""A Socket.IO connection as the rest of the gateway sees it, and what it asks of the gateway."""

from typing import Protocol

from msgspec import Raw

from server.domain.token_bucket import TokenBucket
from server.engineio.frames import Frame


class FrameSink(Protocol):
    """The transport under a connection."""

    def push(self, frame: Frame) -> None:
        """Send it after all that was pushed before; frames of one tick leave together."""
        ...

    def close(self, reason: str) -> None:
        """End the connection once what was pushed is sent, with one log line."""
        ...


class ClientConnection:
    """Somebody's connection to the root namespace.

    Attributes:
        sid: The Socket.IO session id, told to this client alone.
        address: Where it comes from.
        member_id: The guest it is, once it joined a room.
        buckets: What it may do how often, by kind of request.
        slow_since: Since when it has had to wait for the rate, at every request; None while it need not.
    """

    __slots__ = ("__weakref__", "address", "close", "member_id", "push", "rate_buckets", "sid", "throttled_since")

    def __init__(
        self,
        sink: FrameSink,
        sid: str,
        address: str,
        rate_buckets: dict[str, TokenBucket],
        throttled_since: float | None = None,
    ) -> None:
        self.push = sink.push
        self.close = sink.close
        self.sid = sid
        self.address = address
        self.rate_buckets = rate_buckets
        self.member_id: str | None = None
        self.throttled_since = throttled_since


class EventDispatcher(Protocol):
    """What the engine tells of its connections."""

    def on_connect(
        self, sink: FrameSink, address: str, auth: Raw | None, previous: ClientConnection | None
    ) -> ClientConnection:
        """A client wants in.

        Args:
            former: Its connection on the same transport before this one, which has ended.

        Raises:
            ChatError: It may not come in.
        """
        ...

    async def dispatch(
        self, connection: ClientConnection, event: str, arguments: list[Raw], *, wants_ack: bool
    ) -> bytes | None:
        """A client sent an event; its next one is given when this returns.

        Args:
            answered: It asked for an acknowledgement.

        Returns:
            The answer as JSON; None when none was asked for.
        """
        ...

    def on_disconnect(self, connection: ClientConnection) -> None:
        """The connection has ended; nothing more may be pushed."""
        ...
