"""Socket.IO packet codec for python-socketio.

- Robustness: a malformed packet and an event unknown to this version become an event without arguments, which
  `Transport` ignores. The library handles packets in separate tasks, where an exception would be unhandled.
- Single decoding: arguments remain raw JSON until the protocol codec decodes the body.
"""

from typing import Any

import msgspec
from msgspec import Raw

from tui_chat.client.log import log
from tui_chat.protocol.codec import PUSH_EVENTS, SocketIOJson

INVALID_PACKET_EVENT = "invalid_packet"
"""Event name that replaces a malformed packet, without arguments."""

_CONNECT, _DISCONNECT, _EVENT, _ACK, _CONNECT_ERROR = range(5)
_event_decoder = msgspec.json.Decoder(tuple[str, Raw])
_ack_decoder = msgspec.json.Decoder(list[Raw])
_object_decoder = msgspec.json.Decoder(dict[str, Any])


class Packet:
    """Packet class for python-socketio's `serializer` (Socket.IO protocol v5, "Packet encoding").

    Attributes:
        packet_type: Socket.IO packet type, 0 to 4.
        id: Acknowledgement id, None without one.
        namespace: Namespace from the library; received packets have none.
        data: Event name and argument, arguments of an acknowledgement, or object of a connect packet. Received
            arguments are `msgspec.Raw`, sent ones builtins and wire structs. An acknowledgement of a basic server has
            any number of arguments.
        attachment_count: Number of binary attachments, always 0.
    """

    __slots__ = ("data", "id", "namespace", "packet_type")
    json = SocketIOJson
    attachment_count = 0

    def __init__(
        self,
        packet_type: int = _EVENT,
        data: Any = None,
        namespace: str | None = None,
        id: int | None = None,  # noqa: A002 (name required by the library)
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
                log.debug("malformed packet ignored")
                self.packet_type, self.data, self.id = _EVENT, [INVALID_PACKET_EVENT], None

    def encode(self) -> str:
        """Return the text form for the default namespace, for example `21["joinRoom",{…}]` for an event with id 1."""
        packet_id = "" if self.id is None else str(self.id)
        body = "" if self.data is None else self.json.dumps(self.data)
        return f"{self.packet_type}{packet_id}{body}"

    def _decode(self, text: object) -> None:
        """Set the attributes from a received packet.

        Raises:
            ValueError: The packet is binary, of another type, an event with an acknowledgement id, or has an unknown
                event or acknowledgement id.
            msgspec.MsgspecError, RecursionError: The JSON is invalid or nested too deeply, or an event has not exactly
                one argument.
        """
        if not isinstance(text, str):
            raise ValueError("binary packet")
        if text.startswith("2["):
            event, argument = _event_decoder.decode(text[1:])
            if event not in PUSH_EVENTS:
                raise ValueError("unknown event")
            self.packet_type, self.data = _EVENT, [event, argument]
            return
        self.packet_type, body = int(text[:1]), text[1:]
        if self.packet_type == _ACK:
            packet_id, bracket, argument = body.partition("[")
            self.id = int(packet_id)
            if self.id < 1:
                # The library stores its id counter under key 0 of the callback table.
                raise ValueError("unknown acknowledgement id")
            self.data = _ack_decoder.decode(bracket + argument)
        elif self.packet_type == _CONNECT:
            self.data = _object_decoder.decode(body) if body else {}
        elif self.packet_type == _CONNECT_ERROR:
            self.data = _object_decoder.decode(body) if body.startswith("{") else {}
        elif self.packet_type != _DISCONNECT or body:
            raise ValueError("unknown packet type")
