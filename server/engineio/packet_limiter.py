"""Packet rate limit of a session: every packet counts, even one without any effect.

- Cost: one token per packet of a POST, per WebSocket frame (even fragments and control frames) and per upgrade request,
  and one further token per `_BYTES_PER_TOKEN` of their payload.
- Throttling: above the rate, no further packet is read until a token is available. Other sessions are not delayed.
- Flood: throttling for `flood_timeout` seconds closes the session. A full token bucket ends the throttling, so a
  client that sends at the limit without a pause cannot evade the timeout.
"""

# pyright: reportPrivateUsage=false
import asyncio
import math
import time
from collections.abc import Callable

from aiohttp.http import WebSocketReader
from aiohttp.web_protocol import RequestHandler

from server.domain.rate_limits import Rate, TokenBucket
from tui_chat.protocol.limits import PACKET_BYTES

_BYTES_PER_TOKEN = 4096  # payload bytes that cost one additional token

_COST_PER_TICK = 8  # cost in tokens of the packets that one reader handles in one event loop tick

_BLOCK = 32  # tokens taken from the bucket at once, because the clock and the bucket cost more than the other work

_MIN_DELAY = 0.05  # seconds between two reads of a throttled session; bounds the wake-ups per second


class PacketLimiter:
    """Token bucket of one session.

    Args:
        rate: Capacity and refill rate in tokens.
        flood_timeout: Seconds of throttling before the session closes.
        now: Monotonic time in seconds.

    Attributes:
        prepaid: Tokens taken from the bucket and not consumed yet.
    """

    __slots__ = ("_block", "_bucket", "_flood_timeout", "_throttled_since", "prepaid")

    def __init__(self, rate: Rate, flood_timeout: float, now: float) -> None:
        self._bucket = TokenBucket(rate, now)
        self._block = min(_BLOCK, rate.burst // 8)
        self.prepaid = 0.0
        self._flood_timeout = flood_timeout
        self._throttled_since: float | None = None

    def acquire(self, now: float, size: int = 0) -> float:
        """Consume the tokens of one packet with a payload of `size` bytes; a failure consumes none.

        Returns:
            0.0 on success, otherwise the seconds before the next attempt, at least `_MIN_DELAY`; infinity after
            throttling for the flood timeout without a full bucket in between.
        """
        cost = _packet_cost(size) - self.prepaid
        if cost <= 0:
            self.prepaid = -cost
            return 0.0
        if self._throttled_since is not None and self._bucket.is_full(now):
            self._throttled_since = None
        delay = self._bucket.acquire(now, cost)
        if not delay:
            self.prepaid = 0.0 if self._bucket.acquire(now, self._block) else self._block
            return 0.0
        if self._throttled_since is None:
            self._throttled_since = now
        elif now - self._throttled_since > self._flood_timeout:
            return math.inf
        return max(delay, _MIN_DELAY)


class TickBudget:
    """Budget of one reader for the packets of one event loop tick.

    A client that sends its burst at once would otherwise delay all other sessions until the last of these packets.
    """

    __slots__ = ("_cost",)

    def __init__(self) -> None:
        self._cost = 0

    def consume(self, size: int) -> bool:
        """Count a handled packet by its size in bytes.

        Returns:
            True after `_COST_PER_TICK` tokens; the caller waits for the next tick. Counting then starts again.
        """
        self._cost += _packet_cost(size)
        if self._cost < _COST_PER_TICK:
            return False
        self._cost = 0
        return True


def _packet_cost(size: int) -> int:
    """Return the cost of a packet in tokens; `size` is that of the payload in bytes."""
    return 1 + size // _BYTES_PER_TOKEN


class FrameMeter:
    """Counter of WebSocket frames in front of the parser, because the parser handles empty fragments itself.

    Above the rate, the meter buffers received bytes and pauses reading, independent of the flow control of the parser.

    Args:
        parser: WebSocket parser of aiohttp, the receiver of the counted bytes.
        protocol: Protocol of the WebSocket. Reading continues when neither the meter nor the parser pauses.
        limiter: Limiter of the session.
        on_flood: Called after the flood timeout; reading stays paused.
    """

    __slots__ = (
        "_buffer",
        "_is_throttled",
        "_limiter",
        "_on_flood",
        "_parser",
        "_payload_left",
        "_protocol",
    )

    def __init__(
        self,
        parser: WebSocketReader,
        protocol: RequestHandler,
        limiter: PacketLimiter,
        on_flood: Callable[[], None],
    ) -> None:
        self._parser = parser
        self._protocol = protocol
        self._limiter = limiter
        self._on_flood = on_flood
        self._buffer: bytes = b""
        self._payload_left = 0  # bytes before the next frame header
        self._is_throttled = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Count the frames that start in `data`, and parse them as far as the rate permits (RFC 6455, section 5.2).

        Bytes above the rate are buffered, and so is an incomplete frame header. After the delay, the meter parses the
        buffered bytes itself and resumes reading.

        Returns:
            The result of the parser: whether the connection has failed, and the unused bytes. `(False, b"")` for a
            call while throttled.
        """
        if self._buffer:
            data = self._buffer + data
        if self._is_throttled:
            self._buffer = data
            return False, b""
        limiter, position, size = self._limiter, self._payload_left, len(data)
        while position + 1 < size:
            second_byte = data[position + 1]
            length, header_size = second_byte & 0x7F, 6 if second_byte & 0x80 else 2
            if length > 125:
                length_size = 2 if length == 126 else 8
                header_size += length_size
                length = int.from_bytes(data[position + 2 : position + 2 + length_size], "big")
            if position + header_size > size:
                break  # incomplete header
            if limiter.prepaid and length < _BYTES_PER_TOKEN:
                limiter.prepaid -= 1
            # The parser rejects a longer frame; the bound of the cost prevents a long delay of the rejection.
            elif delay := limiter.acquire(time.monotonic(), min(length, PACKET_BYTES)):
                self._throttle(delay)
                break
            position += header_size + length
        if position < size:
            self._payload_left = 0
            self._buffer = data[position:]
            return self._parser.feed_data(data[:position])
        self._payload_left = position - size
        self._buffer = b""
        return self._parser.feed_data(data)

    def feed_eof(self) -> None:
        """Pass the end of the stream to the parser; buffered bytes are discarded."""
        self._parser.feed_eof()

    def _throttle(self, delay: float) -> None:
        """Pause reading for a delay in seconds; an infinite one reports a flood instead of a resumption."""
        self._is_throttled = True
        self._protocol._pause_reading_for_buffer()
        if delay == math.inf:
            self._on_flood()
        else:
            asyncio.get_running_loop().call_later(delay, self._resume)

    def _resume(self) -> None:
        """Parse the buffered bytes, and resume reading unless the rate is exceeded again or the connection lost.

        After a protocol error, the connection closes and reading resumes, for the end of the connection.
        """
        self._is_throttled = False
        transport = self._protocol.transport
        if transport is None or transport.is_closing():
            return
        failed, _ = self.feed_data(b"")
        if failed:
            self._protocol.close()
        if failed or not self._is_throttled:
            self._protocol._resume_reading_for_buffer()
