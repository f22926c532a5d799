"""What the form makes of a server's address."""

from contextlib import suppress

from tui_chat.client.net import address


def room_in_url(server: str) -> str:
    """The room that a link names, empty when it names none."""
    with suppress(ValueError):
        return (address.parse_address(server).room or "") if server else ""
    return ""


def strip_room(server: str) -> str:
    """The address without its room, which has a field of its own; as typed when it is no address."""
    with suppress(ValueError):
        return address.parse_address(server).base_url if server else ""
    return server


def is_local_http(base_url: str) -> bool:
    """Whether a server can be started at this address: it is this machine's, and not encrypted."""
    host = base_url.partition("://")[2].rpartition(":")[0]
    return base_url.startswith("http:") and (host in ("localhost", "[::1]", "0.0.0.0") or host.startswith("127."))
