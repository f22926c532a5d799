"""python-socketio's server, hardened. This package alone knows its private names.

The library keeps the routes, the session ids and CORS. What it does with requests
and sessions is replaced, because as shipped it

- answers requests that its own specification refuses, and keeps sessions that
  this closes (`faults`, `polling`);
- lets a client forge `connect` and `disconnect` events, and makes a task per
  event, so that one client's events finish out of order (`session`: one packet
  at a time, reserved names are no events);
- collects announced binary attachments without limit (`packets`: none exist);
- never ends a session that does not CONNECT, or that sends garbage (`session`);
- has a queue without bound, a writer task and a ping task for each session
  (`outgoing`: finished frames, one write a tick; `sessions`: one sweep);
- holds a reader that stopped reading for ever (`outgoing`, `session`);
- closes a WebSocket with something unread in it, which loses what it said last
  (`websocket`: the closing handshake, with a deadline);
- sees every address as 127.0.0.1 and believes every X-Forwarded-* header
  (`sessions`, `origins`);
- compresses each message for each connection (`websocket`);
- has rooms of its own that a client's name could collide with, and that it
  walks at each disconnect (unused: `server.domain.room_registry`);
- turns a ping interval below a second into 0 (`sessions`).

tests/engineio/test_private_library_names.py fails when an upgrade moves a name.
"""

# The library has no types; what is taken from it is cast where it comes in.
# pyright: reportUnknownMemberType=false
import logging
from typing import Any, cast
from urllib.parse import urlsplit

import engineio
import socketio
from aiohttp import web

from server.domain.connection_limits import ConnectionLimiter
from server.engineio.connection import EventDispatcher
from server.engineio.engineio_server import EngineIOServer
from server.engineio.options import EngineIOOptions
from tui_chat.protocol.codec import SocketIOJson
from tui_chat.protocol.limits import PACKET_BYTES

library_log = logging.getLogger("chat.engine.library")
library_log.setLevel(logging.WARNING)  # at INFO it would log what people say

SOCKETIO_PATH = "/socket.io/"
_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


class SocketIOServer(socketio.AsyncServer):
    """The Socket.IO endpoint: `mount` it on an application, then `start`."""

    def __init__(
        self, dispatcher: EventDispatcher, options: EngineIOOptions, connection_limiter: ConnectionLimiter | None
    ) -> None:
        self._cors_origins = options.cors_origins
        # The library hands `**kwargs` to the class that `_engineio_server_class` names.
        super().__init__(
            async_mode="aiohttp",
            client_manager=socketio.AsyncManager(),
            json=SocketIOJson,
            logger=cast(bool, library_log),  # the library takes a logger too
            engineio_logger=library_log,
            monitor_clients=False,
            http_compression=False,
            max_http_buffer_size=PACKET_BYTES,
            ping_interval=options.ping_interval,
            ping_timeout=options.ping_timeout,
            cors_allowed_origins=self._is_origin_allowed,
            cors_credentials=False,
        )
        self.engineio_server = cast(EngineIOServer, self.eio)
        self.engineio_server.configure(dispatcher, options, connection_limiter)

    def mount(self, app: web.Application) -> None:
        """Serve `/socket.io/` of the application."""
        self.attach(app, socketio_path=SOCKETIO_PATH)
        # Methods that the library has no route for: aiohttp would say 405, where the specification says 400.
        app.router.add_route("*", SOCKETIO_PATH, self.engineio_server.handle_request)

    def start(self) -> None:
        """Begin to ping, and to end what does not answer."""
        self.engineio_server.start()

    async def stop(self) -> None:
        """Send what is owed, end every connection, and wait a moment for the slow ones."""
        await self.engineio_server.stop()

    def count_connections(self) -> int:
        """How many sessions there are."""
        return len(self.engineio_server.sockets)

    def count_aborts(self) -> dict[str, int]:
        """How many connections were cut, by reason, since the start."""
        return dict(self.engineio_server.aborts)

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return EngineIOServer

    def _is_origin_allowed(self, origin: str, environ: dict[str, Any]) -> bool:
        own_origin = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
        return origin == own_origin or origin in self._cors_origins or _is_same_loopback_origin(origin, own_origin)


def _is_same_loopback_origin(origin: str, own_origin: str) -> bool:
    """Whether both name the same port of the browser's own machine: a page at 127.0.0.1 that asks for localhost."""
    try:
        origin_parts, own_parts = urlsplit(origin), urlsplit(own_origin)
        return (
            origin_parts.scheme == own_parts.scheme
            and origin_parts.port == own_parts.port
            and {origin_parts.hostname, own_parts.hostname} <= _LOOPBACK_HOSTS
        )
    except ValueError:  # no port
        return False
