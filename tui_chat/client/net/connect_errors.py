"""TLS configuration, causes of failed connection attempts, and responses of the server with sanitized errors."""

import ssl
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from tui_chat.client import sanitize
from tui_chat.client.errors import Unreachable
from tui_chat.protocol.codec import ErrorBody, WireStructT, decode_response
from tui_chat.protocol.errors import DECODE_ERRORS, ChatError, Unauthorized
from tui_chat.protocol.events import AuthFailPush
from tui_chat.protocol.responses import SendResponse

MAX_RETRY_AFTER = 60.0
"""Upper limit of `retryAfter` in an error, in seconds."""
MAX_REASON_LENGTH = 300
"""Character limit of an error message of the server."""


class _Rejection(Struct):
    """Payload of a CONNECT_ERROR packet; only chat servers send `data`."""

    message: str = ""
    data: ErrorBody | None = None


def create_ssl_context(url: str, ca_file: str | None) -> ssl.SSLContext | bool:
    """Return the `ssl` argument of aiohttp for a server: a context for an `https` URL, True for an `http` URL.

    Args:
        url: Base URL of the server.
        ca_file: PEM file with the only trusted certificates, None for the system's; ignored for an `http` URL.

    Raises:
        Unreachable: The certificates cannot be read.
    """
    if not url.startswith("https:"):
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise Unreachable("ca_file_empty", file=str(ca_file)) from None
    except OSError as error:
        raise Unreachable("ca_file_unreadable", file=str(ca_file), problem=error.strerror or "cannot be read") from None


def connect_error(error: BaseException) -> Unreachable:
    """Return the error of a failed attempt: the first known cause in the exception chain, or `not_chat_server`.

    Unknown exceptions, such as `TimeoutError`, are skipped. The chain follows `__cause__`, and `__context__` of an
    exception without a cause.
    """
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case aiohttp.ClientConnectorDNSError():
                return Unreachable("host_unknown")
            case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
                return Unreachable("certificate_untrusted")
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return Unreachable("tls_missing")
            case aiohttp.WSServerHandshakeError(status=429 | 503):
                return Unreachable("server_full")
            case aiohttp.WSServerHandshakeError():
                return Unreachable("http_status_unexpected", status=cause.status)
            case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
                return Unreachable("connection_refused")
            case aiohttp.ClientConnectorError(os_error=TimeoutError()):
                return Unreachable("server_silent")
            case aiohttp.ClientConnectorError(os_error=os_error):
                return Unreachable("server_unreachable", problem=os_error.strerror or type(os_error).__name__)
            case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError() | ConnectionError():
                return Unreachable("server_closed")
            case aiohttp.InvalidURL():
                return Unreachable("address_invalid")
            case _:
                cause = cause.__cause__ or cause.__context__
    return Unreachable("not_chat_server")


def auth_error(body: bytes) -> Unauthorized:
    """Return the sanitized error of an `authFail` push; an invalid body counts as one without fields."""
    try:
        push = msgspec.json.decode(body, type=AuthFailPush)
    except DECODE_ERRORS:
        push = AuthFailPush()
    return Unauthorized(_sanitize_text(push.reason), message=_sanitize_text(push.message))


def rejection_error(payload: Any) -> Unreachable | Unauthorized | None:
    """Return the sanitized error of a CONNECT_ERROR packet; `Unreachable` for all codes except `unauthorized`.

    None for an invalid payload, or one with neither `data` nor a `message`.
    """
    try:
        rejection = msgspec.convert(payload, _Rejection)
    except msgspec.ValidationError:
        return None
    if rejection.data is None and not rejection.message:
        return None
    error = sanitize_error((rejection.data or ErrorBody("unavailable", rejection.message)).to_error())
    if isinstance(error, Unauthorized):
        return error
    return Unreachable(error.reason, message=error.message, retry_after=error.retry_after, **error.params)


def decode_sanitized(response_type: type[WireStructT], body: bytes) -> WireStructT:
    """Decode a response; sanitize only a `SendResponse`.

    Raises:
        ChatError: The error of the server (`sanitize_error`), or `InternalError` for an invalid response.
    """
    try:
        response = decode_response(response_type, body)
    except ChatError as error:
        raise sanitize_error(error) from None
    return sanitize.received(response) if isinstance(response, SendResponse) else response


def sanitize_error(error: ChatError) -> ChatError:
    """Return a new error of the same code and reason with limited content.

    The message and each text parameter become a sanitized line of at most `MAX_REASON_LENGTH` characters. `retry_after`
    is clamped to a value from 0 to `MAX_RETRY_AFTER`; None remains None.
    """
    retry_after = None if error.retry_after is None else min(max(error.retry_after, 0.0), MAX_RETRY_AFTER)
    params = {name: _sanitize_text(value) if isinstance(value, str) else value for name, value in error.params.items()}
    return ErrorBody(error.code, _sanitize_text(error.message), error.reason, params, retry_after).to_error()


def _sanitize_text(text: str) -> str:
    return sanitize.line(text)[:MAX_REASON_LENGTH]
