"""What the operator decides about connections."""

from dataclasses import dataclass

from server.forwarded import IPNetwork


@dataclass(frozen=True, slots=True)
class EngineIOOptions:
    """What the operator decides about connections.

    Attributes:
        ping_interval: Seconds between pings.
        ping_timeout: Seconds that a client has to answer one.
        connect_timeout: Seconds from the handshake to CONNECT.
        unsent_bytes: What a connection may owe its reader.
        stall_timeout: Seconds without progress after which a reader is cut.
        close_timeout: Seconds that a client has to take a goodbye and close on its side.
        cors_origins: Origins besides the server's own whose pages may connect.
        trusted_proxies: Whose X-Forwarded-* headers are believed.
    """

    ping_interval: float
    ping_timeout: float
    connect_timeout: float
    max_unsent_bytes: int
    stall_timeout: float
    cors_origins: tuple[str, ...]
    trusted_proxies: tuple[IPNetwork, ...]
    close_timeout: float = 2.0
