"""Client address and server origin of a request, with support for trusted reverse proxies."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from server.domain.rate_limits import is_loopback, parse_ip_address
from server.origins import normalize_origin
from server.settings import IPNetwork

_HOP_PATTERN = re.compile(r"\[(?P<ipv6>[^]]*)\](:[0-9]*)?|(?P<ipv4>[0-9.]+):[0-9]*")
"""Forms of an address with brackets or a port; the brackets are required only for an IPv6 address with a port."""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Source and destination of a request, resolved through trusted proxies.

    Attributes:
        address: Client address as reported by the outermost trusted proxy, or the peer address without one; in
            canonical form (`parse_ip_address`).
        server_origin: Canonical origin under which the client reaches the server, as reported by the nearest trusted
            proxy, or from the `Host` header without one; None if invalid.
    """

    address: str
    server_origin: str | None

    @property
    def is_secure_context(self) -> bool:
        """True if browsers trust the origin (W3C Secure Contexts, section 3.1): HTTPS, `localhost` or loopback.

        Names that end in `.localhost` count too. False for an invalid origin.
        """
        origin = urlsplit(self.server_origin or "")
        host = origin.hostname or ""
        return origin.scheme == "https" or host == "localhost" or host.endswith(".localhost") or is_loopback(host)


_CLIENT_INFO = web.RequestKey("client_info", ClientInfo)


def get_client_info(request: web.Request, trusted_networks: tuple[IPNetwork, ...]) -> ClientInfo:
    """Return the client behind a request; X-Forwarded-* headers of an untrusted peer are ignored.

    The first call stores the result in the request, because middlewares and handlers of one request repeat the call.

    X-Forwarded-For is evaluated from right to left. The first untrusted address is the client, because entries further
    left are supplied by that client and can be forged. If all entries are trusted, the leftmost one is the client. At
    an invalid entry, the client is the proxy that reported the entry. Without a peer address, the client is `unknown`.
    The last items of X-Forwarded-Proto and X-Forwarded-Host determine the origin.

    Args:
        request: Request received by this server.
        trusted_networks: Networks of trusted reverse proxies, the same in all calls for one request.
    """
    if _CLIENT_INFO not in request:
        request[_CLIENT_INFO] = _resolve_client(request, trusted_networks)
    return request[_CLIENT_INFO]


def find_untrusted_proxy(request: web.Request, trusted_networks: tuple[IPNetwork, ...]) -> str | None:
    """Return the peer address of a request if its X-Forwarded-For header is ignored and the address is private.

    None in all other cases. A public peer is not returned, because any visitor on the internet can forge the header.
    """
    ip = parse_ip_address(request.remote or "") if "X-Forwarded-For" in request.headers else None
    return None if ip is None or not ip.is_private or is_in_networks(str(ip), trusted_networks) else str(ip)


def is_in_networks(address: str, networks: tuple[IPNetwork, ...]) -> bool:
    """Return whether an address belongs to one of the networks; False for an invalid address."""
    ip = parse_ip_address(address) if networks else None
    return ip is not None and any(ip in network for network in networks)


def _resolve_client(request: web.Request, trusted_networks: tuple[IPNetwork, ...]) -> ClientInfo:
    peer = request.remote or "unknown"
    address, scheme, host = str(parse_ip_address(peer) or peer), request.scheme, request.host
    if trusted_networks and is_in_networks(address, trusted_networks):
        for hop in reversed(_get_items(request, "X-Forwarded-For")):
            hop_address = _parse_hop(hop)
            if hop_address is None:
                break
            address = hop_address
            if not is_in_networks(address, trusted_networks):
                break
        scheme = (_get_items(request, "X-Forwarded-Proto") or [scheme])[-1]
        host = (_get_items(request, "X-Forwarded-Host") or [host])[-1]
    return ClientInfo(address, normalize_origin(f"{scheme}://{host}"))


def _get_items(request: web.Request, name: str) -> list[str]:
    """Return the non-empty items of all lines of a list header in order."""
    return [item.strip() for line in request.headers.getall(name, ()) for item in line.split(",") if item.strip()]


def _parse_hop(hop: str) -> str | None:
    """Return the address of an entry of X-Forwarded-For without its port, None for an invalid entry."""
    match = _HOP_PATTERN.fullmatch(hop)
    ip = parse_ip_address((match["ipv6"] or match["ipv4"] or "") if match else hop)
    return str(ip) if ip is not None else None
