"""Client address, scheme and host of a request, with support for trusted reverse proxies."""

from dataclasses import dataclass

from aiohttp import web

from server.domain.rate_limits import parse_ip_address
from server.settings import IPNetwork


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Origin of a request, resolved through trusted proxies.

    Attributes:
        address: Client address as reported by the outermost trusted proxy, unvalidated; the peer address without one.
        scheme: `http` or `https`, as reported by the nearest trusted proxy.
        host: Requested host with port, as reported by the nearest trusted proxy.
    """

    address: str
    scheme: str
    host: str


def get_client_info(request: web.Request, trusted_networks: tuple[IPNetwork, ...]) -> ClientInfo:
    """Return the client behind a request.

    X-Forwarded-For is evaluated from right to left. The first untrusted address is the client, because entries further
    left are supplied by that client and can be forged. If all entries are trusted, the leftmost one is the client.
    Without a peer address, the client is `unknown`.

    Args:
        request: Request received by this server.
        trusted_networks: Networks of trusted reverse proxies; empty ignores all X-Forwarded-* headers.
    """
    address = request.remote or "unknown"
    if not trusted_networks or not is_in_networks(address, trusted_networks):
        return ClientInfo(address, request.scheme, request.host)
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if hop.strip():
            address = hop.strip()
            if not is_in_networks(address, trusted_networks):
                break
    return ClientInfo(
        address,
        scheme=request.headers.get("X-Forwarded-Proto", request.scheme).split(",")[-1].strip(),
        host=request.headers.get("X-Forwarded-Host", request.host).split(",")[-1].strip(),
    )


def is_in_networks(address: str, networks: tuple[IPNetwork, ...]) -> bool:
    """Return whether an address belongs to one of the networks; False for an invalid address."""
    ip = parse_ip_address(address)
    return ip is not None and any(ip in network for network in networks)
