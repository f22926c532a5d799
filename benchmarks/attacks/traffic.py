"""Traffic of attacks: floods of packets, frames, requests and connections by one process.

- Rate: a flood repeats its bytes as fast as the server reads them, and reconnects after a disconnect.
- Address: WebSocket and HTTP requests have an address of their own behind the trusted proxy 127.0.0.1, because the
  server does not limit loopback addresses. A connection without a request comes from 127.0.0.2, which is no proxy.
"""

import asyncio
import itertools
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import ClientError

from tests.support.polling_client import polling_client
from tests.support.raw_websocket import UPGRADE_REQUEST, encode_text_frames

RECONNECT_PAUSE = 0.05
"""Pause before a new connection in seconds; without the pause, the attack would measure only its own connects."""

MIN_DELAY = 0.5
"""Seconds from which a write or a response counts as delayed by the server."""

ATTACKER_ADDRESS = "203.0.113.9"
DIRECT_ADDRESS = "127.0.0.2"
"""Source address of connections without a request."""

_PACKETS_PER_POST = 64  # the maximum of the server
_SEND_BUFFER = 64 * 1024  # bytes; a larger buffer would hide the delays of the server


@dataclass
class AttackCounters:
    """Effect of an attack on the attacker.

    Attributes:
        units: Packets, frames or requests accepted by the socket.
        rejections: Responses to HTTP floods with a status of 400 or more, and occurrences of the code `rate_limited`.
        delays: Writes and responses to packets over polling that the server delayed for at least `MIN_DELAY`.
        disconnects: Connections and polling sessions that the server refused or ended, except HTTP connections with a
            response.
    """

    units: int = 0
    rejections: int = 0
    delays: int = 0
    disconnects: int = 0

    @property
    def is_limited(self) -> bool:
        """True if the server has rejected, delayed or disconnected the attacker."""
        return bool(self.rejections or self.delays or self.disconnects)


Flood = Callable[[int, AttackCounters], Awaitable[None]]
"""Coroutine function with the port of the server and the counters; runs until cancelled."""


@asynccontextmanager
async def websocket(
    port: int, address: str = ATTACKER_ADDRESS
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a Socket.IO session over WebSocket and send its CONNECT; abort the connection after the block.

    Args:
        port: Port of the server.
        address: Address of the client behind the trusted proxy.

    Raises:
        OSError: The server refuses the connection.
        asyncio.IncompleteReadError: The server closes the connection.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        address_header = f"\r\nX-Forwarded-For: {address}\r\n\r\n"
        request = UPGRADE_REQUEST.replace("\r\n\r\n", address_header).encode()
        writer.write(request + encode_text_frames("40"))
        if b" 101 " not in await reader.readuntil(b"\r\n\r\n"):
            raise ConnectionRefusedError
        yield reader, writer
    finally:
        writer.transport.abort()


async def discard_input(reader: asyncio.StreamReader, counters: AttackCounters | None = None) -> None:
    """Read until the end of the stream or a lost connection, so that the server never waits for the attacker.

    Args:
        reader: Stream of the server.
        counters: Counters of the errors `rate_limited`; None to count none.
    """
    with suppress(OSError):
        while data := await reader.read(65536):
            if counters is not None:
                counters.rejections += data.count(b'"rate_limited"')


def packet_flood(*packets: str, connections: int = 4, batch: int = 200) -> Flood:
    """Return a flood of packets; each connection first joins the room `attack` and sends a message.

    Args:
        packets: Socket.IO packets.
        connections: Number of concurrent connections.
        batch: Repetitions per write.
    """
    first = encode_text_frames(
        '42["joinRoom",{"roomName":"attack","nickName":"mallory"}]',
        '42["sendMessage",{"room":"attack","message":"x"}]',
    )
    frames = encode_text_frames(*packets) * batch

    async def flood(port: int, counters: AttackCounters) -> None:
        chunks, units = itertools.repeat(frames), len(packets) * batch
        await _run_concurrently(lambda: _repeat_on_connections(port, counters, first, chunks, units), connections)

    return flood


def frame_flood(frame: bytes, first: bytes = b"") -> Flood:
    """Return a flood of a WebSocket frame on two connections, after the frame `first` on each."""

    async def flood(port: int, counters: AttackCounters) -> None:
        chunks = itertools.repeat(frame * 1000)
        await _run_concurrently(lambda: _repeat_on_connections(port, counters, first, chunks, 1000), 2)

    return flood


async def flood_with_joins(port: int, counters: AttackCounters) -> None:
    """Join new rooms under new names on four connections."""
    chunks = (
        encode_text_frames(f'42["joinRoom",{{"roomName":"attack {number}","nickName":"mallory {number}"}}]')
        for number in itertools.count()
    )
    await _run_concurrently(lambda: _repeat_on_connections(port, counters, b"", chunks, 1), 4)


def request_flood(head: str, body: bytes = b"", connections: int = 8) -> Flood:
    """Return a flood of an HTTP request, with a new connection for each request.

    Args:
        head: Request line and header lines, without the end of the last line.
        body: Request body.
        connections: Number of concurrent connections.
    """

    async def flood(port: int, counters: AttackCounters) -> None:
        lines = (
            f"{head}\r\nHost: 127.0.0.1:{port}\r\nX-Forwarded-For: {ATTACKER_ADDRESS}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        await _run_concurrently(lambda: _repeat_request(port, counters, lines.encode() + body), connections)

    return flood


async def flood_over_polling(port: int, counters: AttackCounters) -> None:
    """Send noop packets in POST requests of four polling sessions."""
    await _run_concurrently(lambda: _repeat_on_polling_sessions(port, counters), 4)


def silent_connections(first_bytes: bytes, count: int) -> Flood:
    """Return an attack that holds `count` connections open after their first bytes."""

    async def flood(port: int, counters: AttackCounters) -> None:
        await _run_concurrently(lambda: _hold_connections(port, counters, first_bytes), count)

    return flood


async def _run_concurrently(run: Callable[[], Awaitable[None]], count: int) -> None:
    await asyncio.gather(*(run() for _ in range(count)))


async def _repeat_on_connections(
    port: int, counters: AttackCounters, first: bytes, chunks: Iterator[bytes], units: int
) -> None:
    """Write chunks of `units` packets over WebSocket until cancelled, after `first` on each new connection."""
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            async with websocket(port) as (reader, writer):
                reading = asyncio.create_task(discard_input(reader, counters))
                writer.write(first)
                try:
                    while not reading.done():
                        writer.write(next(chunks))
                        await _drain(writer, counters)
                        counters.units += units
                        await asyncio.sleep(0)
                finally:
                    reading.cancel()
        counters.disconnects += 1
        await asyncio.sleep(RECONNECT_PAUSE)


async def _drain(writer: asyncio.StreamWriter, counters: AttackCounters) -> None:
    """Wait until the server has read enough for the next write, and count a delay."""
    try:
        async with asyncio.timeout(MIN_DELAY):
            await writer.drain()
    except TimeoutError:
        counters.delays += 1
        await writer.drain()


async def _repeat_request(port: int, counters: AttackCounters, request: bytes) -> None:
    """Send an HTTP request until cancelled, one connection after another."""
    while True:
        response = b""
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request)
                await writer.drain()
                counters.units += 1
                response = await reader.read(65536)
            finally:
                writer.transport.abort()
        status = response[9:12]  # HTTP/1.1 200 OK
        if not status:
            counters.disconnects += 1
        elif int(status) >= HTTPStatus.BAD_REQUEST:
            counters.rejections += 1


async def _repeat_on_polling_sessions(port: int, counters: AttackCounters) -> None:
    """Send one POST request after another until cancelled, in a new session after the end of a session."""
    headers = {"X-Forwarded-For": ATTACKER_ADDRESS}
    while True:
        with suppress(OSError, ClientError):
            async with polling_client(f"http://127.0.0.1:{port}", headers=headers) as client:
                status = HTTPStatus.OK
                while status == HTTPStatus.OK:
                    started = time.monotonic()
                    status = (await client.post(*["6"] * _PACKETS_PER_POST)).status
                    counters.units += _PACKETS_PER_POST
                    counters.delays += time.monotonic() - started >= MIN_DELAY
        counters.disconnects += 1
        await asyncio.sleep(RECONNECT_PAUSE)


async def _hold_connections(port: int, counters: AttackCounters, first_bytes: bytes) -> None:
    """Hold one connection open until cancelled, and replace each connection that the server closes."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(DIRECT_ADDRESS, 0))
            try:
                writer.write(first_bytes)
                counters.units += 1
                await discard_input(reader)
            finally:
                writer.transport.abort()
        counters.disconnects += 1
        await asyncio.sleep(RECONNECT_PAUSE)
