"""Exception hierarchy of the protocol with the wire codes, shared by server and client."""

from collections.abc import Mapping
from typing import ClassVar, Self

import msgspec

from tui_chat.protocol.error_reasons import MESSAGES

DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""Exceptions of msgspec for JSON that is malformed, invalid, not UTF-8 or nested too deeply."""

ErrorParams = Mapping[str, str | int | float]
"""Values of the parameters of a reason, by name."""


class ChatError(Exception):
    """Failed request.

    Args:
        message: Message of the server; the default is the English message of the reason with its parameters.

    Attributes:
        code: Wire code (docs/protocol.md, "Errors").
        reason: Key of `error_reasons.MESSAGES`; with `message`, also an unknown reason of another server version.
        params: Parameters of the reason.
        retry_after: Seconds until a retry may succeed, None if unknown.
        message: English phrase for logs, without a period.

    Raises:
        KeyError: `message` is None, and the reason is unknown or a parameter is missing.
    """

    code: ClassVar[str] = "internal"

    def __init__(
        self,
        reason: str,
        /,
        *,
        message: str | None = None,
        retry_after: float | None = None,
        **params: str | int | float,
    ) -> None:
        self.reason = reason
        self.params: ErrorParams = params
        self.retry_after = retry_after
        self.message = format_params(MESSAGES[reason], params) if message is None else message
        super().__init__(self.message)

    def copy(self) -> Self:
        """Return an error with the same attributes, without traceback and cause, for a second `raise`."""
        return type(self)(self.reason, message=self.message, retry_after=self.retry_after, **self.params)


class BadRequest(ChatError):
    """Unknown or unsupported request, missing field, wrong type or invalid value."""

    code = "bad_request"


class Unauthorized(ChatError):
    """Missing or invalid token, key, password or signature, or suspended account."""

    code = "unauthorized"


class Forbidden(ChatError):
    """Operation that the requester may not perform."""

    code = "forbidden"


class NotJoined(ChatError):
    """Request for a room without membership."""

    code = "not_joined"


class NotFound(ChatError):
    """Unknown or invisible object."""

    code = "not_found"


class NickInvalid(ChatError):
    """Nickname that is empty, reserved or has a forbidden character or combination."""

    code = "nick_invalid"


class RoomInvalid(ChatError):
    """Room name that is empty, reserved or has a forbidden character or combination."""

    code = "room_invalid"


class TooLong(ChatError):
    """Length limit exceeded (`tui_chat.protocol.limits`)."""

    code = "too_long"


class RateLimited(ChatError):
    """Exceeded rate limit."""

    code = "rate_limited"


class Conflict(ChatError):
    """Conflict with the current state, for example an edit of a deleted message."""

    code = "conflict"


class Unavailable(ChatError):
    """Temporary failure of the server or the connection.

    After a database failure or a lost connection, the request may have had an effect. A retry with the same `clientId`
    is safe (docs/guarantees.md).
    """

    code = "unavailable"


class InternalError(ChatError):
    """Unexpected failure, with details in the log of the failed program, or invalid response of the server."""

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


def format_params(template: str, params: ErrorParams) -> str:
    """Return a message with the parameters of a reason; integers have thousands separators, for example `4,000`.

    Parameters that the template does not contain are ignored.

    Raises:
        KeyError: A parameter of the template is missing.
    """
    return template.format(
        **{name: f"{value:,}" if isinstance(value, int) else value for name, value in params.items()}
    )
