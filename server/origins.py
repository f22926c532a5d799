"""Where a request comes from, and which host it was for, behind proxies or not."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Origin:
    """What is true of a request.

    Attributes:
        address: Of the client, as the nearest machine that we trust saw it.
        scheme: `http` or `https`, as the client spoke it.
        host: With its port, as the client named it.
    """

    address: str
    scheme: str
    host: str


def origin_of(request: web.Request, trusted: tuple[Network, ...]) -> Origin:
    """Read X-Forwarded-* from the right, and only what proxies that we trust have added.

    Whatever stands left of the first stranger is the stranger's own claim.
    """
    address = request.remote or "unknown"
    if not trusted or not is_within(address, trusted):
        return Origin(address, request.scheme, request.host)
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if hop.strip():
            address = hop.strip()
            if not is_within(address, trusted):
                break
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme).split(",")[-1].strip()
    host = request.headers.get("X-Forwarded-Host", request.host).split(",")[-1].strip()
    return Origin(address, scheme, host)


def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether the address is in one of the networks; what is no address is in none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
