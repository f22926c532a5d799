"""Host check against DNS rebinding.

A browser treats pages of the same host name and port as one origin. A foreign page whose name resolves to 127.0.0.1
therefore shares the origin of a local server with the same port. The check rejects requests from the local machine with
such a host name.

- Allowed hosts: IP addresses, names without a dot, names below `localhost` (RFC 6761, section 6.3), and the hosts of
  allowed origins, with any port.
- Exemptions: requests of trusted proxies, which choose the host name, and TLS requests, whose host name is
  authenticated by the certificate.
"""

import re
from collections.abc import Container, Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import typedefs, web

from server.domain.rate_limits import is_loopback, parse_ip_address
from server.forwarded import IPNetwork, is_in_networks
from server.observability.rejection_log import RejectionLog

# Host with optional port (RFC 3986, section 3.2.2); a final dot of the name is excluded.
_HOST_PATTERN = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^][:/?#@]*?)\.?(:[0-9]*)?")


def create_host_guard(trusted_proxies: tuple[IPNetwork, ...], cors_origins: Iterable[str]) -> typedefs.Middleware:
    """Return a middleware that rejects requests for hosts that are not allowed, with status 421 and a hint in the log.

    Args:
        trusted_proxies: Networks of exempt proxies.
        cors_origins: Allowed origins besides that of the server, in canonical form; their hosts are allowed.
    """
    allowed_hosts = {urlsplit(origin).hostname or "" for origin in cors_origins}
    rejection_log = RejectionLog()

    @web.middleware
    async def check_host(request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
        peer = request.remote or ""
        is_exempt = request.secure or not is_loopback(peer) or is_in_networks(peer, trusted_proxies)
        if is_exempt or _is_allowed_host(request.host, allowed_hosts):
            return await handler(request)
        rejection_log.log_rejected_host(request.host)
        return web.Response(
            status=HTTPStatus.MISDIRECTED_REQUEST, text="This host name is not allowed; see the server log.\n"
        )

    return check_host


def _is_allowed_host(host: str, allowed_hosts: Container[str]) -> bool:
    """Return whether the host of a `Host` header is allowed; False for a malformed one, True for an empty one.

    Case, port and a final dot of the name are ignored.
    """
    host_match = _HOST_PATTERN.fullmatch(host.lower())
    if host_match is None:
        return False
    name = host_match["name"]
    is_local_name = "." not in name or name.endswith(".localhost")
    return is_local_name or name in allowed_hosts or parse_ip_address(name.strip("[]")) is not None
