"""TCP proxy that simulates network faults."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

CHUNK_SIZE = 65_536
THROTTLE_INTERVAL = 0.05
"""Seconds between two writes on a throttled connection."""


class _Relay:
    """One direction of a connection, from `reader` to `writer`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        proxy_flowing: asyncio.Event,
        on_data: Callable[[bytes], bool],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._proxy_flowing = proxy_flowing
        self._on_data = on_data
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._eof_sent = False
        self.bytes_per_second: int | None = None

    def stall(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self.bytes_per_second = None
        self._flowing.set()

    def send_eof(self) -> None:
        """Half-close the direction and discard further data."""
        if not self._eof_sent and not self._writer.transport.is_closing():
            self._eof_sent = True
            with suppress(OSError):  # the peer has closed the connection meanwhile
                self._writer.write_eof()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def run(self) -> None:
        with suppress(OSError):
            while data := await self._reader.read(CHUNK_SIZE):
                if self._on_data(data):
                    await self._forward(data)

    async def _forward(self, data: bytes) -> None:
        while data:
            await self._proxy_flowing.wait()
            await self._flowing.wait()
            rate = self.bytes_per_second
            size = len(data) if rate is None else max(1, round(rate * THROTTLE_INTERVAL))
            if not self._eof_sent:
                self._writer.write(data[:size])
                await self._writer.drain()
            data = data[size:]
            if rate is not None:
                await asyncio.sleep(THROTTLE_INTERVAL)


class ProxyConnection:
    """Connection of one client to the server."""

    def __init__(self, upstream: _Relay, downstream: _Relay) -> None:
        self._upstream = upstream
        self._downstream = downstream

    def reset(self) -> None:
        """Reset the connection in both directions."""
        self._upstream.abort()
        self._downstream.abort()

    def stall(self) -> None:
        """Hold the data of both directions until `resume`, without closing."""
        self._upstream.stall()
        self._downstream.stall()

    def stall_downstream(self) -> None:
        """Hold the data to the client until `resume`."""
        self._downstream.stall()

    def throttle(self, bytes_per_second: int) -> None:
        """Limit the rate of both directions until `resume`."""
        self._upstream.bytes_per_second = self._downstream.bytes_per_second = bytes_per_second

    def resume(self) -> None:
        """Forward held and further data without a limit."""
        self._upstream.resume()
        self._downstream.resume()

    def half_close(self, *, towards_server: bool) -> None:
        """Send EOF in one direction; the opposite direction stays open."""
        (self._upstream if towards_server else self._downstream).send_eof()


class TcpProxy:
    """Loopback proxy in front of a server.

    Attributes:
        port: Listening port.
        accepted_count: Number of accepted connections since the start, including refused ones.
        open_connections: Open connections, oldest first.
        on_request: Called with all data of clients before it is forwarded; False discards the data.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.accepted_count = 0
        self.open_connections: list[ProxyConnection] = []
        self.on_request: Callable[[bytes], bool] = lambda _data: True
        self._target_port = target_port
        self._upstream_flowing = asyncio.Event()
        self._downstream_flowing = asyncio.Event()
        self.resume()
        self._is_refusing = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def retarget(self, port: int) -> None:
        """Connect new clients to another server port."""
        self._target_port = port

    def reset_all(self) -> None:
        """Reset all connections."""
        for connection in self.open_connections:
            connection.reset()

    def refuse_connections(self) -> None:
        """Reset new connections until `accept_connections`."""
        self._is_refusing = True

    def accept_connections(self) -> None:
        """Accept new connections again."""
        self._is_refusing = False

    def stall(self, *, towards_server: bool = True, towards_client: bool = True) -> None:
        """Hold the data of all connections until `resume`, including new ones, without closing."""
        if towards_server:
            self._upstream_flowing.clear()
        if towards_client:
            self._downstream_flowing.clear()

    def resume(self) -> None:
        """End `stall`; connections that are stalled individually stay stalled."""
        self._upstream_flowing.set()
        self._downstream_flowing.set()

    async def handle_connection(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        self.accepted_count += 1
        if self._is_refusing:
            client_writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            client_writer.transport.abort()
            return
        upstream = _Relay(client_reader, server_writer, self._upstream_flowing, self._check_request)
        downstream = _Relay(server_reader, client_writer, self._downstream_flowing, lambda _data: True)
        connection = ProxyConnection(upstream, downstream)
        self.open_connections.append(connection)
        relay_tasks = [asyncio.create_task(relay.run()) for relay in (upstream, downstream)]
        try:
            await asyncio.wait(relay_tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for relay_task in relay_tasks:
                relay_task.cancel()
            await asyncio.gather(*relay_tasks, return_exceptions=True)
            self.open_connections.remove(connection)
            for writer in (client_writer, server_writer):
                writer.close()
            for writer in (client_writer, server_writer):
                with suppress(OSError):
                    await writer.wait_closed()

    def _check_request(self, data: bytes) -> bool:
        return self.on_request(data)


@asynccontextmanager
async def tcp_proxy(target_port: int) -> AsyncGenerator[TcpProxy]:
    """Run a proxy in front of a local port."""
    proxy = TcpProxy(target_port)
    tasks: set[asyncio.Task[None]] = set()

    def on_accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(proxy.handle_connection(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        # A task that is cancelled before or during the connection to the server leaves the client's socket open.
        task.add_done_callback(lambda _: writer.transport.abort())

    server = await asyncio.start_server(on_accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.resume()
        proxy.reset_all()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
