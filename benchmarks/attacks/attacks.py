"""Attacks on a server, each by one process with a few connections.

An attack repeats its harmful bytes as fast as the server reads them, and reconnects after a disconnect.
"""

import asyncio
import gzip
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

RECONNECT_PAUSE = 0.05
"""Pause before a new connection in seconds; without the pause, the attack would measure only its own connects."""

ZERO_MASK = b"\x00\x00\x00\x00"
FORWARDED = "X-Forwarded-For: 203.0.113.9\r\n"
"""Address of the attacker, because loopback addresses have no limits of their own."""


@dataclass
class AttackCounters:
    """Effect of an attack on the attacker.

    Attributes:
        units: Packets, frames or requests accepted by the socket.
        connections: Attempted connections.
        disconnects: Connections closed or refused by the server.
    """

    units: int = 0
    connections: int = 0
    disconnects: int = 0


Attack = Callable[[int, AttackCounters], Awaitable[None]]


def text_frame(packet: str, *, is_final: bool = True, is_first: bool = True) -> bytes:
    """Return a masked text frame, or a continuation frame, with a payload below 64 KiB (RFC 6455, section 5.2)."""
    payload = packet.encode()
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes(((0x80 if is_final else 0) | is_first,)) + length + ZERO_MASK + payload


@asynccontextmanager
async def websocket(port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a Socket.IO session over WebSocket and send its CONNECT; abort the connection after the block.

    Raises:
        OSError: The server refuses the connection.
        asyncio.IncompleteReadError: The server closes the connection.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        request = (
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{FORWARDED}"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n"
        )
        writer.write(request.encode() + text_frame("40"))
        if b" 101 " not in await reader.readuntil(b"\r\n\r\n"):
            raise ConnectionRefusedError
        yield reader, writer
    finally:
        writer.transport.abort()


async def discard_input(reader: asyncio.StreamReader) -> None:
    """Read until the end of the stream or a lost connection, so that the server never waits for the attacker."""
    with suppress(OSError):
        while await reader.read(65536):
            pass


async def repeat_on_connections(
    port: int, counters: AttackCounters, first: bytes, chunks: Iterator[bytes], units: int
) -> None:
    """Write chunks of `units` packets over WebSocket until cancelled, after `first` on each new connection."""
    while True:
        counters.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            async with websocket(port) as (reader, writer):
                reading = asyncio.create_task(discard_input(reader))
                writer.write(first)
                try:
                    while not reading.done():
                        writer.write(next(chunks))
                        await writer.drain()
                        counters.units += units
                        await asyncio.sleep(0)
                finally:
                    reading.cancel()
        counters.disconnects += 1
        await asyncio.sleep(RECONNECT_PAUSE)


def packet_flood(*packets: str, connections: int = 4, batch: int = 200) -> Attack:
    """Return an attack that repeats packets, after a join of the room `attack` on each connection.

    Args:
        packets: Socket.IO packets.
        connections: Number of concurrent connections.
        batch: Repetitions per write.
    """

    async def attack(port: int, counters: AttackCounters) -> None:
        join = text_frame('42["joinRoom",{"roomName":"attack","nickName":"mallory"}]')
        frames = b"".join(map(text_frame, packets)) * batch

        chunks, units = itertools.repeat(frames), len(packets) * batch
        await asyncio.gather(*(repeat_on_connections(port, counters, join, chunks, units) for _ in range(connections)))

    return attack


def frame_flood(frame: bytes, first: bytes = b"") -> Attack:
    """Return an attack that repeats a WebSocket frame on two connections, after the frame `first` on each."""

    async def attack(port: int, counters: AttackCounters) -> None:
        chunks = itertools.repeat(frame * 1000)
        await asyncio.gather(*(repeat_on_connections(port, counters, first, chunks, 1000) for _ in range(2)))

    return attack


async def flood_with_joins(port: int, counters: AttackCounters) -> None:
    """Join new rooms under new names on four connections."""
    numbers = itertools.count()
    chunks = (
        text_frame(f'42["joinRoom",{{"roomName":"attack {number}","nickName":"mallory {number}"}}]')
        for number in numbers
    )
    await asyncio.gather(*(repeat_on_connections(port, counters, b"", chunks, 1) for _ in range(4)))


async def repeat_requests(port: int, counters: AttackCounters, request: bytes) -> None:
    """Send an HTTP request over and over, one connection after another."""
    while True:
        counters.connections += 1
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request)
                await writer.drain()
                counters.units += 1
                await reader.read(65536)
            finally:
                writer.transport.abort()
        counters.disconnects += 1


def request_flood(head: str, body: bytes = b"", connections: int = 8) -> Attack:
    """Return an attack that repeats an HTTP request."""

    async def attack(port: int, counters: AttackCounters) -> None:
        lines = f"{head}\r\nHost: 127.0.0.1:{port}\r\n{FORWARDED}Content-Length: {len(body)}\r\n\r\n"
        request = lines.encode() + body
        await asyncio.gather(*(repeat_requests(port, counters, request) for _ in range(connections)))

    return attack


def silent_connections(first_bytes: bytes, count: int) -> Attack:
    """Return an attack that holds `count` connections open after their first bytes."""

    async def attack(port: int, counters: AttackCounters) -> None:
        async def hold() -> None:
            while True:
                counters.connections += 1
                with suppress(OSError):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    try:
                        writer.write(first_bytes)
                        counters.units += 1
                        await discard_input(reader)
                    finally:
                        writer.transport.abort()
                counters.disconnects += 1
                await asyncio.sleep(RECONNECT_PAUSE)

        await asyncio.gather(*(hold() for _ in range(count)))

    return attack


GZIP_BODY = gzip.compress(b"0" * 32_000_000)
COMPRESSED = "POST {path} HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Type: application/json"

ATTACKS: dict[str, Attack] = {
    "compressed bodies": request_flood(COMPRESSED.format(path="/"), GZIP_BODY),
    "compressed poll bodies": request_flood(COMPRESSED.format(path="/socket.io/?EIO=4&transport=polling"), GZIP_BODY),
    "malformed HTTP": request_flood("GET \x01 HTTP/9.9\r\nBad Header"),
    "requests of pages": request_flood("GET / HTTP/1.1"),
    "idle HTTP connections": silent_connections(b"", 500),
    "slow headers": silent_connections(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 200),
    "slow second headers": silent_connections(
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 200
    ),
    "polling handshakes": request_flood("GET /socket.io/?EIO=4&transport=polling HTTP/1.1"),
    "unknown polling sessions": request_flood("POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1", b"6"),
    "WebSocket pings": frame_flood(b"\x89\x80" + ZERO_MASK),
    "noop packets": packet_flood("6"),
    "pong packets": packet_flood("3"),
    "unknown acknowledgements": packet_flood("430[]"),
    "refused requests": packet_flood('421["history",{"room":"other","after":0}]'),
    "invalid requests": packet_flood('421["sendMessage",{"room":7}]'),
    "not-a-number values": packet_flood('421["history",{"room":"attack","after":NaN}]'),
    "lone surrogates": packet_flood('421["sendMessage",{"room":"attack","message":"\\ud83d"}]'),
    "empty fragments": frame_flood(
        text_frame("", is_final=False, is_first=False), first=text_frame("4", is_final=False)
    ),
    "messages": packet_flood('421["sendMessage",{"room":"attack","message":"x"}]'),
    "edits": packet_flood('421["editMessage",{"room":"attack","seq":1,"message":"x"}]'),
    "topics": packet_flood(
        '421["setTopic",{"room":"attack","topic":"a"}]', '422["setTopic",{"room":"attack","topic":"b"}]'
    ),
    "reactions": packet_flood(
        *(f'421["react",{{"room":"attack","seq":1,"emoji":"{letter}","on":true}}]' for letter in "abcdefghij"), batch=20
    ),
    "typing": packet_flood('42["typing",{"room":"attack","on":true}]'),
    "searches": packet_flood('421["search",{"query":"x"}]'),
    "joins": flood_with_joins,
    "renames": packet_flood('421["changeNick",{"nickName":"a"}]', '422["changeNick",{"nickName":"b"}]'),
}
"""Attacks by name."""
