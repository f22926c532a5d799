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
  walks at each disconnect (unused: `server.domain.rooms`);
- turns a ping interval below a second into 0 (`sessions`).

tests/gateway/test_engine_private_names.py fails when an upgrade moves a name.
"""

# The library has no types; what is taken from it is cast where it comes in.
# pyright: reportUnknownMemberType=false
import logging
from typing import Any, cast
from urllib.parse import urlsplit

import engineio
import socketio
from aiohttp import web

from server.domain.addresses import ConnectionLimiter
from server.gateway.connection import Gateway
from server.gateway.engine.sessions import Sessions
from server.gateway.options import EngineOptions
from server.protocol.codec import SocketIOJson
from server.protocol.limits import PACKET_BYTES

library_log = logging.getLogger("chat.engine.library")
library_log.setLevel(logging.WARNING)  # at INFO it would log what people say

PATH = "/socket.io/"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Engine(socketio.AsyncServer):
    """The Socket.IO endpoint: `mount` it on an application, then `start`."""

    def __init__(self, gateway: Gateway, options: EngineOptions, gate: ConnectionLimiter | None) -> None:
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
            cors_allowed_origins=self._origin_allowed,
            cors_credentials=False,
        )
        self.sessions = cast(Sessions, self.eio)
        self.sessions.wire(gateway, options, gate)

    def mount(self, app: web.Application) -> None:
        """Serve `/socket.io/` of the application."""
        self.attach(app, socketio_path=PATH)
        # Methods that the library has no route for: aiohttp would say 405, where the specification says 400.
        app.router.add_route("*", PATH, self.sessions.handle_request)

    def start(self) -> None:
        """Begin to ping, and to end what does not answer."""
        self.sessions.start()

    async def stop(self) -> None:
        """Send what is owed, end every connection, and wait a moment for the slow ones."""
        await self.sessions.stop()

    def connections(self) -> int:
        """How many sessions there are."""
        return len(self.sessions.sockets)

    def cuts(self) -> dict[str, int]:
        """How many connections were cut, by reason, since the start."""
        return dict(self.sessions.cuts)

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return Sessions

    def _origin_allowed(self, origin: str, environ: dict[str, Any]) -> bool:
        own = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
        return origin == own or origin in self._cors_origins or _one_machine(origin, own)


def _one_machine(origin: str, own: str) -> bool:
    """Whether both name the same port of the browser's own machine: a page at 127.0.0.1 that asks for localhost."""
    try:
        one, other = urlsplit(origin), urlsplit(own)
        return one.scheme == other.scheme and one.port == other.port and {one.hostname, other.hostname} <= _LOOPBACK
    except ValueError:  # no port
        return False
