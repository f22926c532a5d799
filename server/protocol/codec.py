"""The only place that turns bytes into requests, answers and pushes, and back.

Whatever is not exactly a request is refused here with `BadRequest` (or the
error that its field has), so that nothing behind this module checks a type.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from server.protocol import entries
from server.protocol.entries import Wire
from server.protocol.errors import BadRequest, ChatError, Internal, from_code
from server.protocol.requests import ALL, Request

WireT = TypeVar("WireT", bound=Wire)


class _Problem(Struct, rename="camel", omit_defaults=True):
    code: str
    message: str
    retry_after: float | None = None


class _Outcome(Struct):
    ok: bool
    error: _Problem | None = None


_encoder = msgspec.json.Encoder()
_outcome = msgspec.json.Decoder(_Outcome)
_requests = {kind.event: msgspec.json.Decoder(kind) for kind in ALL}
_pushes = {
    entries.MESSAGE: msgspec.json.Decoder(entries.MessagePush),
    entries.UPDATE: msgspec.json.Decoder(entries.Update),
    entries.PRESENCE: msgspec.json.Decoder(entries.PresencePush),
    entries.TYPING: msgspec.json.Decoder(entries.TypingPush),
    entries.READ_MARKER: msgspec.json.Decoder(entries.ReadMarkerPush),
    entries.GOING_AWAY: msgspec.json.Decoder(entries.GoingAwayPush),
    entries.AUTH_FAIL: msgspec.json.Decoder(entries.AuthFailPush),
}
EVENTS = frozenset(_requests)
"""The names of all requests."""

PUSHES = frozenset(_pushes)
"""The names of all pushes."""


def decode_request(event: str, body: bytes | Raw) -> Request:
    """The request that an event's one argument stands for.

    Args:
        event: One of `EVENTS`.
        body: The argument as JSON.

    Raises:
        ChatError: It is not valid; nothing of it may be used.
    """
    decoder = _requests.get(event)
    if decoder is None:
        raise BadRequest("there is no such request")
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise BadRequest(_reason(fault)) from None


def request_fields(request: Request) -> dict[str, Any]:
    """The request as plain JSON types, for a Socket.IO client to send."""
    return msgspec.to_builtins(request, str_keys=True)


def encode_answer(answer: Wire) -> bytes:
    """`{"ok": true, …}` with the answer's fields."""
    body = _encoder.encode(answer)
    return b'{"ok":true}' if body == b"{}" else b'{"ok":true,' + body[1:]


def encode_error(error: ChatError) -> bytes:
    """`{"ok": false, "error": {…}}` as the wire shows an error."""
    problem = _Problem(error.code, error.message, error.retry_after)
    return b'{"ok":false,"error":' + _encoder.encode(problem) + b"}"


def decode_answer(kind: type[WireT], body: bytes | str) -> WireT:
    """What the server answered.

    Raises:
        ChatError: The server refused, or answered something else (`Internal`).
    """
    try:
        outcome = _outcome.decode(body)
        if outcome.ok:
            return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError):
        raise Internal("the server's answer could not be read") from None
    problem = outcome.error or _Problem("internal", "the server gave no reason")
    raise from_code(problem.code, problem.message, problem.retry_after)


def encode_push(event: str, body: Wire) -> bytes:
    """`["event",{…}]`: the data of a Socket.IO EVENT packet."""
    return b'["' + event.encode() + b'",' + _encoder.encode(body) + b"]"


def decode_push(event: str, body: bytes | str) -> Wire:
    """What a push of the server says.

    Raises:
        BadRequest: It is no push that this version knows.
    """
    decoder = _pushes.get(event)
    if decoder is None:
        raise BadRequest("there is no such push")
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise BadRequest(_reason(fault)) from None


class Json:
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


def _reason(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return "the JSON is nested too deeply"
    if isinstance(fault, msgspec.ValidationError):
        return str(fault)[:200]
    return "the body is not valid JSON"
