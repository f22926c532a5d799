"""Exception hierarchy of the protocol, with the wire codes.

The server converts errors to responses in `server.gateway.dispatcher` (events) and `server.web.problem_details` (HTTP).
The client raises the same classes for error responses.
"""

from typing import ClassVar


class ChatError(Exception):
    """Failed request.

    Attributes:
        code: Wire code (docs/protocol.md, "Errors").
        message: One sentence for the user.
        retry_after: Seconds until a retry may succeed, None if unknown.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class BadRequest(ChatError):
    """Missing field, wrong type or value out of range."""

    code = "bad_request"


class Unauthorized(ChatError):
    """Invalid token or key."""

    code = "unauthorized"


class Forbidden(ChatError):
    """Insufficient permission of an authenticated member."""

    code = "forbidden"


class NotJoined(ChatError):
    """Request for a room without membership."""

    code = "not_joined"


class NotFound(ChatError):
    """Unknown or invisible object."""

    code = "not_found"


class NickInvalid(ChatError):
    """Empty nickname or forbidden character."""

    code = "nick_invalid"


class RoomInvalid(ChatError):
    """Empty room name or forbidden character."""

    code = "room_invalid"


class TooLong(ChatError):
    """Length limit exceeded (`tui_chat.protocol.limits`)."""

    code = "too_long"


class RateLimited(ChatError):
    """Exceeded rate limit; `retry_after` is the time until the next permitted request."""

    code = "rate_limited"


class Conflict(ChatError):
    """Conflict with the current state, for example an edit of a deleted message."""

    code = "conflict"


class Unavailable(ChatError):
    """Temporary failure of the server.

    The request had no effect, except possibly after a database failure during the commit. A retry with the same
    `clientId` is safe (docs/guarantees.md).
    """

    code = "unavailable"


class InternalError(ChatError):
    """Unexpected failure of the server, with details in its log."""

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
    """Return the error for a wire code; `InternalError` for an unknown code."""
    return ERRORS_BY_CODE.get(code, InternalError)(message, retry_after)
