"""Socket.IO over one session: into the root namespace, events, and out again.

(Socket.IO protocol v5, "Connection to a namespace", "Sending and receiving data",
"Disconnection from a namespace".) There is one namespace, `/`.
"""

import time

from server.gateway import packets
from server.gateway.connection import Connection, Gateway, Wire
from server.gateway.frames import Frame
from server.gateway.packets import BadPacket
from server.protocol.codec import SocketIOJson
from server.protocol.errors import ChatError

_UNKNOWN_NAMESPACE = b'{"message":"Invalid namespace"}'


class Namespace:
    """The root namespace as one session has it.

    Args:
        wire: The session.
        patience: Seconds in which the client has to CONNECT, again after each DISCONNECT.
        now: The monotonic time, in seconds.
    """

    __slots__ = ("_address", "_connect_by", "_connection", "_former", "_gateway", "_patience", "_wire")

    def __init__(self, gateway: Gateway, wire: Wire, address: str, patience: float, now: float) -> None:
        self._gateway = gateway
        self._wire = wire
        self._address = address
        self._patience = patience
        self._connect_by = now + patience
        self._connection: Connection | None = None
        self._former: Connection | None = None

    def overdue(self, now: float) -> bool:
        """Whether the client should have connected by now."""
        return self._connection is None and now > self._connect_by

    def take(self, message: bytes) -> packets.Event | None:
        """Do what a packet wants, unless it is an event: that is given back, to be waited for.

        Raises:
            BadPacket: It is none, or none that may come now.
        """
        packet = packets.parse(message)
        if isinstance(packet, packets.Connect):
            self._connect(packet)
        elif packet.namespace != packets.ROOT or self._connection is None:
            raise BadPacket("a packet for a namespace that was not connected")
        elif isinstance(packet, packets.Event):
            return packet
        elif isinstance(packet, packets.Disconnect):
            self._connect_by = time.monotonic() + self._patience
            self.leave()
        return None

    async def carry_out(self, event: packets.Event) -> None:
        """Give the gateway an event, and the client its answer if it wants one."""
        assert self._connection is not None
        answered = event.ack_id is not None
        answer = await self._gateway.event(self._connection, event.name, event.arguments, answered=answered)
        if event.ack_id is not None and answer is not None:
            self._wire.push(Frame(packets.acknowledgement(event.ack_id, answer)))

    def leave(self) -> None:
        """The client is no longer connected."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._former = connection
            self._gateway.gone(connection)

    def _connect(self, packet: packets.Connect) -> None:
        if packet.namespace != packets.ROOT:
            self._wire.push(Frame(packets.refused(packet.namespace, _UNKNOWN_NAMESPACE)))
            return
        if self._connection is not None:
            raise BadPacket("a second CONNECT")
        try:
            self._connection = self._gateway.arrived(self._wire, self._address, packet.auth, self._former)
        except ChatError as refusal:
            reason = SocketIOJson.dumps({"message": refusal.message, "data": {"code": refusal.code}})
            self._wire.push(Frame(packets.refused(packets.ROOT, reason.encode())))
            return
        self._wire.push(Frame(packets.connected(self._connection.sid)))
