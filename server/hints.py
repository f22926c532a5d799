"""What whoever runs the server is told of pages and clients that are refused: their own console says little.

Rule 1  Each hint is logged once, and `HINTS_MAX` of them at most: what they are about is a stranger's to choose.
"""

import logging

from server.protocol.text import clean_line

log = logging.getLogger("chat.hints")

HINTS_MAX = 50
SHOWN = 100
"""Characters of what a stranger sent."""


class Hints:
    """The hints of one server."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def foreign_page(self, origin: str) -> None:
        """A page of an origin that is not listed was refused."""
        shown = _shown(origin)
        self._give(f"a page of {shown} was refused; --cors-origin {shown} lets the pages of that origin in")

    def foreign_name(self, host: str) -> None:
        """A request from this machine that names it as a page elsewhere could (`server.web.rebinding`) was refused."""
        shown = _shown(host)
        self._give(
            f"a request from this machine for {shown} was refused: if a proxy passes it on, --trusted-proxy 127.0.0.1"
            f" lets it in; if the name is this machine's own, --cors-origin http://{shown} does"
        )

    def other_version(self, version: str) -> None:
        """A client of another version of the protocol was refused."""
        client = "Socket.IO 2 or older" if version in {"1", "2", "3"} else "another protocol"
        self._give(
            f"a client of {client} was refused (EIO={_shown(version)}); pages need version 3 or 4 of the client,"
            " and this server has one at /socket.io/socket.io.js"
        )

    def _give(self, hint: str) -> None:
        if hint not in self._given and len(self._given) < HINTS_MAX:
            self._given.add(hint)
            log.info(hint)


def _shown(text: str) -> str:
    return clean_line(text.encode(errors="replace").decode())[:SHOWN]
