"""A TCP proxy that breaks connections in the ways networks do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

CHUNK = 65_536
SLOW_STEP = 0.05
"""Seconds between two pieces of what passes slowly."""


class _Direction:
    """One way of a connection: what the reader gives is written to the writer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: asyncio.Event) -> None:
        self._reader = reader
        self._writer = writer
        self._everything_passes = passing
        self._passes = asyncio.Event()
        self._passes.set()
        self._ended = False
        self.bytes_a_second: int | None = None

    def stall(self) -> None:
        self._passes.clear()

    def resume(self) -> None:
        self.bytes_a_second = None
        self._passes.set()

    def end(self) -> None:
        """Say that nothing more comes this way, and drop what does."""
        if not self._ended and not self._writer.transport.is_closing():
            self._ended = True
            with suppress(OSError):  # the other side has just gone by itself
                self._writer.write_eof()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def pump(self) -> None:
        with suppress(OSError):
            while data := await self._reader.read(CHUNK):
                await self._pass_on(data)

    async def _pass_on(self, data: bytes) -> None:
        while data:
            await self._everything_passes.wait()
            await self._passes.wait()
            pace = self.bytes_a_second
            size = len(data) if pace is None else max(1, round(pace * SLOW_STEP))
            if not self._ended:
                self._writer.write(data[:size])
                await self._writer.drain()
            data = data[size:]
            if pace is not None:
                await asyncio.sleep(SLOW_STEP)


class Passage:
    """One client's connection to the server."""

    def __init__(self, up: _Direction, down: _Direction) -> None:
        self._up = up
        self._down = down

    def cut(self) -> None:
        """End it with a reset, both ways."""
        self._up.abort()
        self._down.abort()

    def stall(self) -> None:
        """Pass nothing on, in either direction, and say nothing, until `resume`."""
        self._up.stall()
        self._down.stall()

    def stall_answers(self) -> None:
        """Pass nothing on to the client, until `resume`."""
        self._down.stall()

    def slow(self, bytes_a_second: int) -> None:
        """Pass on so much each way, until `resume`."""
        self._up.bytes_a_second = self._down.bytes_a_second = bytes_a_second

    def resume(self) -> None:
        """Pass on what was held, and all that follows, at once."""
        self._up.resume()
        self._down.resume()

    def half_close(self, *, towards_server: bool) -> None:
        """End one direction in order; the other goes on."""
        (self._up if towards_server else self._down).end()


class TcpProxy:
    """Stands between clients and one server on the loopback.

    Attributes:
        port: Where clients connect.
        accepted: How many connections have come.
        passages: The connections there are now, oldest first.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.accepted = 0
        self.passages: list[Passage] = []
        self._target_port = target_port
        self._passing = asyncio.Event()
        self._passing.set()
        self._refusing = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self.passages)

    def retarget(self, port: int) -> None:
        """Lead new connections to another port."""
        self._target_port = port

    def cut(self) -> None:
        """End every connection with a reset."""
        for passage in self.passages:
            passage.cut()

    def refuse(self) -> None:
        """End new connections at once, as if nobody were there, until `accept`."""
        self._refusing = True

    def accept(self) -> None:
        """Let new connections through again."""
        self._refusing = False

    def stall(self) -> None:
        """Pass nothing on, in either direction, and say nothing, until `resume`."""
        self._passing.clear()

    def resume(self) -> None:
        """Pass on what was held, and all that follows."""
        self._passing.set()

    async def serve(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._refusing:
            client_writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            client_writer.transport.abort()
            return
        up = _Direction(client_reader, server_writer, self._passing)
        down = _Direction(server_reader, client_writer, self._passing)
        passage = Passage(up, down)
        self.passages.append(passage)
        pumps = [asyncio.create_task(direction.pump()) for direction in (up, down)]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self.passages.remove(passage)
            for writer in (client_writer, server_writer):
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()


@asynccontextmanager
async def tcp_proxy(target_port: int) -> AsyncGenerator[TcpProxy]:
    """A proxy before a port of this machine."""
    proxy = TcpProxy(target_port)
    tasks: set[asyncio.Task[None]] = set()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(proxy.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(accepted, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        proxy.resume()
        proxy.cut()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()
