"""Socket.IO v5 packets as text, decoded and encoded without the library's binary forms.

Rule 1  What is not exactly a packet of the protocol, in UTF-8, raises `BadPacket`;
        the connection that sent it is closed.
Rule 2  There is no binary in this protocol: its packet types are bad packets,
        so that nobody can announce attachments and have the server wait for them.
Rule 3  Arguments stay undecoded JSON; only the codec looks into them.

(Socket.IO protocol v5, "Packet encoding"; Engine.IO protocol v4.)
"""

import re

import msgspec
from msgspec import Raw, Struct

PACKET_CONNECT, PACKET_DISCONNECT, PACKET_EVENT, PACKET_ACK, PACKET_CONNECT_ERROR = b"01234"
ROOT_NAMESPACE = "/"

_MAX_ACK_ID_DIGITS = 16
_HEADER_PATTERN = re.compile(rb"(?:(/[^,]*),?)?([0-9]*)")  # behind the type: a namespace, and an acknowledgement id
_arguments_decoder = msgspec.json.Decoder(list[Raw])
_name_decoder = msgspec.json.Decoder(str)


class InvalidPacket(Exception):
    """What arrived is no packet; the message says why, without any of it."""


class ConnectPacket(Struct, frozen=True):
    """The client wants into a namespace; `auth` is what it presents, as JSON."""

    namespace: str
    auth: Raw | None


class DisconnectPacket(Struct, frozen=True):
    """The client leaves a namespace."""

    namespace: str


class EventPacket(Struct, frozen=True):
    """The client sends an event; it wants an acknowledgement when `ack_id` is not None."""

    namespace: str
    name: str
    arguments: list[Raw]
    ack_id: int | None


class AckPacket(Struct, frozen=True):
    """The client answers an event of ours. None of ours asks for it."""

    namespace: str


SocketIOPacket = ConnectPacket | DisconnectPacket | EventPacket | AckPacket


def parse_packet(payload: bytes) -> SocketIOPacket:
    """The packet in an Engine.IO message.

    Args:
        text: Without the Engine.IO type.

    Raises:
        BadPacket: See rules 1 and 2.
    """
    if not payload:
        raise InvalidPacket("an empty packet")
    if not payload.isascii():
        try:
            payload.decode()
        except UnicodeDecodeError:
            raise InvalidPacket("a packet that is not UTF-8") from None
    packet_type = payload[0]
    header = _HEADER_PATTERN.match(payload, 1)
    assert header is not None  # it matches nothing at all, too
    namespace = ROOT_NAMESPACE if header[1] is None else header[1].decode().partition("?")[0]
    ack_id = _parse_ack_id(header[2])
    body = payload[header.end() :]
    if packet_type == PACKET_EVENT:
        arguments = _decode_list(body)
        if not arguments:
            raise InvalidPacket("an event without a name")
        try:
            name = _name_decoder.decode(arguments[0])
        except msgspec.MsgspecError:
            raise InvalidPacket("an event without a name") from None
        return EventPacket(namespace, name, arguments[1:], ack_id)
    if packet_type == PACKET_CONNECT and ack_id is None:
        return ConnectPacket(namespace, _decode_object(body) if body else None)
    if packet_type == PACKET_DISCONNECT and ack_id is None and not body:
        return DisconnectPacket(namespace)
    if packet_type == PACKET_ACK and ack_id is not None:
        _decode_list(body)
        return AckPacket(namespace)
    raise InvalidPacket("a packet of a type that clients do not send here")


def encode_event(data: bytes) -> bytes:
    """An Engine.IO message with an EVENT packet; `data` is the JSON list of name and arguments."""
    return b"42" + data


def encode_ack(ack_id: int, response: bytes) -> bytes:
    """An Engine.IO message that answers event `ack_id` with one JSON argument."""
    return b"43%d[%b]" % (ack_id, response)


def encode_connect(sid: str) -> bytes:
    """An Engine.IO message that lets the client into the root namespace."""
    return b'40{"sid":"%b"}' % sid.encode()


def encode_connect_error(namespace: str, error: bytes) -> bytes:
    """An Engine.IO message that keeps the client out; `reason` is a JSON object with `message`."""
    return b"44%b%b" % (b"" if namespace == ROOT_NAMESPACE else namespace.encode() + b",", error)


def _parse_ack_id(digits: bytes) -> int | None:
    if len(digits) > _MAX_ACK_ID_DIGITS:
        raise InvalidPacket("an acknowledgement id of too many digits")
    return int(digits) if digits else None


def _decode_list(body: bytes) -> list[Raw]:
    try:
        return _arguments_decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        raise InvalidPacket("a packet whose data is not a JSON list") from None


def _decode_object(body: bytes) -> Raw:
    try:
        msgspec.json.decode(body, type=dict[str, Raw])
    except (msgspec.MsgspecError, RecursionError):
        raise InvalidPacket("a packet whose data is not a JSON object") from None
    return Raw(body)
