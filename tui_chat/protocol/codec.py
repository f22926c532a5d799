"""The only place that turns bytes into requests, answers and pushes, and back.

Whatever is not exactly a request is refused here with `BadRequest` (or the
error that its field has), so that nothing behind this module checks a type.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from tui_chat.protocol import events
from tui_chat.protocol.errors import BadRequest, ChatError, InternalError, error_from_code
from tui_chat.protocol.events import WireStruct
from tui_chat.protocol.requests import REQUEST_TYPES, Request

WireStructT = TypeVar("WireStructT", bound=WireStruct)


class ErrorBody(Struct, rename="camel", omit_defaults=True):
    code: str
    message: str
    retry_after: float | None = None


class _ResponseStatus(Struct):
    ok: bool
    error: ErrorBody | None = None


_encoder = msgspec.json.Encoder()
_status_decoder = msgspec.json.Decoder(_ResponseStatus)
_request_decoders = {request_type.event: msgspec.json.Decoder(request_type) for request_type in REQUEST_TYPES}
_push_decoders = {
    events.MESSAGE: msgspec.json.Decoder(events.MessagePush),
    events.UPDATE: msgspec.json.Decoder(events.Update),
    events.PRESENCE: msgspec.json.Decoder(events.PresencePush),
    events.TYPING: msgspec.json.Decoder(events.TypingPush),
    events.READ_MARKER: msgspec.json.Decoder(events.ReadMarkerPush),
    events.GOING_AWAY: msgspec.json.Decoder(events.GoingAwayPush),
    events.AUTH_FAIL: msgspec.json.Decoder(events.AuthFailPush),
}
REQUEST_EVENTS = frozenset(_request_decoders)
"""The names of all requests."""

PUSH_EVENTS = frozenset(_push_decoders)
"""The names of all pushes."""


def decode_request(event: str, body: bytes | Raw) -> Request:
    """The request that an event's one argument stands for.

    Args:
        event: One of `EVENTS`.
        body: The argument as JSON.

    Raises:
        ChatError: It is not valid; nothing of it may be used.
    """
    decoder = _request_decoders.get(event)
    if decoder is None:
        raise BadRequest("there is no such request")
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest(_describe_decode_error(error)) from None


def request_to_builtins(request: Request) -> dict[str, Any]:
    """The request as plain JSON types, for a Socket.IO client to send."""
    return msgspec.to_builtins(request, str_keys=True)


def encode_response(response: WireStruct) -> bytes:
    """`{"ok": true, …}` with the answer's fields."""
    body = _encoder.encode(response)
    return b'{"ok":true}' if body == b"{}" else b'{"ok":true,' + body[1:]


def encode_error(error: ChatError) -> bytes:
    """`{"ok": false, "error": {…}}` as the wire shows an error."""
    error_body = ErrorBody(error.code, error.message, error.retry_after)
    return b'{"ok":false,"error":' + _encoder.encode(error_body) + b"}"


def decode_response(response_type: type[WireStructT], body: bytes | str) -> WireStructT:
    """What the server answered.

    Raises:
        ChatError: The server refused, or answered something else (`Internal`).
    """
    try:
        status = _status_decoder.decode(body)
        if status.ok:
            return msgspec.json.decode(body, type=response_type)
    except (msgspec.MsgspecError, RecursionError):
        raise InternalError("the server's answer could not be read") from None
    error_body = status.error or ErrorBody("internal", "the server gave no reason")
    raise error_from_code(error_body.code, error_body.message, error_body.retry_after)


def encode_push(event: str, body: WireStruct) -> bytes:
    """`["event",{…}]`: the data of a Socket.IO EVENT packet."""
    return b'["' + event.encode() + b'",' + _encoder.encode(body) + b"]"


def decode_push(event: str, body: bytes | str) -> WireStruct:
    """What a push of the server says.

    Raises:
        BadRequest: It is no push that this version knows.
    """
    decoder = _push_decoders.get(event)
    if decoder is None:
        raise BadRequest("there is no such push")
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest(_describe_decode_error(error)) from None


class SocketIOJson:
    """msgspec in the shape that python-socketio's `json=` expects.

    It refuses NaN and lone surrogates, which the standard module lets through
    and browsers or storage then choke on. The setting is process-wide.
    """

    @staticmethod
    def dumps(value: Any, *, separators: tuple[str, str] | None = None) -> str:
        """Compact JSON as text; `separators` is what the library passes, and moot."""
        return _encoder.encode(value).decode()

    @staticmethod
    def loads(body: str | bytes) -> Any:
        """The value, or `ValueError` for whatever is not JSON."""
        try:
            return msgspec.json.decode(body)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None


def _describe_decode_error(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    if isinstance(error, msgspec.ValidationError):
        return str(error)[:200]
    return "the body is not valid JSON"
