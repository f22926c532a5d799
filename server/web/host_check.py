"""A page elsewhere must not be able to read what is only for this machine (DNS rebinding).

A browser takes page and server for one when they bear the same name and port. Whoever
lets a name of their own lead to 127.0.0.1 has a page that is at home on every server
there. So what comes from this machine has to call it by a name that no stranger can have.

Rule 1  Such are addresses, names without a dot, and all below `localhost` (RFC 6761,
        section 6.3); and the hosts of the origins that the operator has listed.
Rule 2  A trusted proxy knows which names lead to it, and over TLS the certificate does.
"""

import re
from collections.abc import Container, Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from server.domain.connection_limits import is_loopback
from server.forwarded import IPNetwork, is_in_networks
from server.observability.rejection_log import RejectionLog

_MISDIRECTED_REQUEST = 421
"""Misdirected Request (RFC 9110, section 15.5.20)."""
_HOST_PATTERN = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^][:/?#@]*?)\.?(:[0-9]*)?")
"""A host with its port (RFC 3986, section 3.2.2), without the dot that may end a name."""


def create_host_guard(trusted_proxies: tuple[IPNetwork, ...], cors_origins: Iterable[str]) -> Middleware:
    """The middleware that holds to the rules.

    Args:
        trusted: Proxies whose word is believed.
        origins: Those whose pages may connect besides the server's own.
    """
    allowed_hosts = {urlsplit(origin).hostname or "" for origin in cors_origins}
    rejection_log = RejectionLog()

    @web.middleware
    async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
        peer = request.remote or ""
        if request.secure or not is_loopback(peer) or is_in_networks(peer, trusted_proxies):
            return await handler(request)
        if _is_allowed_host(request.host, allowed_hosts):
            return await handler(request)
        rejection_log.log_rejected_host(request.host)
        return web.Response(
            status=_MISDIRECTED_REQUEST, text="This server does not go by that name; its log says more.\n"
        )

    return check_host


def _is_allowed_host(host: str, allowed_hosts: Container[str]) -> bool:
    host_match = _HOST_PATTERN.fullmatch(host.lower())
    if host_match is None:
        return False
    name = host_match["name"]
    if "." not in name or name.endswith(".localhost") or name in allowed_hosts:
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
