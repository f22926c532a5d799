"""Everything that can go wrong with a request, as one small tree.

Raised wherever the fault is seen and turned into an answer in one place
(`server.gateway.dispatcher`); the client raises the same classes from the answer.
"""

from typing import ClassVar


class ChatError(Exception):
    """A request was refused.

    Attributes:
        code: The wire's word for it (docs/protocol.md, "Errors").
        message: One sentence for a person, without any of the request's text.
        retry_after: Seconds after which the same request may succeed, or None.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class BadRequest(ChatError):
    """A field is missing, has a wrong type or is out of its range."""

    code = "bad_request"


class Unauthorized(ChatError):
    """The token or key is not valid."""

    code = "unauthorized"


class Forbidden(ChatError):
    """You are known, and may not do this."""

    code = "forbidden"


class NotJoined(ChatError):
    """The room has to be joined first."""

    code = "not_joined"


class NotFound(ChatError):
    """There is no such thing, or none that you may see."""

    code = "not_found"


class NickInvalid(ChatError):
    """The nickname is empty or holds a character that names cannot have."""

    code = "nick_invalid"


class RoomInvalid(ChatError):
    """The room name is empty or holds a character that names cannot have."""

    code = "room_invalid"


class TooLong(ChatError):
    """A text or name is longer than `tui_chat.protocol.limits` allows."""

    code = "too_long"


class RateLimited(ChatError):
    """Too many requests; `retry_after` says when the next is taken."""

    code = "rate_limited"


class Conflict(ChatError):
    """The request contradicts one that was accepted before."""

    code = "conflict"


class Unavailable(ChatError):
    """The server cannot do it now.

    Almost always nothing was changed; a database that fails at the very end of a commit may have kept it.
    Repeated with its `clientId`, a message is then answered as it was written (docs/guarantees.md).
    """

    code = "unavailable"


class InternalError(ChatError):
    """The server made a mistake; its log has the details."""

    code = "internal"


ERRORS_BY_CODE: dict[str, type[ChatError]] = {
    error_type.code: error_type
    for error_type in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotJoined,
        NotFound,
        NickInvalid,
        RoomInvalid,
        TooLong,
        RateLimited,
        Conflict,
        Unavailable,
        InternalError,
    )
}


def error_from_code(code: str, message: str, retry_after: float | None = None) -> ChatError:
    """The error that an answer stands for; an unknown code is `Internal`."""
    return ERRORS_BY_CODE.get(code, InternalError)(message, retry_after)
