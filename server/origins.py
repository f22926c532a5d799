"""Web origins in canonical form (RFC 6454), for settings, requests and log hints.

Canonical form: lower case, scheme `http` for `ws` and `https` for `wss`, no default port, no final dot or slash, and
the ASCII form of an internationalized host. Two origins are equal if their canonical forms are.
"""

import re
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import urlsplit

_ORIGIN_PATTERN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[0-9a-f:.]+\]|[\w.-]+?)?\.?(:(?P<port>[0-9]{0,5}))?/?"
)
_MAX_HOST_LENGTH: Final = 253  # of a domain name (RFC 1035, section 2.3.4, in text form)
_HTTP_SCHEMES: Final = {"ws": "http", "wss": "https"}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LOOPBACK_HOSTS: Final = {"localhost", "127.0.0.1", "::1"}


def normalize_origin(text: str) -> str | None:
    """Return the canonical form of an origin, or None for an invalid one.

    For example, `WSS://Example.com.:443/` becomes `https://example.com`. Any scheme is valid, because application
    shells have their own, such as `capacitor://localhost`. `file://` and `null` have no host and stay unchanged. A
    path, a query, user information or `*` makes an origin invalid.
    """
    if text == "null":
        return text
    match = _ORIGIN_PATTERN.fullmatch(text.lower())
    if match is None:
        return None
    scheme, host = _HTTP_SCHEMES.get(match["scheme"], match["scheme"]), _normalize_host(match["host"] or "")
    port = int(match["port"] or _DEFAULT_PORTS.get(scheme, 0))
    if scheme == "file" and match["host"] is match["port"] is None:
        return "file://"
    if not host or not (0 < port < 65536 or match["port"] is None):
        return None
    return f"{scheme}://{host}" + (f":{port}" if port != _DEFAULT_PORTS.get(scheme, 0) else "")


def is_server_origin(origin: str, server_origin: str) -> bool:
    """Return whether two canonical origins are equal, or have the same scheme and port on the local machine.

    `localhost`, `127.0.0.1` and `[::1]` are names of the local machine; other loopback addresses are not.
    """
    if origin == server_origin:
        return True
    first, second = urlsplit(origin), urlsplit(server_origin)
    is_same_port = (first.scheme, first.port) == (second.scheme, second.port)
    return is_same_port and {first.hostname, second.hostname} <= _LOOPBACK_HOSTS


def _normalize_host(host: str) -> str | None:
    """Return a host in ASCII, or an IPv6 address in canonical form; None for an invalid host or a too long one."""
    try:
        if host.startswith("["):
            return f"[{IPv6Address(host[1:-1])}]"
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:  # the encoder raises UnicodeError, a subclass
        return None
    return ascii_host if len(ascii_host) <= _MAX_HOST_LENGTH else None
