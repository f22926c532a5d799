"""WebSocket client on the byte level, without the automatic replies of a library."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import WSMsgType

from tests.support.wait import RESPONSE_TIMEOUT

ZERO_MASK = b"\x00\x00\x00\x00"

UPGRADE_REQUEST = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(frozen=True)
class RawFrame:
    """Received frame (RFC 6455, section 5.2)."""

    opcode: WSMsgType
    payload: bytes


def encode_frame(opcode: WSMsgType, payload: bytes) -> bytes:
    """Return one masked final frame with a payload below 64 KiB."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + length + ZERO_MASK + payload


def encode_text_frames(*packets: str) -> bytes:
    """Return one text frame per packet."""
    return b"".join(encode_frame(WSMsgType.TEXT, packet.encode()) for packet in packets)


class RawWebSocket:
    """Reader and writer of frames, without automatic replies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def write_frame(self, opcode: WSMsgType, payload: bytes) -> None:
        """Write one masked frame with a payload below 64 KiB."""
        self.writer.write(encode_frame(opcode, payload))

    def write_text_frames(self, *packets: str) -> None:
        """Write one text frame per packet."""
        self.writer.write(encode_text_frames(*packets))

    async def read_frame(self) -> RawFrame:
        """Read the next frame.

        Raises:
            asyncio.IncompleteReadError: End of the stream.
            ConnectionResetError: Reset by the server.
        """
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            first_byte, length = await self.reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8), "big")
            return RawFrame(WSMsgType(first_byte & 0x0F), await self.reader.readexactly(length))

    async def read_to_end(self) -> bytes:
        """Return all bytes until the end of the stream."""
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            return await self.reader.read()


@asynccontextmanager
async def raw_websocket(
    port: int, tls: ssl.SSLContext | None = None, first_frames: bytes = b""
) -> AsyncGenerator[RawWebSocket]:
    """Open a WebSocket to a local server, without a Socket.IO connect; `first_frames` follow the request directly."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        writer.write(UPGRADE_REQUEST.encode() + first_frames)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        yield RawWebSocket(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
