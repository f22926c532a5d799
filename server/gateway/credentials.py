"""Tokens in the CONNECT packet and in HTTP headers (docs/accounts.md, "Tokens").

An empty token counts as absent. A malformed token is returned as the empty string, which no token equals.
"""

from typing import Any

import msgspec
from msgspec import Raw

from tui_chat.protocol.limits import SECRET_CHARACTERS

_MALFORMED = ""


class _ConnectAuth(msgspec.Struct):
    token: Any = None


def find_connect_token(auth: Raw | None, authorization: str) -> str | None:
    """Return the token of a CONNECT packet: from its payload, otherwise from the header of the handshake.

    Args:
        auth: Payload of the packet as a JSON object; None if absent.
        authorization: Value of the header `Authorization` of the handshake, empty if absent.

    Returns:
        The token, None without one, or an empty string if the token is not a string or too long.
    """
    try:
        token = None if auth is None else msgspec.json.decode(auth, type=_ConnectAuth).token
    except msgspec.ValidationError:  # a number that is out of range
        return _MALFORMED
    if token is None or token == "":
        return find_header_token(authorization)
    return token if isinstance(token, str) and len(token) <= SECRET_CHARACTERS else _MALFORMED


def is_plain_header_token(auth: Raw | None, authorization: str) -> bool:
    """Return whether `find_connect_token` takes the token from a header without a scheme (conversation clients)."""
    header_token = find_header_token(authorization)
    is_plain = header_token is not None and header_token == authorization.strip()
    return is_plain and find_connect_token(auth, "") is None


def find_header_token(authorization: str) -> str | None:
    """Return the token of an `Authorization` header, with the scheme Bearer (RFC 6750) or without a scheme.

    Returns:
        The token, None without one or for another scheme, or an empty string for a token that is too long or contains
        a space.
    """
    scheme, _, value = authorization.strip().partition(" ")
    token = value.strip() if scheme.lower() == "bearer" else scheme
    if not token or (value and scheme.lower() != "bearer"):
        return None
    return token if len(token) <= SECRET_CHARACTERS and " " not in token else _MALFORMED


def find_guest_key(authorization: str) -> str | None:
    """Return the guest key of an `Authorization` header with the scheme Guest; None without one."""
    scheme, _, value = authorization.strip().partition(" ")
    return value.strip() or None if scheme.lower() == "guest" else None
