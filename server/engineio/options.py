"""Operator settings of the transport."""

from dataclasses import dataclass

from server.forwarded import IPNetwork


@dataclass(frozen=True, slots=True)
class EngineIOOptions:
    """Timeouts, limits and trust settings of all sessions.

    Attributes:
        ping_interval: Seconds between two pings.
        ping_timeout: Seconds for the pong; a later pong aborts the session.
        connect_timeout: Deadline of CONNECT in seconds, from the handshake or the last DISCONNECT.
        max_unsent_bytes: Upper bound of the unsent bytes in one send queue.
        stall_timeout: Seconds without write progress before the session is aborted.
        cors_origins: Allowed origins besides the server's own.
        trusted_proxies: Networks of proxies with trusted X-Forwarded-* headers.
        close_timeout: Seconds for the client to read the queued frames and close its side.
    """

    ping_interval: float
    ping_timeout: float
    connect_timeout: float
    max_unsent_bytes: int
    stall_timeout: float
    cors_origins: tuple[str, ...]
    trusted_proxies: tuple[IPNetwork, ...]
    close_timeout: float = 2.0
