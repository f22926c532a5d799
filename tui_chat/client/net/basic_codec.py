"""Detection and decoding of the pushes and acknowledgements of basic servers (docs/clients.md, "Basic servers")."""

from typing import Literal

import msgspec
from msgspec import Struct

from tui_chat.protocol.errors import DECODE_ERRORS


class BasicMessage(Struct, rename="camel"):
    """Message push of a basic server, as an object or plain string (docs/protocol.md, "Basic clients").

    Pushes of a chat server have a `kind` or `seq`.
    """

    message: str
    nick_name: str = ""
    kind: str | None = None
    seq: int | None = None


class _NativeAck(Struct):
    ok: bool


class _NativeHealth(Struct):
    service: Literal["chat-server"]


_push_decoder = msgspec.json.Decoder(BasicMessage | str)
_ack_decoder = msgspec.json.Decoder(_NativeAck)
_health_decoder = msgspec.json.Decoder(_NativeHealth)


def decode_basic_push(event: str, body: bytes) -> BasicMessage | None:
    """Decode a message of a basic server, without a nickname for a plain string.

    None for other events, malformed bodies and pushes of a chat server.
    """
    if event != "message":
        return None
    try:
        push = _push_decoder.decode(body)
    except DECODE_ERRORS:
        return None
    if isinstance(push, str):
        return BasicMessage(push)
    return push if push.kind is None and push.seq is None else None


def is_native_ack(body: bytes) -> bool:
    """Return whether an acknowledgement, successful or not, has the `ok` of docs/protocol.md, "Requests"."""
    return _is_valid(_ack_decoder, body)


def is_native_health(body: bytes) -> bool:
    """Return whether a response to `GET /health` identifies a `chat-server`."""
    return _is_valid(_health_decoder, body)


def _is_valid(decoder: "msgspec.json.Decoder[_NativeAck] | msgspec.json.Decoder[_NativeHealth]", body: bytes) -> bool:
    try:
        decoder.decode(body)
    except DECODE_ERRORS:
        return False
    return True
