"""JSON codec for requests, responses and pushes; a decoded request is always valid."""

from typing import Any, TypeVar, cast, get_args

import msgspec
from msgspec import Raw, Struct

from tui_chat.protocol import events, requests, room_requests
from tui_chat.protocol.errors import DECODE_ERRORS, ERRORS_BY_CODE, BadRequest, ChatError, InternalError
from tui_chat.protocol.limits import SEQ_MAX
from tui_chat.protocol.request_base import Request, RoomRequest
from tui_chat.protocol.wire_struct import WireStruct

PROTOCOL_VERSION = 1
"""Version of the wire protocol; incremented by changes that are incompatible with documented clients."""

REQUEST_TYPES: tuple[type[Request], ...] = requests.REQUEST_TYPES + room_requests.REQUEST_TYPES
"""Types of all requests."""

WireStructT = TypeVar("WireStructT", bound=WireStruct)


class ErrorBody(Struct, rename="camel", omit_defaults=True):
    """Wire form of a `ChatError` (docs/protocol.md, "Errors"); `reason` is empty from a server without reasons."""

    code: str
    message: str
    reason: str = ""
    params: dict[str, str | int | float] | None = None
    retry_after: float | None = None

    @classmethod
    def from_error(cls, error: ChatError) -> "ErrorBody":
        """Return the wire form of an error; `params` is None for an error without parameters."""
        return cls(error.code, error.message, error.reason, dict(error.params) or None, error.retry_after)

    def to_error(self) -> ChatError:
        """Return the error; `InternalError` for an unknown code. Parameters `message` and `retry_after` are dropped."""
        error_type = ERRORS_BY_CODE.get(self.code, InternalError)
        params = {name: value for name, value in (self.params or {}).items() if name not in ("message", "retry_after")}
        return error_type(self.reason, message=self.message, retry_after=self.retry_after, **params)


class _ResponseStatus(Struct):
    ok: bool
    error: ErrorBody | None = None


_encoder = msgspec.json.Encoder()
_status_decoder = msgspec.json.Decoder(_ResponseStatus)
_request_decoders = {request_type.event: msgspec.json.Decoder(request_type) for request_type in REQUEST_TYPES}
_push_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    events.MESSAGE: msgspec.json.Decoder(events.MessagePush),
    events.UPDATE: msgspec.json.Decoder(events.Update),
    events.PRESENCE: msgspec.json.Decoder(events.PresencePush),
    events.TYPING: msgspec.json.Decoder(events.TypingPush),
    events.READ_MARKER: msgspec.json.Decoder(events.ReadMarkerPush),
    events.BLOCKS: msgspec.json.Decoder(events.BlockPush),
    events.DIRECT_ROOM: msgspec.json.Decoder(events.DirectRoomPush),
    events.ROOM_RENAMED: msgspec.json.Decoder(events.RoomRenamedPush),
    events.ROOM_REMOVED: msgspec.json.Decoder(events.RoomRemovedPush),
    events.GOING_AWAY: msgspec.json.Decoder(events.GoingAwayPush),
    events.AUTH_FAIL: msgspec.json.Decoder(events.AuthFailPush),
}
_ENTRY_KINDS = [entry_type.__struct_config__.tag for entry_type in get_args(events.Entry)]
REQUEST_EVENTS = frozenset(_request_decoders)
"""Event names of all requests."""

PUSH_EVENTS = frozenset((*_push_decoders, events.ERROR))
"""Event names of all known pushes."""


def decode_request(event: str, body: bytes | Raw) -> Request:
    """Decode and validate a request from the only argument of its event.

    Unknown fields are ignored, and null fields are absent. Basic clients may pass a required room as `room`, `roomName`
    or `roomId`, as a whole number, or in a `RoomRequest` as the argument itself. Texts and names are in validated form.

    Raises:
        BadRequest: The event is unknown, or the body is malformed.
        ChatError: A field is invalid, for example `NickInvalid` or `TooLong`.
    """
    if (decoder := _request_decoders.get(event)) is None:
        raise BadRequest("request_unknown")
    try:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError:
            return msgspec.convert(_normalize_fields(decoder.type, msgspec.json.decode(body)), decoder.type)
    except DECODE_ERRORS as error:
        raise to_bad_request(error) from None


def drop_nulls(fields: Any) -> Any:
    """Return a decoded JSON object without its null fields, or any other value unchanged; nested nulls remain."""
    if not isinstance(fields, dict):
        return fields
    return {name: value for name, value in cast(dict[str, Any], fields).items() if value is not None}


def number_to_text(value: Any) -> Any:
    """Return a whole number as text, for numeric room names of basic clients: 7 and 7.0 give `"7"`.

    Other values are unchanged, including booleans and numbers with a magnitude above `SEQ_MAX`.
    """
    is_whole_number = type(value) in (int, float) and abs(value) <= SEQ_MAX and value == int(value)
    return str(int(value)) if is_whole_number else value


def encode_response(response: WireStruct) -> bytes:
    """Encode a response as `{"ok": true, …}`."""
    body = _encoder.encode(response)
    return b'{"ok":true}' if body == b"{}" else b'{"ok":true,' + body[1:]


def encode_error(error: ChatError) -> bytes:
    """Encode an error as `{"ok": false, "error": {…}}`."""
    return b'{"ok":false,"error":' + _encoder.encode(ErrorBody.from_error(error)) + b"}"


def decode_response(response_type: type[WireStructT], body: bytes | str) -> WireStructT:
    """Decode the acknowledgement of a request.

    An entry of an unknown kind is an `UnknownEntry`. Texts are not sanitized.

    Raises:
        ChatError: The error in the acknowledgement.
        InternalError: The acknowledgement is invalid, has an unknown error code, or is a failure without an error.
    """
    try:
        status = _status_decoder.decode(body)
        if status.ok:
            try:
                return msgspec.json.decode(body, type=response_type)
            except msgspec.ValidationError:
                return msgspec.convert(_replace_unknown_kinds(msgspec.json.decode(body)), response_type)
    except DECODE_ERRORS:
        raise InternalError("response_invalid") from None
    raise (status.error or ErrorBody("internal", "the server gave no reason")).to_error()


def encode_push(event: str, body: Any) -> bytes:
    """Encode a push as `["event",body]`, the payload of a Socket.IO EVENT packet."""
    return b'["' + event.encode() + b'",' + _encoder.encode(body) + b"]"


def decode_push(event: str, body: bytes | str) -> WireStruct:
    """Decode a push of the server.

    Unknown fields are ignored. An `update` of an unknown kind is an `UnknownEntry`. Texts are not sanitized.

    Raises:
        BadRequest: The push is invalid, or its event or the kind of a `message` is unknown to this version. The event
            `error` counts as unknown; `decode_error` decodes it.
    """
    if (decoder := _push_decoders.get(event)) is None:
        raise BadRequest("push_unknown")
    try:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError:
            return msgspec.convert(_replace_unknown_kinds(msgspec.json.decode(body)), decoder.type)
    except DECODE_ERRORS as error:
        raise to_bad_request(error) from None


def decode_error(body: bytes | str) -> ChatError:
    """Return the error of an `error` push; an unknown code gives `InternalError`.

    Raises:
        BadRequest: The push is invalid.
    """
    try:
        return msgspec.json.decode(body, type=ErrorBody).to_error()
    except DECODE_ERRORS as error:
        raise to_bad_request(error) from None


class SocketIOJson:
    """JSON module for the `json` parameter of python-socketio, based on msgspec.

    The decoder rejects NaN and lone surrogates. The standard library accepts them; browsers and storage do not.
    python-socketio applies the module to all servers and clients of the process.
    """

    @staticmethod
    def dumps(value: Any, *, separators: tuple[str, str] | None = None) -> str:
        """Return compact JSON of builtins and wire structs; `separators` is accepted for compatibility and ignored.

        Non-ASCII characters are not escaped, and NaN and infinity become null.

        Raises:
            TypeError: The value has a type without JSON equivalent.
            UnicodeEncodeError: A text contains a lone surrogate.
        """
        return _encoder.encode(value).decode()

    @staticmethod
    def loads(body: str | bytes) -> Any:
        """Parse JSON.

        Raises:
            ValueError: The input is not valid JSON, or nested too deeply.
        """
        try:
            return msgspec.json.decode(body)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None


def _normalize_fields(request_type: type[Request], body: Any) -> Any:
    """Return the fields of a request in the forms of native clients.

    Null fields are dropped. The first of `room`, `roomName` and `roomId` supplies an absent `room` and `roomName`.
    Whole numbers in these three fields become text. A text or number as the body of a `RoomRequest` is the room. Any
    other body that is no object is unchanged.
    """
    if issubclass(request_type, RoomRequest) and isinstance(body, str | int | float):
        body = {"room": body}
    if not isinstance(body, dict):
        return body
    fields: dict[str, Any] = drop_nulls(body)
    rooms = {name: number_to_text(fields[name]) for name in ("room", "roomName", "roomId") if name in fields}
    return fields | dict.fromkeys(("room", "roomName"), next(iter(rooms.values()))) | rooms if rooms else fields


def _replace_unknown_kinds(value: Any) -> Any:
    """Return an entry, or a response with `messages`, whose entries of an unknown kind become `UnknownEntry` objects.

    Such an entry gets the kind `unknown` and an empty author. Other values are unchanged. A kind can be any JSON value.
    """
    if not isinstance(value, dict):
        return value
    fields = cast(dict[str, Any], value)
    if isinstance(messages := fields.get("messages"), list):
        return fields | {"messages": [_replace_unknown_kinds(entry) for entry in cast(list[Any], messages)]}
    is_unknown = "seq" in fields and "kind" in fields and fields["kind"] not in _ENTRY_KINDS
    return fields | {"kind": "unknown", "nickName": "", "memberId": ""} if is_unknown else fields


def to_bad_request(error: Exception) -> BadRequest:
    """Return the error of an undecodable body.

    The reason is `field_invalid` for an invalid value, with at most 200 characters of the message of msgspec,
    `json_too_deep` for deep nesting, and `json_invalid` otherwise, including bytes that are not UTF-8.

    Args:
        error: One of `DECODE_ERRORS`.
    """
    if isinstance(error, RecursionError):
        return BadRequest("json_too_deep")
    if isinstance(error, msgspec.ValidationError):
        return BadRequest("field_invalid", problem=str(error)[:200])
    return BadRequest("json_invalid")
