"""Socket.IO packets as this protocol has them: text only, and never an exception.

The library handles each packet in a task of its own, where an exception would
be nobody's; so whatever is not a packet of this protocol becomes an event that
nobody listens for. Arguments stay as they came: the codec decodes them once.
"""

import logging
from typing import Any

import msgspec
from msgspec import Raw

from tui_chat.protocol.codec import PUSH_EVENTS, SocketIOJson

log = logging.getLogger("chat.client")

INVALID_PACKET_EVENT = "nothing"
"""The name of the event that stands for what was not understood."""

_CONNECT, _DISCONNECT, _EVENT, _ACK, _CONNECT_ERROR = range(5)
_event_decoder = msgspec.json.Decoder(tuple[str, Raw])
_ack_decoder = msgspec.json.Decoder(tuple[Raw])
_object_decoder = msgspec.json.Decoder(dict[str, Any])


class Packet:
    """A Socket.IO packet (protocol v5, "Packet encoding") in the shape that python-socketio's `serializer=` expects.

    Attributes:
        data: The argument of an event or answer as `msgspec.Raw` when it came, as plain types when it goes.
        attachment_count: How many binary packets follow: none ever.
    """

    __slots__ = ("data", "id", "namespace", "packet_type")
    json = SocketIOJson
    attachment_count = 0

    def __init__(
        self,
        packet_type: int = _EVENT,
        data: Any = None,
        namespace: str | None = None,
        id: int | None = None,  # noqa: A002 (the library's name for it)
        encoded_packet: object = None,
    ) -> None:
        self.packet_type = packet_type
        self.data = data
        self.namespace = namespace
        self.id = id
        if encoded_packet is not None:
            try:
                self._decode(encoded_packet)
            except (ValueError, msgspec.MsgspecError, RecursionError):
                log.debug("a packet that could not be read was ignored")
                self.packet_type, self.data, self.id = _EVENT, [INVALID_PACKET_EVENT], None

    def encode(self) -> str:
        """The packet as text, for the namespace that everything is in."""
        packet_id = "" if self.id is None else str(self.id)
        body = "" if self.data is None else self.json.dumps(self.data)
        return f"{self.packet_type}{packet_id}{body}"

    def _decode(self, text: object) -> None:
        if not isinstance(text, str):
            raise ValueError("no text")
        if text.startswith("2["):
            event, argument = _event_decoder.decode(text[1:])
            if event not in PUSH_EVENTS:
                raise ValueError("unknown event")
            self.packet_type, self.data = _EVENT, [event, argument]
            return
        self.packet_type = int(text[:1])
        body = text[1:]
        if self.packet_type == _ACK:
            packet_id, bracket, argument = body.partition("[")
            self.id = int(packet_id)
            if self.id < 1:
                # The library keeps its counter where the answer to request 0 would be.
                raise ValueError("no such request")
            self.data = list(_ack_decoder.decode(bracket + argument))
        elif self.packet_type == _CONNECT:
            self.data = _object_decoder.decode(body) if body else {}
        elif self.packet_type == _CONNECT_ERROR:
            self.data = _object_decoder.decode(body) if body.startswith("{") else {}
        elif self.packet_type != _DISCONNECT or body:
            raise ValueError("no packet of this protocol")
