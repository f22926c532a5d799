"""Socket.IO root namespace of one session: connect, events and disconnect.

Source: Socket.IO protocol v5, "Connection to a namespace", "Sending and receiving data" and
"Disconnection from a namespace". Other namespaces do not exist.
"""

import time

from server.engineio import packets
from server.engineio.connection import ClientConnection, EventDispatcher, FrameSink
from tui_chat.protocol import codec, errors, events


class Namespace:
    """State of one session in the root namespace.

    Args:
        dispatcher: Receiver of connections and events.
        sink: Outbound side of the session.
        address: Network address of the client.
        connect_timeout: Seconds for CONNECT, from the start and again from each DISCONNECT packet.
        now: Monotonic time in seconds.
    """

    __slots__ = (
        "_address",
        "_connect_deadline",
        "_connect_timeout",
        "_connection",
        "_dispatcher",
        "_previous_connection",
        "_sink",
    )

    def __init__(
        self, dispatcher: EventDispatcher, sink: FrameSink, address: str, connect_timeout: float, now: float
    ) -> None:
        self._dispatcher = dispatcher
        self._sink = sink
        self._address = address
        self._connect_timeout = connect_timeout
        self._connect_deadline = now + connect_timeout
        self._connection: ClientConnection | None = None
        self._previous_connection: ClientConnection | None = None

    def connect_timed_out(self, now: float) -> bool:
        """Return whether the deadline for CONNECT has passed; always False while connected."""
        return self._connection is None and now > self._connect_deadline

    def handle_message(self, message: bytes) -> packets.EventPacket | None:
        """Handle a CONNECT, DISCONNECT or ACK packet; return an event for `dispatch_event`.

        An accepted CONNECT is answered with CONNECT. A rejected one, or one for another namespace, is answered with
        CONNECT_ERROR and keeps the session. DISCONNECT ends the connection without an answer (`disconnect`) and
        restarts the deadline for CONNECT. The content of an ACK is ignored.

        Args:
            message: Payload of an Engine.IO message packet.

        Returns:
            The event, or None if the packet is already handled.

        Raises:
            InvalidPacket: The packet is malformed, a CONNECT of a connected client, or any other packet for a namespace
                without a connection.
        """
        packet = packets.parse_packet(message)
        if isinstance(packet, packets.ConnectPacket):
            self._handle_connect(packet)
        elif packet.namespace != packets.ROOT_NAMESPACE or self._connection is None:
            raise packets.InvalidPacket("packet for a namespace without a connection")
        elif isinstance(packet, packets.EventPacket):
            return packet
        elif isinstance(packet, packets.DisconnectPacket):
            self._connect_deadline = time.monotonic() + self._connect_timeout
            self.disconnect()
        return None

    async def dispatch_event(self, event: packets.EventPacket) -> None:
        """Pass an event to the dispatcher and send the acknowledgement, if requested.

        Returns after the complete processing, including waits for the rate limit. Requires a connected namespace.
        """
        assert self._connection is not None
        response = await self._dispatcher.dispatch(
            self._connection, event.name, event.arguments, wants_ack=event.ack_id is not None
        )
        if event.ack_id is not None and response is not None:
            self._sink.push(packets.encode_ack(event.ack_id, response))

    def disconnect(self) -> None:
        """End the connection to the namespace and notify the dispatcher; without effect if not connected.

        The ended connection is passed as `previous` to the next `on_connect`. No packet is sent, and the deadline for
        CONNECT is unchanged; only a DISCONNECT packet restarts it.
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            self._previous_connection = connection
            self._dispatcher.on_disconnect(connection)

    def push_error(self, error: errors.ChatError) -> None:
        """Send an `error` event; without effect if not connected."""
        if self._connection is not None:
            self._sink.push(packets.encode_event(events.ERROR, codec.ErrorBody.from_error(error)))

    def _handle_connect(self, packet: packets.ConnectPacket) -> None:
        if packet.namespace != packets.ROOT_NAMESPACE:
            self._sink.push(packets.encode_connect_error(packet.namespace, b'{"message":"Invalid namespace"}'))
            return
        if self._connection is not None:
            raise packets.InvalidPacket("second CONNECT packet")
        try:
            self._connection = self._dispatcher.on_connect(
                self._sink, self._address, packet.auth, self._previous_connection
            )
        except errors.ChatError as error:
            error_body = codec.SocketIOJson.dumps({"message": error.message, "data": codec.ErrorBody.from_error(error)})
            self._sink.push(packets.encode_connect_error(packets.ROOT_NAMESPACE, error_body.encode()))
        else:
            self._sink.push(packets.encode_connect(self._connection.sid))
