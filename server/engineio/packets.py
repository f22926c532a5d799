"""Text codec for Socket.IO packets (Socket.IO protocol v5, "Packet encoding"; Engine.IO protocol v4).

- Strictness: malformed packets and invalid UTF-8 raise `InvalidPacket`; the session closes. An event with an invalid
  value, such as a lone surrogate, is answered with an error.
- No binary data: binary packet types are invalid, so that announced attachments reserve no memory.
- Lazy arguments: event arguments stay undecoded JSON until the protocol codec reads them.
"""

import json
import re
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from tui_chat.protocol import codec
from tui_chat.protocol.errors import DECODE_ERRORS, BadRequest, ChatError

# Socket.IO packet types; `server.engineio.session` defines those of Engine.IO.
PACKET_CONNECT, PACKET_DISCONNECT, PACKET_EVENT, PACKET_ACK, PACKET_CONNECT_ERROR = b"01234"
_BINARY_PACKETS = b"56"

ROOT_NAMESPACE = "/"

_MAX_ACK_ID_DIGITS = 16
_HEADER_PATTERN = re.compile(rb"(?:(/[^,]*),?)?([0-9]*)")  # optional namespace, optional acknowledgement id
_INVALID_VALUES = (
    *((b"NaN", b" 0 "), (b"-Infinity", b" 0 "), (b"Infinity", b" 0 ")),
    *((b"\\ud", b"\\u0"), (b"\\uD", b"\\u0")),  # surrogates
)
_arguments_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_name_decoder = msgspec.json.Decoder(str)
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])

DecodedT = TypeVar("DecodedT")


class InvalidPacket(Exception):
    """Malformed or disallowed packet.

    Args:
        problem: Reason for the log; contains no part of the packet.

    Attributes:
        client_error: Error for an `error` event before the close; None for a close without one.
    """

    def __init__(self, problem: str, client_error: ChatError | None = None) -> None:
        super().__init__(problem)
        self.client_error = client_error


class ConnectPacket(msgspec.Struct, frozen=True):
    """Request to connect to a namespace; `auth` is the payload as a JSON object, None if absent."""

    namespace: str
    auth: msgspec.Raw | None


class DisconnectPacket(msgspec.Struct, frozen=True):
    """Request to disconnect from a namespace."""

    namespace: str


class EventPacket(msgspec.Struct, frozen=True):
    """Event with its arguments; `ack_id` is None without a requested acknowledgement."""

    namespace: str
    name: str
    arguments: list[msgspec.Raw]
    ack_id: int | None


class AckPacket(msgspec.Struct, frozen=True):
    """Acknowledgement of a server event; the server requests none, so its content is unused."""

    namespace: str


class Frame:
    """Encoded Engine.IO packet for polling and WebSocket.

    Args:
        ws_bytes: WebSocket frame to send instead of a text frame with the packet.

    Attributes:
        polling_bytes: The packet in a polling payload, as UTF-8.
        ws_bytes: Unmasked, unfragmented WebSocket frame (RFC 6455, section 5.2).
    """

    __slots__ = ("polling_bytes", "ws_bytes")

    def __init__(self, polling_bytes: bytes, ws_bytes: bytes | None = None) -> None:
        self.polling_bytes = polling_bytes
        self.ws_bytes = _encode_ws_header(len(polling_bytes)) + polling_bytes if ws_bytes is None else ws_bytes


@lru_cache(maxsize=4096)
def _encode_ws_header(length: int) -> bytes:
    """Return the header of an unmasked text frame (RFC 6455, section 5.2); `length` is that of the payload in bytes."""
    if length < 126:
        return bytes((0x81, length))
    if length < 0x10000:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


SocketIOPacket = ConnectPacket | DisconnectPacket | EventPacket | AckPacket


def parse_packet(payload: bytes) -> SocketIOPacket:
    """Parse a Socket.IO packet.

    Without a namespace, a packet belongs to `/`; a query string in the namespace is dropped. An acknowledgement id is
    required for ACK, optional for EVENT and invalid for other types. An event with a value that JSON does not allow,
    such as NaN, is returned with one argument that fails to decode later.

    Args:
        payload: Engine.IO message without its type byte.

    Raises:
        InvalidPacket: The packet is malformed, not valid UTF-8, of an unknown type, CONNECT_ERROR, or binary; only a
            binary packet has a `client_error`.
    """
    if not payload:
        raise InvalidPacket("empty packet")
    if not payload.isascii():
        try:
            payload.decode()
        except UnicodeDecodeError:
            raise InvalidPacket("packet is not valid UTF-8") from None
    packet_type = payload[0]
    header = _HEADER_PATTERN.match(payload, 1)
    assert header is not None  # the pattern also matches an empty header
    namespace = ROOT_NAMESPACE if header[1] is None else header[1].decode().partition("?")[0]
    if len(header[2]) > _MAX_ACK_ID_DIGITS:
        raise InvalidPacket("acknowledgement id with too many digits")
    ack_id = int(header[2]) if header[2] else None
    body = payload[header.end() :]
    if packet_type == PACKET_EVENT:
        try:
            arguments = _arguments_decoder.decode(body)
        except DECODE_ERRORS:
            arguments = _decode_invalid_arguments(body)
        return EventPacket(
            namespace,
            _decode(_name_decoder, arguments[0] if arguments else b"", "event without a name"),
            arguments[1:],
            ack_id,
        )
    if packet_type == PACKET_CONNECT and ack_id is None:
        if body:
            _decode(_object_decoder, body, "packet data is not a JSON object")
        return ConnectPacket(namespace, msgspec.Raw(body) if body else None)
    if packet_type == PACKET_DISCONNECT and ack_id is None and not body:
        return DisconnectPacket(namespace)
    if packet_type == PACKET_ACK and ack_id is not None:
        _decode(_arguments_decoder, body, "packet data is not a JSON array")
        return AckPacket(namespace)
    if packet_type in _BINARY_PACKETS:
        raise InvalidPacket("binary packet", BadRequest("packet_binary"))
    raise InvalidPacket("unsupported packet type")


def encode_event(event: str, body: Any) -> Frame:
    """Return an EVENT message without an acknowledgement id.

    Args:
        event: Event name.
        body: Only argument; any value that msgspec encodes as JSON.
    """
    return Frame(b"42" + codec.encode_push(event, body))


def encode_empty_event(event: str) -> Frame:
    """Return an EVENT message without arguments and without an acknowledgement id."""
    return Frame(b'42["%b"]' % event.encode())


def encode_ack(ack_id: int, response: bytes) -> Frame:
    """Return an ACK message for event `ack_id`; `response` is the only argument as JSON."""
    return Frame(b"43%d[%b]" % (ack_id, response))


def encode_connect(sid: str) -> Frame:
    """Return the CONNECT response with the Socket.IO session id."""
    return Frame(b'40{"sid":"%b"}' % sid.encode())


def encode_connect_error(namespace: str, error: bytes) -> Frame:
    """Return a CONNECT_ERROR message; `error` is its JSON payload."""
    return Frame(b"44%b%b" % (b"" if namespace == ROOT_NAMESPACE else namespace.encode() + b",", error))


def _decode_invalid_arguments(body: bytes) -> list[msgspec.Raw]:
    """Decode the name of an event with too deeply nested arguments, or with a lone surrogate, NaN or infinity.

    Args:
        body: Data of the event in valid UTF-8.

    Returns:
        The event name, with `?` for lone surrogates, and the complete data as the only argument: the codec of the
        request rejects the data with an error response.

    Raises:
        InvalidPacket: The data is malformed JSON, or not an array that starts with an event name. Data nested
            too deeply is not checked after the name.
    """
    text = body.decode()
    name: Any = None
    with suppress(ValueError, *DECODE_ERRORS):
        with suppress(RecursionError):  # the event name precedes the nested arguments
            _arguments_decoder.decode(_replace_invalid_values(body))
        name = json.JSONDecoder().raw_decode(text.lstrip()[1:].lstrip())[0]
    if not isinstance(name, str) or not text.lstrip().startswith("["):
        raise InvalidPacket("packet data is not a JSON array with an event name")
    return [msgspec.Raw(json.dumps(name.encode(errors="replace").decode()).encode()), msgspec.Raw(body)]


def _replace_invalid_values(body: bytes) -> bytes:
    """Replace values that JSON does not allow, even inside strings; malformed JSON stays malformed.

    The decoder of the standard library accepts such values, but takes ten times as long.
    """
    for value, replacement in _INVALID_VALUES:
        body = body.replace(value, replacement)
    return body


def _decode(decoder: msgspec.json.Decoder[DecodedT], body: bytes | msgspec.Raw, problem: str) -> DecodedT:
    """Decode a part of a packet; raise `InvalidPacket` with `problem` if that fails."""
    try:
        return decoder.decode(body)
    except DECODE_ERRORS:
        raise InvalidPacket(problem) from None
