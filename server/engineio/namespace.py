"""Socket.IO root namespace of one session: connect, events and disconnect.

- Rejected tokens: an event is delivered to a connected namespace only, so a CONNECT with an invalid token is answered
  with CONNECT and the event `authFail`, and the session closes.

Source: Socket.IO protocol v5, "Connection to a namespace", "Sending and receiving data" and
"Disconnection from a namespace". Other namespaces do not exist.
"""

import secrets
import time
from collections.abc import Coroutine
from typing import Any

from server.engineio import packets
from server.engineio.connection import ClientConnection, EventDispatcher, FrameSink, TokenRejected
from tui_chat.protocol import codec, errors, events


class Namespace:
    """State of one session in the root namespace.

    The deadline for CONNECT is `connect_timeout` seconds after the start (`now`) and after each DISCONNECT packet.
    `address`, `authorization` and `server_origin` are those of the session.
    """

    __slots__ = (
        "_address",
        "_authorization",
        "_connect_deadline",
        "_connect_timeout",
        "_connection",
        "_dispatcher",
        "_is_connecting",
        "_previous_connection",
        "_server_origin",
        "_sink",
    )

    def __init__(
        self,
        dispatcher: EventDispatcher,
        sink: FrameSink,
        address: str,
        connect_timeout: float,
        now: float,
        *,
        authorization: str,
        server_origin: str | None,
    ) -> None:
        self._dispatcher = dispatcher
        self._sink = sink
        self._address = address
        self._authorization = authorization
        self._server_origin = server_origin
        self._connect_timeout = connect_timeout
        self._connect_deadline = now + connect_timeout
        self._is_connecting = False
        self._connection: ClientConnection | None = None
        self._previous_connection: ClientConnection | None = None

    def connect_timed_out(self, now: float) -> bool:
        """Return whether the deadline for CONNECT has passed; always False while connected."""
        return self._connection is None and now > self._connect_deadline

    def handle_message(self, message: bytes) -> Coroutine[Any, Any, None] | None:
        """Handle a DISCONNECT or ACK packet; return a coroutine that handles a CONNECT or an event.

        The caller awaits the coroutine before the next packet. DISCONNECT ends the connection without an answer
        (`disconnect`) and restarts the deadline for CONNECT. The content of an ACK is ignored.

        Args:
            message: Payload of an Engine.IO message packet.

        Returns:
            The coroutine, or None if the packet is already handled.

        Raises:
            InvalidPacket: The packet is malformed, or addresses a namespace without a connection and is no CONNECT. The
                returned coroutine raises the error for a CONNECT of a connected client.
        """
        packet = packets.parse_packet(message)
        if isinstance(packet, packets.ConnectPacket):
            return self._handle_connect(packet)
        if packet.namespace != packets.ROOT_NAMESPACE or self._connection is None:
            raise packets.InvalidPacket("packet for a namespace without a connection")
        if isinstance(packet, packets.EventPacket):
            return self._dispatch_event(self._connection, packet)
        if isinstance(packet, packets.DisconnectPacket):
            self._connect_deadline = time.monotonic() + self._connect_timeout
            self.disconnect()
        return None

    def disconnect(self) -> None:
        """End the connection to the namespace and notify the dispatcher; without effect if not connected.

        The ended connection is passed as `previous` to the next `on_connect`. A CONNECT in progress receives no answer,
        and its connection ends as soon as the dispatcher has accepted it. No packet is sent, and the deadline for
        CONNECT is unchanged.
        """
        self._is_connecting = False
        connection, self._connection = self._connection, None
        if connection is not None:
            self._previous_connection = connection
            self._dispatcher.on_disconnect(connection)

    def push_error(self, error: errors.ChatError) -> None:
        """Send an `error` event; without effect if not connected."""
        if self._connection is not None:
            self._sink.push(packets.encode_event(events.ERROR, codec.ErrorBody.from_error(error)))

    async def _handle_connect(self, packet: packets.ConnectPacket) -> None:
        """Connect the client, and answer with CONNECT or CONNECT_ERROR; a rejected token closes the session.

        Another namespace is answered with CONNECT_ERROR, even after the connect. If the session ends during the
        connect, the client is disconnected without an answer.

        Raises:
            InvalidPacket: The client is connected to the root namespace already.
        """
        if packet.namespace != packets.ROOT_NAMESPACE:
            self._sink.push(packets.encode_connect_error(packet.namespace, b'{"message":"Invalid namespace"}'))
            return
        if self._connection is not None:
            raise packets.InvalidPacket("second CONNECT packet")
        self._is_connecting = True
        try:
            connection = await self._dispatcher.on_connect(
                self._sink, self._address, packet.auth, self._authorization, self._previous_connection
            )
        except TokenRejected as rejection:
            self._sink.push(packets.encode_connect(secrets.token_urlsafe()))
            self._sink.push(rejection.frame)
            self._sink.close("invalid token")
            return
        except errors.ChatError as error:
            error_body = codec.SocketIOJson.dumps({"message": error.message, "data": codec.ErrorBody.from_error(error)})
            self._sink.push(packets.encode_connect_error(packets.ROOT_NAMESPACE, error_body.encode()))
            return
        connection.server_origin = self._server_origin
        if not self._is_connecting:  # the session ended during the call
            self._dispatcher.on_disconnect(connection)
            return
        self._connection = connection
        self._sink.push(packets.encode_connect(connection.sid))

    async def _dispatch_event(self, connection: ClientConnection, event: packets.EventPacket) -> None:
        """Pass an event to the dispatcher, and send the acknowledgement if requested."""
        response = await self._dispatcher.dispatch(
            connection, event.name, event.arguments, wants_ack=event.ack_id is not None
        )
        if event.ack_id is not None and response is not None:
            self._sink.push(packets.encode_ack(event.ack_id, response))
