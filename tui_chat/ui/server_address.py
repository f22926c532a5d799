"""Server addresses of the command line and the join form: room, base URL and local hosts."""

from contextlib import suppress

from tui_chat.client.errors import InvalidAddress
from tui_chat.client.net import address


def split_address(server: str) -> tuple[str, str]:
    """Return base URL and room of a server address.

    The room has the form `room?invite=code` if the address has an invite code, and is empty if the address has no room.
    An empty or invalid address is returned unchanged, with an empty room.
    """
    with suppress(InvalidAddress):
        parsed = address.parse_address(server)
        invite = f"?invite={parsed.invite}" if parsed.invite else ""
        return parsed.base_url, f"{parsed.room or ''}{invite}"
    return server, ""


def is_local_http(base_url: str) -> bool:
    """Return whether a local server can serve `base_url`: plain HTTP on `localhost`, `127.*`, `[::1]` or `0.0.0.0`.

    False for a URL without a port.
    """
    host = base_url.partition("://")[2].rpartition(":")[0]
    return base_url.startswith("http:") and (host in ("localhost", "[::1]", "0.0.0.0") or host.startswith("127."))
