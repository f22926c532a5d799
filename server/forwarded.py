"""Where a request comes from, and which host it was for, behind proxies or not."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

IPNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """What is true of a request.

    Attributes:
        address: Of the client, as the nearest machine that we trust saw it.
        scheme: `http` or `https`, as the client spoke it.
        host: With its port, as the client named it.
    """

    address: str
    scheme: str
    host: str


def get_client_info(request: web.Request, trusted_networks: tuple[IPNetwork, ...]) -> ClientInfo:
    """Read X-Forwarded-* from the right, and only what proxies that we trust have added.

    Whatever stands left of the first stranger is the stranger's own claim.
    """
    address = request.remote or "unknown"
    if not trusted_networks or not is_in_networks(address, trusted_networks):
        return ClientInfo(address, request.scheme, request.host)
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if hop.strip():
            address = hop.strip()
            if not is_in_networks(address, trusted_networks):
                break
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme).split(",")[-1].strip()
    host = request.headers.get("X-Forwarded-Host", request.host).split(",")[-1].strip()
    return ClientInfo(address, scheme, host)


def is_in_networks(address: str, networks: tuple[IPNetwork, ...]) -> bool:
    """Whether the address is in one of the networks; what is no address is in none."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in networks)
