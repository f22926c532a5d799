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

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR = b"01234"
ROOT = "/"

_ID_DIGITS = 16
_HEAD = re.compile(rb"(?:(/[^,]*),?)?([0-9]*)")  # behind the type: a namespace, and an acknowledgement id
_arguments = msgspec.json.Decoder(list[Raw])
_name = msgspec.json.Decoder(str)


class BadPacket(Exception):
    """What arrived is no packet; the message says why, without any of it."""


class Connect(Struct, frozen=True):
    """The client wants into a namespace; `auth` is what it presents, as JSON."""

    namespace: str
    auth: Raw | None


class Disconnect(Struct, frozen=True):
    """The client leaves a namespace."""

    namespace: str


class Event(Struct, frozen=True):
    """The client sends an event; it wants an acknowledgement when `ack_id` is not None."""

    namespace: str
    name: str
    arguments: list[Raw]
    ack_id: int | None


class Acknowledgement(Struct, frozen=True):
    """The client answers an event of ours. None of ours asks for it."""

    namespace: str


Packet = Connect | Disconnect | Event | Acknowledgement


def parse(text: bytes) -> Packet:
    """The packet in an Engine.IO message.

    Args:
        text: Without the Engine.IO type.

    Raises:
        BadPacket: See rules 1 and 2.
    """
    if not text:
        raise BadPacket("an empty packet")
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            raise BadPacket("a packet that is not UTF-8") from None
    kind = text[0]
    head = _HEAD.match(text, 1)
    assert head is not None  # it matches nothing at all, too
    namespace = ROOT if head[1] is None else head[1].decode().partition("?")[0]
    ack_id = _ack_id(head[2])
    body = text[head.end() :]
    if kind == EVENT:
        arguments = _list(body)
        if not arguments:
            raise BadPacket("an event without a name")
        try:
            name = _name.decode(arguments[0])
        except msgspec.MsgspecError:
            raise BadPacket("an event without a name") from None
        return Event(namespace, name, arguments[1:], ack_id)
    if kind == CONNECT and ack_id is None:
        return Connect(namespace, _object(body) if body else None)
    if kind == DISCONNECT and ack_id is None and not body:
        return Disconnect(namespace)
    if kind == ACK and ack_id is not None:
        _list(body)
        return Acknowledgement(namespace)
    raise BadPacket("a packet of a type that clients do not send here")


def event(data: bytes) -> bytes:
    """An Engine.IO message with an EVENT packet; `data` is the JSON list of name and arguments."""
    return b"42" + data


def acknowledgement(ack_id: int, answer: bytes) -> bytes:
    """An Engine.IO message that answers event `ack_id` with one JSON argument."""
    return b"43%d[%b]" % (ack_id, answer)


def connected(sid: str) -> bytes:
    """An Engine.IO message that lets the client into the root namespace."""
    return b'40{"sid":"%b"}' % sid.encode()


def refused(namespace: str, reason: bytes) -> bytes:
    """An Engine.IO message that keeps the client out; `reason` is a JSON object with `message`."""
    return b"44%b%b" % (b"" if namespace == ROOT else namespace.encode() + b",", reason)


def _ack_id(digits: bytes) -> int | None:
    if len(digits) > _ID_DIGITS:
        raise BadPacket("an acknowledgement id of too many digits")
    return int(digits) if digits else None


def _list(body: bytes) -> list[Raw]:
    try:
        return _arguments.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        raise BadPacket("a packet whose data is not a JSON list") from None


def _object(body: bytes) -> Raw:
    try:
        msgspec.json.decode(body, type=dict[str, Raw])
    except (msgspec.MsgspecError, RecursionError):
        raise BadPacket("a packet whose data is not a JSON object") from None
    return Raw(body)
