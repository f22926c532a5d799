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

from server.domain.addresses import is_loopback
from server.hints import RejectionLog
from server.origins import IPNetwork, is_in_networks

_MISDIRECTED = 421
"""Misdirected Request (RFC 9110, section 15.5.20)."""
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^][:/?#@]*?)\.?(:[0-9]*)?")
"""A host with its port (RFC 3986, section 3.2.2), without the dot that may end a name."""


def own_names_only(trusted: tuple[IPNetwork, ...], origins: Iterable[str]) -> Middleware:
    """The middleware that holds to the rules.

    Args:
        trusted: Proxies whose word is believed.
        origins: Those whose pages may connect besides the server's own.
    """
    listed = {urlsplit(origin).hostname or "" for origin in origins}
    hints = RejectionLog()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        peer = request.remote or ""
        if request.secure or not is_loopback(peer) or is_in_networks(peer, trusted):
            return await handler(request)
        if _is_ours(request.host, listed):
            return await handler(request)
        hints.log_rejected_host(request.host)
        return web.Response(status=_MISDIRECTED, text="This server does not go by that name; its log says more.\n")

    return check


def _is_ours(host: str, listed: Container[str]) -> bool:
    parts = _HOST.fullmatch(host.lower())
    if parts is None:
        return False
    name = parts["name"]
    if "." not in name or name.endswith(".localhost") or name in listed:
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
