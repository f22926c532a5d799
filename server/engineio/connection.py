"""Client connection to the root namespace, and the interfaces between transport and dispatcher."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Raw

from server.domain.account_directory import AccountIdentity
from server.domain.rate_limits import TokenBucket
from server.engineio.packets import Frame


class FrameSink(Protocol):
    """Outbound side of a connection; implemented by `server.engineio.session`."""

    def push(self, frame: Frame) -> None:
        """Append a frame to the send queue; without effect after `close`.

        All frames of one event loop tick leave in one write. An overflow of the queue raises nothing and aborts the
        session at that write.
        """

    def close(self, reason: str) -> None:
        """Reject further frames, and end the connection after the queued ones; `reason` appears in one log line.

        The call does not wait. `EventDispatcher.on_disconnect` is called later, or before the return if nothing is
        queued for polling. A repeated call has no effect.
        """


class TokenRejected(Exception):
    """Rejection of a token at CONNECT.

    Attributes:
        frame: Event `authFail` for the client.
    """

    def __init__(self, frame: Frame) -> None:
        super().__init__("token rejected")
        self.frame = frame


@dataclass(slots=True, weakref_slot=True, eq=False)
class ClientConnection:
    """Connection of one client to the root namespace.

    Attributes:
        push: Bound `FrameSink.push` of the session.
        close: Bound `FrameSink.close` of the session.
        sid: Socket.IO session id, known to this client only.
        address: Network address of the client.
        member_id: Member id; None for a guest before the first join or message without a join.
        account: Account of the connection, None for a guest.
        server_origin: Canonical origin under which the client reaches the server, None if unknown.
        is_open: False after the disconnect.
        is_conversation: Client of the conversation dialect.
        rate_buckets: Token buckets by rate class.
        throttled_since: Monotonic time in seconds at which throttling began, by throttled rate class.
    """

    push: Callable[[Frame], None]
    close: Callable[[str], None]
    sid: str
    address: str
    rate_buckets: dict[str, TokenBucket]
    throttled_since: dict[str, float] = field(default_factory=dict[str, float])
    member_id: str | None = None
    account: AccountIdentity | None = None
    server_origin: str | None = None
    is_open: bool = True
    is_conversation: bool = False


class EventDispatcher(Protocol):
    """Receiver of connections and events; implemented by `server.gateway.dispatcher`."""

    async def on_connect(
        self,
        sink: FrameSink,
        address: str,
        auth: Raw | None,
        authorization: str,
        previous: ClientConnection | None,
    ) -> ClientConnection:
        """Accept a client into the root namespace.

        `TokenRejected` becomes the event `authFail` and closes the session. A `ChatError` becomes CONNECT_ERROR; the
        session stays open for another attempt. Any other exception closes the session. If the session ends during the
        call, `on_disconnect` follows immediately.

        Args:
            sink: Outbound side of the session.
            address: Network address of the client.
            auth: Payload of the CONNECT packet as a JSON object; None if absent.
            authorization: Header `Authorization` of the handshake, empty if absent.
            previous: Last connection of the same session, already disconnected; None for the first one.

        Raises:
            TokenRejected: The token is invalid.
            ChatError: The connection is rejected for another reason.
        """
        ...

    async def dispatch(
        self, connection: ClientConnection, event: str, arguments: list[Raw], *, wants_ack: bool
    ) -> bytes | None:
        """Run the request of one event; the session handles the next packet after the return.

        A failed request raises nothing: its acknowledgement contains the error, or an `error` event is pushed if no
        acknowledgement was requested.

        Args:
            connection: Sender of the event.
            event: Event name.
            arguments: Event arguments as undecoded JSON.
            wants_ack: The packet has an acknowledgement id.

        Returns:
            The acknowledgement's only argument as JSON; None if `wants_ack` is False.
        """
        ...

    def on_disconnect(self, connection: ClientConnection) -> None:
        """Remove a disconnected connection; no further frame may be pushed to the connection.

        Called once per accepted connection: at its DISCONNECT packet, in the tick after `FrameSink.close`, or at the
        end of the session.
        """
