"""Operator settings of the transport."""

from dataclasses import dataclass

from server.domain.rate_limits import Rate
from server.forwarded import IPNetwork
from tui_chat.protocol.limits import PACKET_BYTES

PACKET_RATE = Rate(500, 100)
"""Default rate limit of received packets; the rate limits of all requests of a connection are lower together."""


@dataclass(frozen=True, slots=True)
class EngineIOOptions:
    """Timeouts, limits and trust settings of all sessions.

    Attributes:
        ping_interval: Seconds between two pings.
        ping_timeout: Seconds for the pong; without a pong, the session is aborted.
        connect_timeout: Deadline of CONNECT in seconds, from the handshake or the last DISCONNECT; also the timeout of
            an upgrade to WebSocket.
        max_unsent_bytes: Upper bound of the unsent bytes in one send queue.
        stall_timeout: Seconds without write progress before the session is aborted.
        cors_origins: Allowed origins besides the server's own, in canonical form (`server.origins`).
        trusted_proxies: Networks of proxies with trusted X-Forwarded-* headers.
        close_timeout: Seconds for the client to read the queued frames and close its side, before the abort.
        post_body_timeout: Seconds to receive the body of a POST.
        max_packet_bytes: Size limit of a received packet, and of the body of a POST.
        max_packets_per_post: Maximum number of packets in one POST; python-socketio clients send up to 16.
        handshakes_per_tick: Maximum number of handshakes per event loop tick; one handshake takes about 0.3 ms.
        packet_rate: Rate limit of received packets per session, and separately of polls; None for no limit.
        flood_timeout: Seconds of throttling by `packet_rate` before the session closes.
    """

    ping_interval: float
    ping_timeout: float
    connect_timeout: float
    max_unsent_bytes: int
    stall_timeout: float
    cors_origins: tuple[str, ...]
    trusted_proxies: tuple[IPNetwork, ...]
    close_timeout: float = 2.0
    post_body_timeout: float = 10.0
    max_packet_bytes: int = PACKET_BYTES
    max_packets_per_post: int = 64
    handshakes_per_tick: int = 8
    packet_rate: Rate | None = PACKET_RATE
    flood_timeout: float = 30.0

    @property
    def check_interval(self) -> float:
        """Seconds between two checks of all sessions for due pings and exceeded timeouts, at most 1."""
        return min(1.0, self.ping_interval / 5)
