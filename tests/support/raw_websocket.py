"""A WebSocket of bare bytes over TCP, for what a library's closing and reading would hide."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import WSMsgType

TIMEOUT = 15.0
"""Seconds after which something that was waited for is called missing."""

ZERO_MASK = b"\x00\x00\x00\x00"

UPGRADE_REQUEST = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(frozen=True)
class RawFrame:
    """One frame as it came (RFC 6455, section 5.2)."""

    opcode: WSMsgType
    payload: bytes


class RawWebSocket:
    """Writes and reads frames; answers nothing by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def write_frame(self, opcode: WSMsgType, payload: bytes) -> None:
        """One masked frame of less than 64 KiB."""
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self.writer.write(bytes((0x80 | opcode,)) + length + ZERO_MASK + payload)

    def write_text_frames(self, *packets: str) -> None:
        """Each packet in a text frame."""
        for packet in packets:
            self.write_frame(WSMsgType.TEXT, packet.encode())

    async def read_frame(self) -> RawFrame:
        """The next frame.

        Raises:
            asyncio.IncompleteReadError: The stream has ended.
            ConnectionResetError: The connection was reset.
        """
        async with asyncio.timeout(TIMEOUT):
            first_byte, length = await self.reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8), "big")
            return RawFrame(WSMsgType(first_byte & 0x0F), await self.reader.readexactly(length))

    async def read_to_end(self) -> bytes:
        """Everything until the end of the stream."""
        async with asyncio.timeout(TIMEOUT):
            return await self.reader.read()


@asynccontextmanager
async def raw_websocket(port: int, tls: ssl.SSLContext | None = None) -> AsyncGenerator[RawWebSocket]:
    """A WebSocket to a server on this machine, open and otherwise silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        writer.write(UPGRADE_REQUEST.encode())
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        yield RawWebSocket(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
