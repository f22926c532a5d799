"""Server addresses of the command line and the join form: room, base URL and local hosts."""

from contextlib import suppress

from tui_chat.client.errors import InvalidAddress
from tui_chat.client.net import address


def room_in_url(server: str) -> str:
    """Return the room named in a server URL, empty without one and for an invalid address."""
    with suppress(InvalidAddress):
        return (address.parse_address(server).room or "") if server else ""
    return ""


def strip_room(server: str) -> str:
    """Return the base URL of `server` without its room, or `server` unchanged if it is not a valid address."""
    with suppress(InvalidAddress):
        return address.parse_address(server).base_url if server else ""
    return server


def is_local_http(base_url: str) -> bool:
    """Return whether a local server can serve `base_url`: plain HTTP on a loopback or wildcard host.

    False for a URL without a port.
    """
    host = base_url.partition("://")[2].rpartition(":")[0]
    return base_url.startswith("http:") and (host in ("localhost", "[::1]", "0.0.0.0") or host.startswith("127."))
