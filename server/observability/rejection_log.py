"""What whoever runs the server is told of pages and clients that are refused: their own console says little.

Rule 1  Each hint is logged once, and `HINTS_MAX` of them at most: what they are about is a stranger's to choose.
"""

import logging

from tui_chat.protocol.sanitize import sanitize_line

log = logging.getLogger("chat.hints")

MAX_HINTS = 50
MAX_VALUE_LENGTH = 100
"""Characters of what a stranger sent."""


class RejectionLog:
    """The hints of one server."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def log_rejected_origin(self, origin: str) -> None:
        """A page of an origin that is not listed was refused."""
        safe_origin = _sanitize_value(origin)
        self._log_once(
            f"a page of {safe_origin} was refused; --cors-origin {safe_origin} lets the pages of that origin in"
        )

    def log_rejected_host(self, host: str) -> None:
        """A request from this machine that names it as a page elsewhere could (`server.web.host_check`) was refused."""
        safe_host = _sanitize_value(host)
        self._log_once(
            f"a request from this machine for {safe_host} was refused: if a proxy passes it on, --trusted-proxy 127.0.0.1"
            f" lets it in; if the name is this machine's own, --cors-origin http://{safe_host} does"
        )

    def log_rejected_version(self, version: str) -> None:
        """A client of another version of the protocol was refused."""
        client = "Socket.IO 2 or older" if version in {"1", "2", "3"} else "another protocol"
        self._log_once(
            f"a client of {client} was refused (EIO={_sanitize_value(version)}); pages need version 3 or 4 of the client,"
            " and this server has one at /socket.io/socket.io.js"
        )

    def _log_once(self, hint: str) -> None:
        if hint not in self._logged and len(self._logged) < MAX_HINTS:
            self._logged.add(hint)
            log.info(hint)


def _sanitize_value(text: str) -> str:
    return sanitize_line(text.encode(errors="replace").decode())[:MAX_VALUE_LENGTH]
