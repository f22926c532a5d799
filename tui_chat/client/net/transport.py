"""Single Socket.IO connection to a server.

- Lifetime: a transport connects once and closes once, together with the HTTP session, sockets and tasks of the library.
- Responses: each request completes with a response, the server's error or `ConnectionLost`.
- Dead peers: a connection closes after missing server pings (Engine.IO v4, "ping timeout"), after a missing pong
  (RFC 6455, section 5.5.2), or after an unanswered request without responses and pushes.
- Server type: the first `joinRoom` identifies basic servers, which then receive only `joinRoom` and `sendMessage`.
- Requests without a join: an `unobserve` request without effect first tests the support of the server.
- Import time: socketio and aiohttp load in 200 ms. `Connector` imports this module in a thread.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import aiohttp
import socketio
from msgspec import Raw

from tui_chat.client.errors import ConnectionLost, Unreachable, UnsupportedByServer
from tui_chat.client.log import log
from tui_chat.client.net import basic_codec, connect_errors
from tui_chat.client.net.packets import Packet
from tui_chat.client.net.ping_websocket import PingWebSocket
from tui_chat.protocol import names
from tui_chat.protocol.codec import SocketIOJson, WireStructT
from tui_chat.protocol.errors import BadRequest, Unauthorized
from tui_chat.protocol.events import AUTH_FAIL
from tui_chat.protocol.requests import JoinRoom, Observe, Request, SendMessage, Unobserve
from tui_chat.protocol.responses import Empty, JoinResponse

CONNECT_TIMEOUT = 10.0
"""Default time limit of a connection attempt, in seconds."""
RESPONSE_TIMEOUT = 10.0
"""Time without traffic after which a pending request indicates a dead connection, in seconds."""
CLOSE_TIMEOUT = 2.0
"""Time limit of the closing handshake, in seconds."""
HEARTBEAT_INTERVAL = 15.0
"""Interval of WebSocket pings in seconds; a pong must arrive within half of the interval."""
MAX_FRAME_BYTES = 8 * 1024 * 1024
"""Maximum size of a received frame: 200 messages of maximum length take 3.2 MB, a large member list 2 MB."""
BASIC_SERVER_TIMEOUT = 3.0
"""Time limit of each step that identifies a basic server, in seconds."""
MAX_HEALTH_BYTES = 4096
"""Read limit of a `/health` response."""

PushHandler = Callable[[str, bytes], None]
"""Callback for the event name and JSON body of each push, in order."""

# At INFO, the libraries log the texts of messages.
library_log = logging.getLogger("chat.client.library")
library_log.setLevel(logging.ERROR)

# python-socketio has no type annotations.
_socketio = cast(Any, socketio)


class Transport:
    """Open connection, created by `Transport.open`.

    Attributes:
        basic_room: Canonical key of the joined room on a basic server, None before the join and on a chat server.
        auth_error: Error of a rejected token, which also closes the connection; None without one.
    """

    def __init__(self, url: str, on_push: PushHandler, tls: ssl.SSLContext | bool) -> None:
        self._url = url
        self._on_push = on_push
        self._last_received_at = time.monotonic()
        self._sockets: list[socket.socket] = []
        self._websockets: list[PingWebSocket] = []
        self._pending_responses: set[asyncio.Future[bytes]] = set()
        self._rejection: Unreachable | Unauthorized | None = None
        self.auth_error: Unauthorized | None = None
        self._is_accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.basic_room: str | None = None
        self._is_native = False
        self._joining_room: str | None = None
        self._supports_observers: bool | None = None
        self._detection_lock = asyncio.Lock()
        self._basic_push_received: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, socket_factory=self._create_socket),
            cookie_jar=aiohttp.DummyCookieJar(),
            # aiohttp only calls this class, so a factory function suffices.
            ws_response_class=cast(type[PingWebSocket], self._create_websocket),
        )
        self._client = _socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            logger=library_log,
            engineio_logger=library_log,
            serializer=Packet,
            json=SocketIOJson,
            http_session=self._session,
            request_timeout=CLOSE_TIMEOUT,
            timestamp_requests=False,
            websocket_extra_options={
                "heartbeat": HEARTBEAT_INTERVAL,
                "max_msg_size": MAX_FRAME_BYTES,
                "autoping": False,
            },
        )
        self._client.on("*", self._handle_push)
        self._client.on("connect", lambda: self._on_connect_response(True))
        self._client.on("connect_error", self._on_connect_error)
        self._watch_task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        url: str,
        on_push: PushHandler,
        *,
        token: str | None = None,
        ca_file: str | None = None,
        timeout: float = CONNECT_TIMEOUT,
    ) -> "Transport":
        """Open a connection.

        Args:
            url: Base URL of the server.
            on_push: Callback in the event loop; must not raise.
            token: Token of an account, None for a guest.
            ca_file: PEM file with trusted certificates, None for the system's.
            timeout: Time limit for the connection and the handshake in seconds.

        Raises:
            Unreachable: The attempt failed, or `ca_file` is not readable.
            Unauthorized: The server rejected the token with CONNECT_ERROR; `authFail` after CONNECT sets `auth_error`.
        """
        transport = cls(url, on_push, connect_errors.create_ssl_context(url, ca_file))
        try:
            await transport._connect(timeout, token)
            transport._watch_task = asyncio.create_task(transport._watch(), name="connection watcher")
        except BaseException:
            await transport._cleanup()
            raise
        return transport

    async def request(self, request: Request, response_type: type[WireStructT]) -> WireStructT:
        """Send a request and wait for the response while the connection is alive.

        `RESPONSE_TIMEOUT` seconds without a response or push abort the connection. An `unobserve` request may precede.

        Raises:
            ChatError: The server rejected the request, the response is invalid, or a field has a lone surrogate.
            ConnectionLost: The connection closed before the response.
            UnsupportedByServer: A basic server, or no support for requests without a join; the request is not sent.
        """
        if self.basic_room is not None:
            raise UnsupportedByServer("basic_server_only_sends")
        if isinstance(request, Observe) or (isinstance(request, SendMessage) and request.author is not None):
            await self._require_observer_support(request.room)
        async with self._send_request(request) as response:
            await self._wait_for_response(response)
            return connect_errors.decode_sanitized(response_type, response.result())

    async def join(self, request: JoinRoom) -> JoinResponse | None:
        """Join a room; the first join of a connection determines the server type. None from a basic server.

        A second join of the room on a basic server sends nothing. Raises as `request`, and `UnsupportedByServer` for a
        second room on a basic server, whose pushes contain no room name.
        """
        async with self._detection_lock:
            if not self._is_native and self.basic_room is None:
                self._joining_room = names.canonical_key(request.room_name)
                body = await self._request_and_detect(request)
                if body is None:
                    log.info("basic server detected: history and delivery state are unavailable")
                    self.basic_room = self._joining_room
                    return None
                return connect_errors.decode_sanitized(JoinResponse, body)
        if self.basic_room not in (None, names.canonical_key(request.room_name)):
            raise UnsupportedByServer("basic_server_one_room")
        return None if self.basic_room is not None else await self.request(request, JoinResponse)

    async def _require_observer_support(self, room: str) -> None:
        """Raise `UnsupportedByServer` if the server requires a join, tested once; test errors propagate."""
        async with self._detection_lock:
            if self._supports_observers is None:
                body = await self._request_and_detect(Unobserve(room=room))
                try:
                    self._supports_observers = body is not None and bool(connect_errors.decode_sanitized(Empty, body))
                except BadRequest:
                    self._supports_observers = False
        if not self._supports_observers:
            raise UnsupportedByServer("observers_unsupported")

    async def _request_and_detect(self, request: Request) -> bytes | None:
        """Detect the server type by a request; return the response, None from a basic server. Raises as `send`.

        A server is basic if its response has no `ok`, or if a basic message precedes the response. Without a response
        in `BASIC_SERVER_TIMEOUT`, a server is basic unless `_is_native_or_dead`.
        """
        async with self._send_request(request) as response:
            first_results = {response, self._basic_push_received}
            await asyncio.wait(first_results, timeout=BASIC_SERVER_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
            if not any(result.done() for result in first_results) and await self._is_native_or_dead():
                await self._wait_for_response(response)
            body = response.result() if response.done() else b""
        self._is_native = not self._basic_push_received.done() and basic_codec.is_native_ack(body)
        return body if self._is_native else None

    async def _is_native_or_dead(self) -> bool:
        """Return whether a peer does not answer a ping, or has the `/health` of a chat server."""
        try:
            async with asyncio.timeout(BASIC_SERVER_TIMEOUT):
                await self.ping()
        except (TimeoutError, ConnectionLost):
            return True
        try:
            async with asyncio.timeout(BASIC_SERVER_TIMEOUT), self._session.get(self._url + "/health") as http_response:
                return basic_codec.is_native_health(await http_response.content.read(MAX_HEALTH_BYTES))
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False

    @asynccontextmanager
    async def _send_request(self, request: Request) -> AsyncGenerator[asyncio.Future[bytes]]:
        """Send a request and yield the future of its response, or of `ConnectionLost`; raises as `send`."""
        if self._watch_task is None or self._watch_task.done():
            raise ConnectionLost("not_connected")
        response: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        await self.send(request, response)
        self._pending_responses.add(response)
        try:
            yield response
        finally:
            self._pending_responses.discard(response)
            response.cancel()

    async def ping(self) -> float:
        """Return the round-trip time of a ping in seconds; raise `ConnectionLost` on a closed connection.

        The call does not return if the connection closes before the pong.
        """
        ws = self._client.eio.ws
        if ws is None:
            raise ConnectionLost("not_connected")
        try:
            return await ws.measure_latency()
        except OSError:
            raise ConnectionLost("not_connected") from None

    async def wait_closed(self) -> None:
        """Wait until the connection has ended, for any cause; return at once if never opened."""
        if self._watch_task is not None:
            await asyncio.shield(self._watch_task)

    async def close(self) -> None:
        """Close the connection within `CLOSE_TIMEOUT`, and release sockets, tasks and HTTP session; idempotent."""
        disconnect_task = asyncio.create_task(self._client.disconnect())
        await asyncio.wait({disconnect_task}, timeout=CLOSE_TIMEOUT)
        self.abort()
        await asyncio.wait({disconnect_task})
        if not disconnect_task.cancelled() and (error := disconnect_task.exception()) is not None:
            log.debug("closing handshake failed: connection aborted", exc_info=error)
        await self.wait_closed()

    def abort(self) -> None:
        """Shut down the sockets without a closing handshake; `wait_closed` returns soon after."""
        for sock in self._sockets:
            with suppress(OSError):  # already closed, or never connected
                sock.shutdown(socket.SHUT_RDWR)

    async def _connect(self, timeout: float, token: str | None) -> None:
        """Connect and wait for the response to CONNECT; raises as `open`."""
        try:
            async with asyncio.timeout(timeout):
                # With `wait=True` the library waits for its full timeout even if the connection closes.
                auth = {"token": token} if token is not None else None
                await self._client.connect(self._url, auth=auth, transports=["websocket"], wait=False)
                # Not cancelled, because the cancellation would propagate to the library's read loop.
                ended_task = asyncio.ensure_future(self._client.eio.wait())
                await asyncio.wait({self._is_accepted, ended_task}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise Unreachable("server_silent") from None
        except Exception as error:
            # The library also lets decoding errors of malformed server responses propagate.
            raise self._rejection or connect_errors.connect_error(error) from error
        if not self._is_accepted.done() or not self._is_accepted.result():
            raise self.auth_error or self._rejection or Unreachable("server_closed")

    async def send(self, request: Request, response: "asyncio.Future[bytes] | None" = None) -> None:
        """Send a request without waiting for the response, to basic servers too.

        A late `response` of a chat server that counted as basic aborts the connection.

        Args:
            request: Request to send.
            response: Future for the response, not completed at the end of the connection; None to ignore the response.

        Raises:
            BadRequest: A field contains a lone surrogate; nothing was sent.
            ConnectionLost: The connection is closed.
        """

        def on_ack(*arguments: Raw) -> None:
            self._last_received_at = time.monotonic()
            body = bytes(arguments[0]) if arguments else b""
            if response is not None and not response.done():
                response.set_result(body)
            elif self.basic_room is not None and basic_codec.is_native_ack(body):
                log.warning("late response of a chat server: not a basic server, reconnecting")
                self.abort()

        try:
            await self._client.emit(request.event, request, callback=on_ack if response else None)
        except UnicodeEncodeError:
            raise BadRequest("text_unencodable") from None
        except _socketio.exceptions.SocketIOError:
            # The error may concern only the namespace, without which the connection is of no use.
            self.abort()
            raise ConnectionLost("not_connected") from None

    async def _wait_for_response(self, response: "asyncio.Future[bytes]") -> None:
        """Wait for a response; after `RESPONSE_TIMEOUT` without traffic, abort and raise `ConnectionLost`."""
        while not response.done():
            waiting_since = time.monotonic()
            await asyncio.wait({response}, timeout=RESPONSE_TIMEOUT)
            if not response.done() and self._last_received_at < waiting_since:
                log.info("no response and no traffic: connection aborted")
                self.abort()
                raise ConnectionLost("server_silent")

    async def _watch(self) -> None:
        """Wait for the end of the connection, release its resources, and fail the pending requests; log exceptions."""
        try:
            await self._client.eio.wait()
            await self._cleanup()
        except Exception:
            log.exception("connection watcher failed: connection aborted")
        finally:
            await self._session.close()
            for response in self._pending_responses:
                if not response.done():
                    response.set_exception(ConnectionLost("not_connected"))

    async def _cleanup(self) -> None:
        """Abort the connection, wait for its end, and close WebSockets and HTTP session."""
        self.abort()
        try:
            await self._client.eio.wait()
            # The library does not close the WebSocket after a ping timeout or a failed handshake.
            for websocket in self._websockets:
                await websocket.close()
        finally:
            await self._session.close()

    def _handle_push(self, event: str, *arguments: Raw) -> None:
        """Pass the first argument of a push, if any, to `on_push`; `authFail` only sets `auth_error` and aborts.

        A basic message before the response to the first join sets `basic_room` first.
        """
        self._last_received_at = time.monotonic()
        if event == AUTH_FAIL:
            self.auth_error = connect_errors.auth_error(bytes(arguments[0]) if arguments else b"")
            self.abort()
        elif arguments:
            body = bytes(arguments[0])
            if (
                self._joining_room is not None
                and not (self._is_native or self._basic_push_received.done())
                and basic_codec.decode_basic_push(event, body) is not None
            ):
                self.basic_room = self._joining_room
                self._basic_push_received.set_result(None)
            self._on_push(event, body)

    def _on_connect_response(self, is_accepted: bool) -> None:
        if not self._is_accepted.done():
            self._is_accepted.set_result(is_accepted)

    def _on_connect_error(self, reason: Any = None) -> None:
        self._on_connect_response(False)
        self._rejection = connect_errors.rejection_error(reason)

    def _create_websocket(self, *args: Any, **kwargs: Any) -> PingWebSocket:
        websocket = PingWebSocket(*args, **kwargs)
        self._websockets.append(websocket)
        return websocket

    def _create_socket(self, address_info: Any) -> socket.socket:
        sock = socket.socket(*address_info[:3])
        self._sockets.append(sock)
        return sock
