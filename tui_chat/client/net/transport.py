"""One connection to a server, from its making to its end.

Rule 1  A transport is made once and ends once; a new attempt is a new one. What the
        library keeps (a session, sockets, tasks) ends with it.
Rule 2  Every request is answered, or fails: with the server's error, or with
        `ConnectionLost` when the connection ended first.
Rule 3  A silent connection ends. The server's pings must come (Engine.IO v4, "ping
        timeout"), the server must answer a WebSocket ping (RFC 6455, 5.5.2), and when a
        request is not answered in time although nothing else came either, the
        connection is taken for dead.
Rule 4  What kind of server this is shows in the answer to the first join (`join`). To a
        plain one nothing is sent but joining and talking: it would never answer.
Rule 5  Closing takes at most `CLOSE_TIMEOUT` seconds, be the network what it may.

Only this module and `timed_socket` import socketio and aiohttp, which cost 200 ms; `Link` imports it
in a thread when the first connection is made.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import socketio
from msgspec import Raw

from tui_chat.client import sanitize
from tui_chat.client.errors import ConnectionLost, Unreachable, UnsupportedByServer
from tui_chat.client.net import basic_server
from tui_chat.client.net.packets import Packet
from tui_chat.client.net.ping_websocket import PingWebSocket
from tui_chat.protocol import names
from tui_chat.protocol.codec import SocketIOJson, WireStructT, decode_response, request_to_builtins
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import JoinRoom, Request
from tui_chat.protocol.responses import JoinResponse

CONNECT_TIMEOUT = 10.0
RESPONSE_TIMEOUT = 10.0
"""Seconds of silence after which an unanswered request means that the connection is dead."""
CLOSE_TIMEOUT = 2.0
HEARTBEAT_INTERVAL = 15.0
"""Seconds between WebSocket pings; half as long without the answer ends the connection."""
MAX_FRAME_BYTES = 8 * 1024 * 1024
"""A page of 200 messages at their longest is 3.2 MB, the members of a large room 2 MB."""
BASIC_SERVER_TIMEOUT = 3.0
"""Seconds without an answer to the first join after which the server is asked what it is."""
MAX_HEALTH_BYTES = 4096
MAX_RETRY_AFTER = 60.0
MAX_REASON_LENGTH = 300

log = logging.getLogger("chat.client")

PushHandler = Callable[[str, bytes], None]
"""Takes the name and the body (JSON) of each push, in order."""

# Below ERROR the libraries would log what people say, at `info`.
_LIBRARY_LOG = logging.getLogger("chat.client.library")
_LIBRARY_LOG.setLevel(logging.ERROR)

# The library has no types; this is its surface as far as it is used here.
_socketio = cast(Any, socketio)


class Transport:
    """One connection; `Transport.open` makes it.

    Attributes:
        plain_room: The key of the room that was joined, when the server is a plain one; None otherwise.
    """

    def __init__(self, url: str, on_push: PushHandler, tls: ssl.SSLContext | bool, clock: Callable[[], float]) -> None:
        self._url = url
        self._on_push = on_push
        self._clock = clock
        self._last_received_at = clock()
        self._sockets: list[socket.socket] = []
        self._websockets: list[PingWebSocket] = []
        self._pending_responses: set[asyncio.Future[bytes]] = set()
        self._refusal_reason = ""
        self._connect_answered = asyncio.Event()  # by the server, to our CONNECT
        self._is_accepted = False
        self.basic_room: str | None = None
        self._is_native = False
        self._joining_room: str | None = None
        self._first_join_lock = asyncio.Lock()
        self._basic_push_received = asyncio.Event()
        connector = aiohttp.TCPConnector(ssl=tls, socket_factory=self._create_socket)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            ws_response_class=cast(type[PingWebSocket], self._create_websocket),  # called, never looked at
        )
        self._client = _socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            logger=_LIBRARY_LOG,
            engineio_logger=_LIBRARY_LOG,
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
        self._client.on("connect", self._on_connect)
        self._client.on("connect_error", self._on_connect_error)
        self._watch_task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        url: str,
        on_push: PushHandler,
        *,
        ca_file: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        timeout: float = CONNECT_TIMEOUT,
    ) -> "Transport":
        """Connect.

        Args:
            url: `http://host:port` or `https://host:port`.
            on_push: Called in the event loop; it must not raise.
            ca_file: Certificates (PEM) to trust instead of the system's.
            clock: Seconds that never go back.
            patience: Seconds to wait for the server.

        Raises:
            Unreachable: It could not be done; the message says why.
        """
        transport = cls(url, on_push, _create_ssl_context(url, ca_file), clock)
        try:
            await transport._connect(timeout)
        except BaseException:
            await transport._cleanup()
            raise
        transport._watch_task = asyncio.create_task(transport._watch(), name="chat connection")
        return transport

    async def request(self, request: Request, response_type: type[WireStructT]) -> WireStructT:
        """Ask, and wait for the answer as long as the connection shows life.

        Args:
            request: What to ask.
            kind: The kind of its answer.

        Raises:
            ChatError: The server refused.
            ConnectionLost: The connection ended before the answer came.
        """
        if self.basic_room is not None:
            raise UnsupportedByServer("this is a plain server: it knows only joining and talking")
        async with self._send_request(request) as response:
            await self._wait_for_response(response)
            return _decode_response(response_type, response.result())

    async def join(self, request: JoinRoom) -> JoinResponse | None:
        """Join a room; the first time on a connection this finds out what kind of server it is.

        Returns:
            The answer; None from a plain server, which does not give one.

        Raises:
            ChatError: As `request`; `NotServed` for a second room on a plain server,
                which does not say in which room something is said.
        """
        async with self._first_join_lock:
            if not self._is_native and self.basic_room is None:
                return await self._join_and_detect(request)
        if self.basic_room not in (None, names.canonical_key(request.room_name)):
            raise UnsupportedByServer("this is a plain server: one room at a time")
        return None if self.basic_room is not None else await self.request(request, JoinResponse)

    async def _join_and_detect(self, request: JoinRoom) -> JoinResponse | None:
        self._joining_room = names.canonical_key(request.room_name)
        async with self._send_request(request) as response:
            push_task = asyncio.ensure_future(self._basic_push_received.wait())
            try:
                await asyncio.wait(
                    {response, push_task}, timeout=BASIC_SERVER_TIMEOUT, return_when=asyncio.FIRST_COMPLETED
                )
                if not response.done() and not push_task.done() and await self._is_native_or_dead():
                    await self._wait_for_response(response)
            finally:
                push_task.cancel()
            body = response.result() if response.done() else b""
        if self._basic_push_received.is_set() or not basic_server.is_native_ack(body):
            log.info("this is a plain server")
            self.basic_room = self._joining_room
            return None
        self._is_native = True
        return _decode_response(JoinResponse, body)

    async def _is_native_or_dead(self) -> bool:
        """Whether the server, which does not answer, is a chat server all the same, or dead."""
        try:
            async with asyncio.timeout(BASIC_SERVER_TIMEOUT):
                await self.ping()
        except (TimeoutError, ConnectionLost):
            return True
        try:
            async with asyncio.timeout(BASIC_SERVER_TIMEOUT), self._session.get(self._url + "/health") as http_response:
                health = SocketIOJson.loads(await http_response.content.read(MAX_HEALTH_BYTES))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return False
        return isinstance(health, dict) and cast(dict[str, Any], health).get("service") == "chat-server"

    @asynccontextmanager
    async def _send_request(self, request: Request) -> AsyncGenerator[asyncio.Future[bytes]]:
        """Send a request; what it gives is the answer to come, for as long as the context lasts."""
        if self._watch_task is None or self._watch_task.done():
            raise ConnectionLost("the connection to the server is lost")
        response: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        await self._emit(request, response)
        self._pending_responses.add(response)
        try:
            yield response
        finally:
            self._pending_responses.discard(response)
            response.cancel()

    async def ping(self) -> float:
        """The seconds from a ping to its answer, however long that takes.

        Raises:
            ConnectionLost: The connection has ended.
        """
        ws = self._client.eio.ws
        if ws is None:
            raise ConnectionLost("the connection to the server is lost")
        try:
            return await ws.measure_latency()
        except OSError:
            raise ConnectionLost("the connection to the server is lost") from None

    async def send(self, request: Request) -> None:
        """Send a request whose answer nobody needs.

        Raises:
            ConnectionLost: The connection has ended.
        """
        await self._emit(request, None)

    async def wait_closed(self) -> None:
        """Wait until the connection is no more."""
        if self._watch_task is not None:
            await asyncio.shield(self._watch_task)

    async def close(self) -> None:
        """End the connection, and leave nothing behind."""
        disconnect_task = asyncio.create_task(self._client.disconnect())
        await asyncio.wait({disconnect_task}, timeout=CLOSE_TIMEOUT)
        self.abort()
        await asyncio.wait({disconnect_task})
        if (error := disconnect_task.exception()) is not None:
            log.debug("closing a connection that was broken: %s", type(error).__name__)
        await self.wait_closed()

    def abort(self) -> None:
        """End the connection at once, without a word; `ended` returns soon after."""
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed, or never was connected

    async def _connect(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                # The library would wait out its time for the answer to CONNECT on a connection that has ended.
                await self._client.connect(self._url, transports=["websocket"], wait=False)
                await self._wait_connect_answer()
        except TimeoutError:
            raise Unreachable("the server does not answer") from None
        except Exception as error:
            # The library raises its own error, or whatever reading a foreign server's words brought up.
            raise Unreachable(self._refusal_reason or _connect_error_text(error)) from error
        if not self._is_accepted:
            raise Unreachable(self._refusal_reason or "the server closed the connection")

    async def _wait_connect_answer(self) -> None:
        """Wait until the server has answered CONNECT, or the connection has ended."""
        answered_task = asyncio.ensure_future(self._connect_answered.wait())
        # Never cancelled: that would cancel the library's reading, too.
        ended_task = asyncio.ensure_future(self._client.eio.wait())
        try:
            await asyncio.wait({answered_task, ended_task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered_task.cancel()

    async def _emit(self, request: Request, response: "asyncio.Future[bytes] | None") -> None:
        def on_ack(*arguments: Raw) -> None:
            self._last_received_at = self._clock()
            body = bytes(arguments[0]) if arguments else b""
            if response is not None and not response.done():
                response.set_result(body)
            elif self.basic_room is not None and basic_server.is_native_ack(body):
                log.warning("the server is no plain one after all, only slow: it is connected to anew")
                self.abort()

        ack_callback = None if response is None else on_ack
        try:
            await self._client.emit(request.event, request_to_builtins(request), callback=ack_callback)
        except _socketio.exceptions.SocketIOError:
            # The server may have ended its namespace alone; then the rest goes too.
            self.abort()
            raise ConnectionLost("the connection to the server is lost") from None

    async def _wait_for_response(self, response: "asyncio.Future[bytes]") -> None:
        while not response.done():
            waiting_since = self._clock()
            await asyncio.wait({response}, timeout=RESPONSE_TIMEOUT)
            if not response.done() and self._last_received_at < waiting_since:
                log.info("the server is silent; the connection is given up")
                self.abort()
                raise ConnectionLost("the server does not answer")

    async def _watch(self) -> None:
        await self._client.eio.wait()
        await self._cleanup()
        for response in self._pending_responses:
            if not response.done():
                response.set_exception(ConnectionLost("the connection to the server is lost"))

    async def _cleanup(self) -> None:
        self.abort()
        await self._client.eio.wait()
        # After a missing ping, or when the server dies during the handshake, the library leaves its WebSocket open.
        for websocket in self._websockets:
            await websocket.close()
        await self._session.close()

    def _handle_push(self, event: str, *arguments: Raw) -> None:
        self._last_received_at = self._clock()
        if arguments:
            body = bytes(arguments[0])
            if (
                self._joining_room is not None
                and not self._is_native
                and basic_server.decode_basic_push(event, body) is not None
            ):
                self.basic_room = self._joining_room
                self._basic_push_received.set()
            self._on_push(event, body)

    def _on_connect(self) -> None:
        self._is_accepted = True
        self._connect_answered.set()

    def _on_connect_error(self, reason: Any = None) -> None:
        self._connect_answered.set()
        if isinstance(reason, dict):
            self._refusal_reason = _sanitize_reason(str(cast(dict[str, Any], reason).get("message", "")))

    def _create_websocket(self, *args: Any, **kwargs: Any) -> PingWebSocket:
        websocket = PingWebSocket(*args, **kwargs)
        self._websockets.append(websocket)
        return websocket

    def _create_socket(self, address_info: Any) -> socket.socket:
        family, socket_type, protocol, _, _ = address_info
        sock = socket.socket(family=family, type=socket_type, proto=protocol)
        self._sockets.append(sock)
        return sock


def _decode_response(response_type: type[WireStructT], body: bytes) -> WireStructT:
    try:
        return decode_response(response_type, body)
    except ChatError as error:
        raise _sanitize_error(error) from None


def _sanitize_error(error: ChatError) -> ChatError:
    """The server's error, as it may be shown and waited for."""
    retry_after = error.retry_after
    return type(error)(
        _sanitize_reason(error.message), None if retry_after is None else min(max(retry_after, 0.0), MAX_RETRY_AFTER)
    )


def _sanitize_reason(reason: str) -> str:
    return sanitize.line(reason)[:MAX_REASON_LENGTH]


def _create_ssl_context(url: str, ca_file: str | None) -> ssl.SSLContext | bool:
    if not url.startswith("https:"):
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise Unreachable(f"{ca_file}: there are no certificates in it") from None
    except OSError as error:
        raise Unreachable(f"{ca_file}: {error.strerror or 'it cannot be read'}") from None


def _connect_error_text(error: BaseException) -> str:
    """Why no connection was made, in a sentence; the library hides the cause two levels deep."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case aiohttp.ClientConnectorDNSError():
                return "there is no host of this name"
            case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
                return "the server's certificate is not trusted"
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return "the server does not speak TLS at this port"
            case aiohttp.WSServerHandshakeError(status=429 | 503):
                return "the server takes no more connections now"
            case aiohttp.WSServerHandshakeError():
                return f"what answers there is no chat server (HTTP status {cause.status})"
            case aiohttp.ClientConnectorError():
                return _os_error_text(cause.os_error)
            case aiohttp.InvalidURL():
                return "the address is not valid"
            case _:
                cause = cause.__cause__ or cause.__context__
    return "what answers there is no chat server"


def _os_error_text(error: OSError) -> str:
    match error:
        case ConnectionRefusedError():
            return "nothing answers at this address and port"
        case TimeoutError():
            return "the server does not answer"
        case _:
            return f"the server cannot be reached ({error.strerror or type(error).__name__})"
