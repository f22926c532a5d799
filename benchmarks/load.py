"""Low-cost load generator that counts messages without decoding them.

Each client is one WebSocket on an asyncio protocol. Only probes decode messages, to measure
latency and to verify that `seq` has no gaps, if the server sends one.
"""

import asyncio
import json
import os
import statistics
import struct
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MESSAGE_PREFIX = b'42["message",{'
"""First bytes of a message packet, the same for all compared servers."""

TIMESTAMP_MARK = b"~"
"""Prefix of the send time in a message text; no character of a mention."""


_PING_FRAME = b"\x81\x012"


@dataclass(slots=True)
class LoadCounters:
    """Counters shared by all clients.

    Attributes:
        delivered: Received messages of the interval.
        latencies: Delivery latencies of probes in the interval, in seconds.
        out_of_order: Gaps in the `seq` of probes since the start.
        lost_connections: Unexpectedly closed connections since the start.
    """

    delivered: int = 0
    latencies: list[float] = field(default_factory=list[float])
    out_of_order: int = 0
    lost_connections: int = 0

    def start_interval(self) -> None:
        """Discard the measurements of the previous interval."""
        self.delivered = 0
        self.latencies.clear()

    def latency_percentiles(self) -> tuple[float, float]:
        """Return median and 99th percentile of the latencies in milliseconds, zeros without latencies."""
        latencies = sorted(self.latencies) or [0.0]
        return statistics.median(latencies) * 1e3, latencies[int(len(latencies) * 0.99)] * 1e3


class LoadClient(asyncio.Protocol):
    """WebSocket client of one member.

    Attributes:
        counters: Shared counters.
        is_probe: Decode messages and acknowledgements; required for `on_ack`.
        connected: Completed when the namespace is connected; fails if the connection is lost before.
        on_ack: Called after each acknowledgement, including those of rejected requests; probes only.
    """

    def __init__(self, counters: LoadCounters, *, is_probe: bool = False) -> None:
        self.counters = counters
        self.is_probe = is_probe
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_closing = False
        self.on_ack: Callable[[], None] | None = None
        self._is_handshaking = True
        self._buffer: bytes = b""
        self._last_seq = 0
        self._last_ack_id = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the WebSocket handshake."""
        self.transport = transport = cast(asyncio.Transport, transport)
        key = b64encode(os.urandom(16)).decode()
        transport.write(
            (
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        """Count messages; probes decode them."""
        if self._is_handshaking:
            data = self._buffer + data
            headers, separator, data = bytes(data).partition(b"\r\n\r\n")
            if not separator:
                self._buffer = headers
                return
            self._buffer = b""
            self._is_handshaking = False
            self.send_packet(b"40")
        if self.is_probe:
            self._parse_frames(data)
            return
        previous = self._buffer
        received = previous + data
        self.counters.delivered += received.count(MESSAGE_PREFIX) - previous.count(MESSAGE_PREFIX)
        if not self.connected.done() and b"40{" in received:
            self.connected.set_result(None)
        if _PING_FRAME in received and received.count(_PING_FRAME) > previous.count(_PING_FRAME):
            self.send_packet(b"3")
        self._buffer = received[-len(MESSAGE_PREFIX) + 1 :]

    def _parse_frames(self, data: bytes) -> None:
        """Handle the packets of all complete WebSocket frames."""
        buffer = self._buffer + data
        offset = 0
        while len(buffer) - offset >= 2:
            length, start = buffer[offset + 1] & 127, offset + 2
            if length == 126:
                if len(buffer) - offset < 4:
                    break
                length, start = int.from_bytes(buffer[offset + 2 : offset + 4], "big"), offset + 4
            elif length == 127:
                if len(buffer) - offset < 10:
                    break
                length, start = int.from_bytes(buffer[offset + 2 : offset + 10], "big"), offset + 10
            if len(buffer) < start + length:
                break
            self._handle_packet(buffer[start : start + length])
            offset = start + length
        self._buffer = buffer[offset:]

    def _handle_packet(self, packet: bytes) -> None:
        """Handle a message, an acknowledgement, a ping or the response to the CONNECT."""
        if packet.startswith(MESSAGE_PREFIX):
            self.counters.delivered += 1
            body = json.loads(packet[2:])[1]
            text = body["message"].encode()
            if TIMESTAMP_MARK in text:
                self.counters.latencies.append(
                    time.perf_counter() - float(text.partition(TIMESTAMP_MARK)[2].split()[0])
                )
            if "seq" in body:
                self.counters.out_of_order += self._last_seq not in (0, body["seq"] - 1)
                self._last_seq = body["seq"]
        elif packet.startswith(b"43"):
            if self.on_ack is not None:
                self.on_ack()
        elif packet == b"2":
            self.send_packet(b"3")
        elif packet.startswith(b"40") and not self.connected.done():
            self.connected.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that was not closed by the client; fail `connected` if it is pending."""
        if not self.is_closing:
            self.counters.lost_connections += 1
        if not self.connected.done():
            self.connected.set_exception(exc or ConnectionError("the server closed the connection"))

    def send_packet(self, payload: bytes) -> None:
        """Send one Engine.IO packet below 64 KiB in a WebSocket frame.

        The mask is zero, which leaves the payload unchanged.
        """
        length = len(payload)
        header = bytes((0x81, 0x80 | length)) if length < 126 else b"\x81\xfe" + struct.pack(">H", length)
        self.transport.write(header + b"\0\0\0\0" + payload)

    def emit_with_ack(self, event: str, body: dict[str, object]) -> None:
        """Send an event with an acknowledgement id."""
        self._last_ack_id += 1
        self.send_packet(f"42{self._last_ack_id}".encode() + json.dumps([event, body], ensure_ascii=False).encode())

    def send_message(self, room: str, nick: str, size: int) -> None:
        """Send a message of `size` bytes with the send time in its text."""
        text = f"{TIMESTAMP_MARK.decode()}{time.perf_counter():.6f} ".ljust(size, "x")
        self.emit_with_ack("sendMessage", {"room": room, "nickName": nick, "message": text})

    def stop_reading(self) -> None:
        """Stop reading from the socket, so that the server's send queue fills up."""
        self.transport.pause_reading()

    def close(self) -> None:
        """Abort the connection."""
        self.is_closing = True
        self.transport.abort()


async def open_client(url: str, counters: LoadCounters, *, is_probe: bool = False) -> LoadClient:
    """Connect a client without a room.

    Raises:
        OSError: The server refuses or closes the connection.
    """
    address = urlsplit(url)
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: LoadClient(counters, is_probe=is_probe), address.hostname or "", address.port or 0
    )
    await client.connected
    return client


async def connect_client(
    url: str, counters: LoadCounters, room: str, nick: str, *, is_probe: bool = False
) -> LoadClient:
    """Connect a client and send its join request, without waiting for the response.

    Raises:
        OSError: As `open_client`.
    """
    client = await open_client(url, counters, is_probe=is_probe)
    client.emit_with_ack("joinRoom", {"roomName": room, "nickName": nick})
    return client


def print_measurements(measurements: "DataclassInstance") -> None:
    """Print the fields of a dataclass in one line, with two decimals."""
    fields = asdict(measurements)
    print({name: round(value, 2) if isinstance(value, float) else value for name, value in fields.items()}, flush=True)
