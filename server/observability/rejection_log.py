"""Log hints for the operator about rejected origins, hosts and clients, and about proxies that are not trusted.

- Deduplication: each distinct hint is logged once.
- Bound: at most `MAX_HINTS` hints are logged, because remote clients control the contents of hints.
"""

import logging
import shlex

from server.origins import normalize_origin
from tui_chat.protocol.sanitize import sanitize_line

log = logging.getLogger("chat.rejections")

MAX_HINTS = 50
_MAX_VALUE_LENGTH = 300  # maximum length of a quoted header value, in characters; more than a canonical origin


class RejectionLog:
    """Log of rejection hints at the level INFO; quoted values are sanitized and truncated."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def log_rejected_origin(self, origin: str) -> None:
        """Log a hint for a rejected Origin header, with an option for a valid origin, including `null`."""
        canonical = normalize_origin(origin)
        if canonical is None:
            self._log_once("origin {0} rejected; it does not have the form scheme://host", origin)
        else:
            option = f"--cors-origin {shlex.quote(canonical)}"  # the brackets of an IPv6 address are a shell pattern
            pages = "local files and sandboxed pages of any site" if canonical == "null" else "pages of this origin"
            self._log_once(f"origin {{0}} rejected; to allow {pages}, add {option}", canonical)

    def log_rejected_host(self, host: str) -> None:
        """Log a hint for a Host header rejected by `server.web.host_check`, with `--cors-origin` for a valid host."""
        origin = normalize_origin(f"http://{host}")
        option = f", for a name of this machine add --cors-origin {origin}" if origin is not None else ""
        self._log_once(
            "local request for host {0} rejected; behind a reverse proxy add --trusted-proxy 127.0.0.1" + option, host
        )

    def log_missing_upgrade(self) -> None:
        """Log a hint for a WebSocket request without an Upgrade header, which reverse proxies remove by default."""
        self._log_once(
            "WebSocket request without an Upgrade header rejected; the reverse proxy must pass the headers Upgrade"
            ' and Connection (docs/operating.md, "Reverse proxy")'
        )

    def log_untrusted_proxy(self, address: str) -> None:
        """Log a hint for an ignored X-Forwarded-For header of a possible reverse proxy."""
        self._log_once(
            "X-Forwarded-For from {0} ignored; if this is your reverse proxy, add --trusted-proxy {0}, because the"
            " limits per address do not work for its visitors otherwise",
            address,
        )

    def log_rejected_version(self, version: str) -> None:
        """Log a hint for an unsupported Engine.IO protocol version."""
        client = "Socket.IO 2 or older" if version in {"1", "2", "3"} else "an unsupported protocol"
        self._log_once(
            f"client with {client} rejected (EIO={{}}); use Socket.IO client 3 or 4, for example"
            " from /socket.io/socket.io.js",
            version,
        )

    def _log_once(self, template: str, value: str = "") -> None:
        """Log a hint with a sanitized and truncated value in its braces, unless logged before or above `MAX_HINTS`."""
        hint = template.format(sanitize_line(value.encode(errors="replace").decode())[:_MAX_VALUE_LENGTH])
        if hint not in self._logged and len(self._logged) < MAX_HINTS:
            self._logged.add(hint)
            log.info(hint)
