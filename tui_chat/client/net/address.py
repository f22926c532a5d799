"""Parsing of server addresses."""

import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote

from msgspec import Struct

from tui_chat.client.errors import InvalidAddress

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000
"""Default port of `chat` and `chats` URLs and of addresses without a scheme."""
DEFAULT_SERVER = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
"""Address of a server on this machine."""

_SCHEME_DEFAULTS = {
    "http": ("http", 80),
    "https": ("https", 443),
    "ws": ("http", 80),
    "wss": ("https", 443),
    "chat": ("http", DEFAULT_PORT),
    "chats": ("https", DEFAULT_PORT),
}
_HOST_PATTERN = re.compile(r"[^\s/?#@\[\]:%\\<>\"'`{}|^\u2010-\u2015\u2020-\u2023\u2027\u2190-\u21ff]+")
_INVITE = re.compile(r"\?invite=([A-Za-z0-9_-]+)$")
_PAGE_FRAGMENT = re.compile(r"/?#/(.*)")
_PAGE_INVITE = re.compile(rf"https?://[^/?#]+/?#/[^/?#]+{_INVITE.pattern}", re.IGNORECASE)
_IPV6_PATTERN = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


class Address(Struct, frozen=True):
    """Server address with an optional room.

    Attributes:
        base_url: URL of scheme `http` or `https` with explicit port; IPv6 hosts in brackets.
        room: Unvalidated room name of `host/room`, `chat://host/room` or `http://host/#/room`, None without one.
        invite: Invite code after the room (`?invite=code`), None without one.
    """

    base_url: str
    room: str | None = None
    invite: str | None = None


def is_room_link(url: str) -> bool:
    """Return whether a URL is a room link: scheme `chat` or `chats`, or an invite link of the page; never raises.

    An invite link has scheme `http` or `https` and the form `https://host/#/room?invite=code`. Other web addresses with
    a fragment are no room links, because many sites use fragments as paths.
    """
    return url.lower().startswith(("chat://", "chats://")) or _PAGE_INVITE.fullmatch(url) is not None


def split_invite(room: str) -> tuple[str, str | None]:
    """Return the room name and the invite code of `room?invite=code`.

    Without a code of ASCII letters, digits, `-` and `_`, the text is returned unchanged with None.
    """
    match = _INVITE.search(room)
    return (room[: match.start()], match[1]) if match is not None else (room, None)


def parse_address(text: str) -> Address:
    """Parse a server address.

    Accepted forms: host names and IPv6 addresses with optional port, and URLs with scheme `http`, `https`, `ws`, `wss`,
    `chat` or `chats` (TLS). A `chat` or `chats` URL may have a room as path, an `http` or `https` URL a room in the
    fragment (`#/room`, as in links of the page); an invite code may follow the room (`?invite=code`). IPv6 hosts need
    brackets with a scheme or port. Default ports: 80 for `http` and `ws`, 443 for `https` and `wss`, otherwise 3000.
    Surrounding space is ignored, the host becomes lowercase, and the room is percent-decoded but not validated.
    `Chat.example/tea` gives the base URL `http://chat.example:3000` and the room `tea`. A user name is an error, and so
    is any other path, query or fragment after a web scheme. An invite code without a room is ignored.

    Args:
        text: Address as typed.

    Raises:
        InvalidAddress: Syntax error.
    """
    stripped = text.strip()
    if not stripped:
        raise InvalidAddress("address_empty")
    scheme, separator, rest = stripped.partition("://")
    if not separator:
        scheme, rest = "chat", stripped
    if scheme.lower() not in _SCHEME_DEFAULTS:
        raise InvalidAddress("address_scheme_unknown", scheme=repr(scheme[:20]))
    http_scheme, default_port = _SCHEME_DEFAULTS[scheme.lower()]
    if not separator and _IPV6_PATTERN.fullmatch(rest) and rest.count(":") > 1:
        rest = f"[{rest}]"
    authority, path = _split_authority(rest)
    host, port = _parse_host_port(authority, default_port)
    fragment = _PAGE_FRAGMENT.fullmatch(path) if scheme.lower() in ("http", "https") else None
    path, invite = split_invite((fragment[1] if fragment else path).strip("/"))
    room = unquote(path.strip("/")) or None
    if room is not None and fragment is None and scheme.lower() not in ("chat", "chats"):
        raise InvalidAddress("address_path")
    return Address(f"{http_scheme}://{host}:{port}", room, invite if room else None)


def _split_authority(rest: str) -> tuple[str, str]:
    """Return host with port, and the following text; reject a user name with `InvalidAddress`."""
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise InvalidAddress("address_credentials")
    return authority, rest[len(authority) :]


def _parse_host_port(authority: str, default_port: int) -> tuple[str, int]:
    """Return the lowercase host, an IPv6 address in brackets, and the port, by default `default_port`.

    `InvalidAddress` for a missing or invalid host, or a port that is no number from 1 to 65535.
    """
    if authority.startswith("["):
        ipv6, closing_bracket, suffix = authority[1:].partition("]")
        host = f"[{ipv6.lower()}]"
        colon, port = suffix[:1], suffix[1:]
        if not closing_bracket or not _is_ipv6(ipv6) or colon not in ("", ":"):
            raise InvalidAddress("address_form")
    else:
        host, colon, port = authority.partition(":")
        host = host.lower()
        if ":" in port:
            raise InvalidAddress("address_form")
        if not _HOST_PATTERN.fullmatch(host):
            raise (
                InvalidAddress("host_name_invalid", name=repr(host[:60]))
                if host
                else InvalidAddress("host_name_missing")
            )
    if colon and not port:
        raise InvalidAddress("port_missing")
    if not colon:
        return host, default_port
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65_536):
        raise InvalidAddress("port_invalid")
    return host, int(port)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
