"""Base classes of all requests (docs/protocol.md, "Requests").

Construction sanitizes texts and validates names and text lengths; a violation raises the matching error of
`tui_chat.protocol.errors`. Only the decoder checks types and numeric ranges.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta
from msgspec.structs import force_setattr

from tui_chat.protocol import names, sanitize
from tui_chat.protocol.limits import SEQ_MAX
from tui_chat.protocol.wire_struct import WireStruct

Seq = Annotated[int, Meta(ge=1, le=SEQ_MAX)]
NonNegative = Annotated[int, Meta(ge=0, le=SEQ_MAX)]


_VALIDATORS: dict[str, Callable[[str], str]] = {
    "room": names.validate_room_name,
    "room_name": names.validate_room_name,
    "name": names.validate_room_name,
    "title": names.validate_room_title,
    "nick_name": names.validate_nickname,
    "message": sanitize.validate_message_body,
    "topic": sanitize.validate_topic,
    "reason": sanitize.validate_reason,
    "status_text": sanitize.validate_status,
    "query": sanitize.validate_query,
}
"""Functions by field name that return the validated form of a text."""


class ValidatedStruct(WireStruct, frozen=True):
    """Struct that replaces its texts with their validated form at construction; raises the error of an invalid text.

    The name of a field selects its function in `_VALIDATORS`. Fields without a function, or with the value None, are
    unchanged.
    """

    def __post_init__(self) -> None:
        for name, validate in _get_validators(type(self)):
            if (value := getattr(self, name)) is not None:
                force_setattr(self, name, validate(value))


@cache
def _get_validators(struct_type: type[ValidatedStruct]) -> tuple[tuple[str, Callable[[str], str]], ...]:
    return tuple((name, _VALIDATORS[name]) for name in struct_type.__struct_fields__ if name in _VALIDATORS)


class Request(ValidatedStruct, frozen=True):
    """Base of all requests.

    Attributes:
        event: Name of the Socket.IO event.
        rate_class: Rate limit that applies to the request (`server.gateway.request_limits`).
    """

    event: ClassVar[str]
    rate_class: ClassVar[str] = "default"


class RoomRequest(Request, frozen=True):
    """Request for one room."""

    room: str


class IdempotentRequest(RoomRequest, frozen=True, kw_only=True):
    """Base of changes of a room log.

    Attributes:
        client_id: Idempotency key chosen by the client; a repeat receives the first response. None for no key.
    """

    client_id: UUID | None = None
