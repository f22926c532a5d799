"""Hardened python-socketio server; only this package uses private names of the library.

Routes and session ids are those of the library; request and session handling are not.
Behavior of the library, and the replacement:

- Requests that the specification rejects are answered, and their sessions survive: `errors`
  and `polling` follow the specification.
- Clients can forge `connect` and `disconnect` events, and a task per event reorders the events
  of one client: `session` handles one packet at a time, and these names are ordinary events.
- Announced binary attachments accumulate without limit: `packets` rejects binary packets.
- Sessions without CONNECT and sessions with invalid packets never end: `session` closes both.
- Each session has an unbounded queue, a writer task and a ping task: `send_queue` is bounded and
  writes once per tick, and `engineio_server` has one heartbeat for all sessions.
- A client that stops reading is retained forever: `send_queue` detects stalls.
- Closing a WebSocket with unread input loses the last frames: `websocket` reads until
  the client's close frame, up to `close_timeout`.
- All addresses are 127.0.0.1 and any X-Forwarded-* header is trusted: `server.forwarded` accepts
  trusted proxies only.
- Origins are compared as strings: `server.origins` compares canonical forms.
- Each message is compressed once per connection: `websocket` disables compression.
- Room names can collide with client ids, and each disconnect iterates over all rooms:
  `server.domain.room_registry` replaces the library's rooms.
- Ping intervals below one second become 0: `engineio_server` announces milliseconds.

tests/engineio/test_private_library_names.py fails when an upgrade changes a private name.
"""

# python-socketio is untyped, so its values are cast at this boundary.
# pyright: reportUnknownMemberType=false
import logging
from typing import cast

import engineio
import socketio
from aiohttp import web

from server.domain.rate_limits import ConnectionLimiter
from server.engineio.connection import EventDispatcher
from server.engineio.engineio_server import EngineIOServer
from server.engineio.options import EngineIOOptions
from server.observability.supervision import Supervisor
from tui_chat.protocol import codec

library_log = logging.getLogger("chat.engineio.library")
library_log.setLevel(logging.WARNING)  # INFO would log message texts

SOCKETIO_PATH = "/socket.io/"
"""Path of the endpoint."""


class SocketIOServer(socketio.AsyncServer):
    """Socket.IO endpoint: `mount` the endpoint on an application, then start `engineio_server`.

    The arguments are those of `EngineIOServer.configure`.

    Attributes:
        engineio_server: All sessions of the endpoint.
    """

    def __init__(
        self,
        dispatcher: EventDispatcher,
        options: EngineIOOptions,
        connection_limiter: ConnectionLimiter | None,
        supervisor: Supervisor,
    ) -> None:
        # Unknown keyword arguments reach the class returned by `_engineio_server_class`.
        super().__init__(
            async_mode="aiohttp",
            client_manager=socketio.AsyncManager(),
            json=codec.SocketIOJson,
            logger=cast(bool, library_log),  # annotated as bool, accepts a logger
            engineio_logger=library_log,
            monitor_clients=False,
            http_compression=False,
            max_http_buffer_size=options.max_packet_bytes,
            ping_interval=options.ping_interval,
            ping_timeout=options.ping_timeout,
        )
        self.engineio_server = cast(EngineIOServer, self.eio)
        self.engineio_server.configure(dispatcher, options, connection_limiter, supervisor)

    def mount(self, app: web.Application, path: str = SOCKETIO_PATH) -> None:
        """Add the endpoint to an application at `path`, for all methods."""
        self.attach(app, socketio_path=path)
        # aiohttp answers methods without a route with 405; the specification requires 400.
        app.router.add_route("*", path, self.engineio_server.handle_request)

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return EngineIOServer
