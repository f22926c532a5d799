"""Log hints for the operator about rejected origins, hosts and clients.

- Deduplication: each distinct hint is logged once.
- Bound: at most `MAX_HINTS` hints are logged, because remote clients control the contents of hints.
"""

import logging

from tui_chat.protocol.sanitize import sanitize_line

log = logging.getLogger("chat.rejections")

MAX_HINTS = 50
MAX_VALUE_LENGTH = 100
"""Maximum length of a quoted header value, in characters."""


class RejectionLog:
    """Deduplicated log of rejection hints.

    Hints are INFO lines; quoted values are sanitized and truncated. Each instance counts its own hints.
    """

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def log_rejected_origin(self, origin: str) -> None:
        """Log a hint for a rejected Origin header."""
        safe_origin = _sanitize_value(origin)
        self._log_once(f"origin {safe_origin} rejected; to allow pages of this origin, add --cors-origin {safe_origin}")

    def log_rejected_host(self, host: str) -> None:
        """Log a hint for a Host header rejected by `server.web.host_check`."""
        safe_host = _sanitize_value(host)
        self._log_once(
            f"local request for host {safe_host} rejected; behind a reverse proxy add --trusted-proxy 127.0.0.1,"
            f" for a name of this machine add --cors-origin http://{safe_host}"
        )

    def log_rejected_version(self, version: str) -> None:
        """Log a hint for an unsupported Engine.IO protocol version."""
        client = "Socket.IO 2 or older" if version in {"1", "2", "3"} else "an unsupported protocol"
        self._log_once(
            f"client with {client} rejected (EIO={_sanitize_value(version)}); use Socket.IO client 3 or 4, for example"
            " from /socket.io/socket.io.js"
        )

    def _log_once(self, hint: str) -> None:
        if hint not in self._logged and len(self._logged) < MAX_HINTS:
            self._logged.add(hint)
            log.info(hint)


def _sanitize_value(text: str) -> str:
    return sanitize_line(text.encode(errors="replace").decode())[:MAX_VALUE_LENGTH]
