"""Server for the public conformance suites of Engine.IO 4 and Socket.IO 5, with their echo handlers.

Usage: `python -m tests.support.conformance_server engineio|socketio [--port 3000]`. The suites are the directories
`test-suite` of the repositories `socketio/engine.io-protocol` and `socketio/socket.io-protocol`. Tests of binary
data and of other namespaces fail by design (docs/protocol.md, "Conformance").
"""

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web
from msgspec import Raw

from server.engineio import packets, session
from server.engineio.connection import ClientConnection, FrameSink
from server.engineio.namespace import Namespace
from server.engineio.options import EngineIOOptions
from server.engineio.socketio_server import SocketIOServer
from server.observability.supervision import Supervisor

OPTIONS = EngineIOOptions(
    ping_interval=0.3,
    ping_timeout=0.2,
    connect_timeout=1.0,
    max_unsent_bytes=1_000_000,
    stall_timeout=10.0,
    cors_origins=(),
    trusted_proxies=(),
    max_packet_bytes=1_000_000,
)
"""Options that the suites expect."""


class EchoNamespace(Namespace):
    """Echo of Engine.IO messages, without Socket.IO."""

    def connect_timed_out(self, now: float) -> bool:
        return False

    def handle_message(self, message: bytes) -> None:
        self._sink.push(packets.Frame(b"4" + message))


class EchoDispatcher:
    """Handlers of the Socket.IO suite: `message` is sent back, `message-with-ack` is acknowledged."""

    async def on_connect(
        self,
        sink: FrameSink,
        address: str,
        auth: Raw | None,
        authorization: str,
        previous: ClientConnection | None,
    ) -> ClientConnection:
        # The event follows the CONNECT packet. The suite misses the second of two packets in one network read.
        event = packets.encode_event("auth", auth or {})
        asyncio.get_running_loop().call_later(0.02, sink.push, event)
        return ClientConnection(sink.push, sink.close, "echo", address, {})

    async def dispatch(
        self, connection: ClientConnection, event: str, arguments: list[Raw], *, wants_ack: bool
    ) -> bytes | None:
        echo = b",".join(map(bytes, arguments))
        if event == "message":
            connection.push(packets.Frame(b'42["message-back",%b]' % echo))
        return echo if wants_ack else None

    def on_disconnect(self, connection: ClientConnection) -> None:
        pass


@asynccontextmanager
async def serve_conformance(protocol: str, port: int = 0, options: EngineIOOptions = OPTIONS) -> AsyncGenerator[str]:
    """Run the server for `engineio` or `socketio` on localhost; yield its URL."""
    namespace, path = (EchoNamespace, "/engine.io/") if protocol == "engineio" else (Namespace, "/socket.io/")
    session.Namespace = namespace
    app, server = web.Application(), SocketIOServer(EchoDispatcher(), options, None, Supervisor())
    server.mount(app, path)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    server.engineio_server.start()
    try:
        await web.TCPSite(runner, "localhost" if port else "127.0.0.1", port).start()
        yield f"http://localhost:{runner.addresses[0][1]}{path}"
    finally:
        await server.engineio_server.stop()
        await runner.cleanup()
        session.Namespace = Namespace


async def main() -> None:
    """Run the server until it is interrupted."""
    parser = argparse.ArgumentParser(description="Run the server for a public conformance suite.")
    parser.add_argument("protocol", choices=["engineio", "socketio"])
    parser.add_argument("--port", type=int, default=3000)
    arguments = parser.parse_args()
    async with serve_conformance(arguments.protocol, arguments.port) as url:
        print(url, flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
