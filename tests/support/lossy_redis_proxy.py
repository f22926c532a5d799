"""Proxy of a Redis server that drops, duplicates, delays and reorders the messages of its channels."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from random import Random

_MESSAGE = b"$7\r\nmessage\r\n"
_NODE_CHANNEL = b":node:"  # messages of a node to itself, which measure the health of its connection
_COPIES = (0, 1, 1, 2)
_DELAYS = (0.0, 0.0, 0.01, 0.1, 0.5)  # seconds


class LossyRedisProxy:
    """Loopback proxy in front of a Redis server.

    Args:
        target_port: Port of the Redis server.
        rng: Source of randomness.

    Attributes:
        port: Listening port.
        is_lossy: True if the proxy drops, duplicates, delays and reorders the messages of channels.
    """

    def __init__(self, target_port: int, rng: Random) -> None:
        self.port = 0
        self.is_lossy = False
        self._target_port = target_port
        self._rng = rng

    async def handle_connection(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        """Relay a connection until one side closes."""
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            client_writer.transport.abort()
            return
        relays = {
            asyncio.create_task(_relay_bytes(client_reader, server_writer)),
            asyncio.create_task(self._relay_values(server_reader, client_writer)),
        }
        try:
            await asyncio.wait(relays, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for relay in relays:
                relay.cancel()
            for writer in (client_writer, server_writer):
                writer.transport.abort()

    async def _relay_values(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                value = await _read_value(reader)
                is_message = value[:1] in b"*>" and _MESSAGE in value[:32] and _NODE_CHANNEL not in value
                if self.is_lossy and is_message:
                    for _ in range(self._rng.choice(_COPIES)):
                        asyncio.get_running_loop().call_later(self._rng.choice(_DELAYS), writer.write, value)
                else:
                    writer.write(value)
                    await writer.drain()


async def _relay_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


async def _read_value(reader: asyncio.StreamReader) -> bytes:
    """Return the bytes of one value (Redis serialization protocol specification).

    Raises:
        asyncio.IncompleteReadError: The connection has ended.
    """
    head = await reader.readuntil(b"\r\n")
    kind, count = head[:1], head[1:-2]
    if kind in b"$=!":
        return head + (await reader.readexactly(int(count) + 2) if int(count) >= 0 else b"")
    if kind in b"*>~%":
        children = int(count) * (2 if kind == b"%" else 1)
        return head + b"".join([await _read_value(reader) for _ in range(children)])
    return head


@asynccontextmanager
async def lossy_redis_proxy(target_port: int, rng: Random) -> AsyncGenerator[LossyRedisProxy]:
    """Run a proxy in front of a local Redis server."""
    proxy = LossyRedisProxy(target_port, rng)
    tasks: set[asyncio.Task[None]] = set()

    def on_accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(proxy.handle_connection(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(on_accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
