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

from server.protocol import names
from server.protocol.answers import JoinResponse
from server.protocol.codec import SocketIOJson, WireStructT, decode_response, request_to_builtins
from server.protocol.errors import ChatError
from server.protocol.requests import JoinRoom, Request
from tui_chat.client import cleaning, plain
from tui_chat.client.errors import ConnectionLost, NotServed, Unreachable
from tui_chat.client.packets import Packet
from tui_chat.client.timed_socket import TimedSocket

CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 10.0
"""Seconds of silence after which an unanswered request means that the connection is dead."""
CLOSE_TIMEOUT = 2.0
HEARTBEAT = 15.0
"""Seconds between WebSocket pings; half as long without the answer ends the connection."""
FRAME_BYTES = 8 * 1024 * 1024
"""A page of 200 messages at their longest is 3.2 MB, the members of a large room 2 MB."""
PLAIN_AFTER = 3.0
"""Seconds without an answer to the first join after which the server is asked what it is."""
HEALTH_BYTES = 4096
RETRY_AFTER_MAX = 60.0
REASON_CHARACTERS = 300

log = logging.getLogger("chat.client")

OnPush = Callable[[str, bytes], None]
"""Takes the name and the body (JSON) of each push, in order."""

# Below ERROR the libraries would log what people say, at `info`.
_LIBRARIES = logging.getLogger("chat.client.library")
_LIBRARIES.setLevel(logging.ERROR)

# The library has no types; this is its surface as far as it is used here.
_socketio = cast(Any, socketio)


class Transport:
    """One connection; `Transport.open` makes it.

    Attributes:
        plain_room: The key of the room that was joined, when the server is a plain one; None otherwise.
    """

    def __init__(self, url: str, on_push: OnPush, tls: ssl.SSLContext | bool, clock: Callable[[], float]) -> None:
        self._url = url
        self._on_push = on_push
        self._clock = clock
        self._heard = clock()
        self._sockets: list[socket.socket] = []
        self._websockets: list[TimedSocket] = []
        self._pending: set[asyncio.Future[bytes]] = set()
        self._refusal = ""
        self._answered = asyncio.Event()  # by the server, to our CONNECT
        self._let_in = False
        self.plain_room: str | None = None
        self._is_native = False
        self._joining: str | None = None
        self._first_join = asyncio.Lock()
        self._spoke_plainly = asyncio.Event()
        connector = aiohttp.TCPConnector(ssl=tls, socket_factory=self._new_socket)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            ws_response_class=cast(type[TimedSocket], self._new_websocket),  # called, never looked at
        )
        self._client = _socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            logger=_LIBRARIES,
            engineio_logger=_LIBRARIES,
            serializer=Packet,
            json=SocketIOJson,
            http_session=self._session,
            request_timeout=CLOSE_TIMEOUT,
            timestamp_requests=False,
            websocket_extra_options={"heartbeat": HEARTBEAT, "max_msg_size": FRAME_BYTES, "autoping": False},
        )
        self._client.on("*", self._pushed)
        self._client.on("connect", self._entered)
        self._client.on("connect_error", self._refused)
        self._end: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        url: str,
        on_push: OnPush,
        *,
        ca_file: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        patience: float = CONNECT_TIMEOUT,
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
        transport = cls(url, on_push, _trust(url, ca_file), clock)
        try:
            await transport._connect(patience)
        except BaseException:
            await transport._clear_away()
            raise
        transport._end = asyncio.create_task(transport._watch(), name="chat connection")
        return transport

    async def request(self, request: Request, kind: type[WireStructT]) -> WireStructT:
        """Ask, and wait for the answer as long as the connection shows life.

        Args:
            request: What to ask.
            kind: The kind of its answer.

        Raises:
            ChatError: The server refused.
            ConnectionLost: The connection ended before the answer came.
        """
        if self.plain_room is not None:
            raise NotServed("this is a plain server: it knows only joining and talking")
        async with self._asked(request) as answer:
            await self._wait_for(answer)
            return _decoded(kind, answer.result())

    async def join(self, request: JoinRoom) -> JoinResponse | None:
        """Join a room; the first time on a connection this finds out what kind of server it is.

        Returns:
            The answer; None from a plain server, which does not give one.

        Raises:
            ChatError: As `request`; `NotServed` for a second room on a plain server,
                which does not say in which room something is said.
        """
        async with self._first_join:
            if not self._is_native and self.plain_room is None:
                return await self._join_first(request)
        if self.plain_room not in (None, names.canonical_key(request.room_name)):
            raise NotServed("this is a plain server: one room at a time")
        return None if self.plain_room is not None else await self.request(request, JoinResponse)

    async def _join_first(self, request: JoinRoom) -> JoinResponse | None:
        self._joining = names.canonical_key(request.room_name)
        async with self._asked(request) as answer:
            spoke = asyncio.ensure_future(self._spoke_plainly.wait())
            try:
                await asyncio.wait({answer, spoke}, timeout=PLAIN_AFTER, return_when=asyncio.FIRST_COMPLETED)
                if not answer.done() and not spoke.done() and await self._is_slow():
                    await self._wait_for(answer)
            finally:
                spoke.cancel()
            body = answer.result() if answer.done() else b""
        if self._spoke_plainly.is_set() or not plain.is_outcome(body):
            log.info("this is a plain server")
            self.plain_room = self._joining
            return None
        self._is_native = True
        return _decoded(JoinResponse, body)

    async def _is_slow(self) -> bool:
        """Whether the server, which does not answer, is a chat server all the same, or dead."""
        try:
            async with asyncio.timeout(PLAIN_AFTER):
                await self.measure()
        except (TimeoutError, ConnectionLost):
            return True
        try:
            async with asyncio.timeout(PLAIN_AFTER), self._session.get(self._url + "/health") as response:
                health = SocketIOJson.loads(await response.content.read(HEALTH_BYTES))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return False
        return isinstance(health, dict) and cast(dict[str, Any], health).get("service") == "chat-server"

    @asynccontextmanager
    async def _asked(self, request: Request) -> AsyncGenerator[asyncio.Future[bytes]]:
        """Send a request; what it gives is the answer to come, for as long as the context lasts."""
        if self._end is None or self._end.done():
            raise ConnectionLost("the connection to the server is lost")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        await self._emit(request, answer)
        self._pending.add(answer)
        try:
            yield answer
        finally:
            self._pending.discard(answer)
            answer.cancel()

    async def measure(self) -> float:
        """The seconds from a ping to its answer, however long that takes.

        Raises:
            ConnectionLost: The connection has ended.
        """
        ws = self._client.eio.ws
        if ws is None:
            raise ConnectionLost("the connection to the server is lost")
        try:
            return await ws.round_trip()
        except OSError:
            raise ConnectionLost("the connection to the server is lost") from None

    async def tell(self, request: Request) -> None:
        """Send a request whose answer nobody needs.

        Raises:
            ConnectionLost: The connection has ended.
        """
        await self._emit(request, None)

    async def ended(self) -> None:
        """Wait until the connection is no more."""
        if self._end is not None:
            await asyncio.shield(self._end)

    async def close(self) -> None:
        """End the connection, and leave nothing behind."""
        farewell = asyncio.create_task(self._client.disconnect())
        await asyncio.wait({farewell}, timeout=CLOSE_TIMEOUT)
        self.cut()
        await asyncio.wait({farewell})
        if (fault := farewell.exception()) is not None:
            log.debug("closing a connection that was broken: %s", type(fault).__name__)
        await self.ended()

    def cut(self) -> None:
        """End the connection at once, without a word; `ended` returns soon after."""
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed, or never was connected

    async def _connect(self, patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                # The library would wait out its time for the answer to CONNECT on a connection that has ended.
                await self._client.connect(self._url, transports=["websocket"], wait=False)
                await self._answer_to_connect()
        except TimeoutError:
            raise Unreachable("the server does not answer") from None
        except Exception as fault:
            # The library raises its own error, or whatever reading a foreign server's words brought up.
            raise Unreachable(self._refusal or _reason(fault)) from fault
        if not self._let_in:
            raise Unreachable(self._refusal or "the server closed the connection")

    async def _answer_to_connect(self) -> None:
        """Wait until the server has answered CONNECT, or the connection has ended."""
        answered = asyncio.ensure_future(self._answered.wait())
        # Never cancelled: that would cancel the library's reading, too.
        ended = asyncio.ensure_future(self._client.eio.wait())
        try:
            await asyncio.wait({answered, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered.cancel()

    async def _emit(self, request: Request, answer: "asyncio.Future[bytes] | None") -> None:
        def answered(*arguments: Raw) -> None:
            self._heard = self._clock()
            body = bytes(arguments[0]) if arguments else b""
            if answer is not None and not answer.done():
                answer.set_result(body)
            elif self.plain_room is not None and plain.is_outcome(body):
                log.warning("the server is no plain one after all, only slow: it is connected to anew")
                self.cut()

        callback = None if answer is None else answered
        try:
            await self._client.emit(request.event, request_to_builtins(request), callback=callback)
        except _socketio.exceptions.SocketIOError:
            # The server may have ended its namespace alone; then the rest goes too.
            self.cut()
            raise ConnectionLost("the connection to the server is lost") from None

    async def _wait_for(self, answer: "asyncio.Future[bytes]") -> None:
        while not answer.done():
            since = self._clock()
            await asyncio.wait({answer}, timeout=ANSWER_TIMEOUT)
            if not answer.done() and self._heard < since:
                log.info("the server is silent; the connection is given up")
                self.cut()
                raise ConnectionLost("the server does not answer")

    async def _watch(self) -> None:
        await self._client.eio.wait()
        await self._clear_away()
        for answer in self._pending:
            if not answer.done():
                answer.set_exception(ConnectionLost("the connection to the server is lost"))

    async def _clear_away(self) -> None:
        self.cut()
        await self._client.eio.wait()
        # After a missing ping, or when the server dies during the handshake, the library leaves its WebSocket open.
        for each in self._websockets:
            await each.close()
        await self._session.close()

    def _pushed(self, event: str, *arguments: Raw) -> None:
        self._heard = self._clock()
        if arguments:
            body = bytes(arguments[0])
            if self._joining is not None and not self._is_native and plain.said(event, body) is not None:
                self.plain_room = self._joining
                self._spoke_plainly.set()
            self._on_push(event, body)

    def _entered(self) -> None:
        self._let_in = True
        self._answered.set()

    def _refused(self, reason: Any = None) -> None:
        self._answered.set()
        if isinstance(reason, dict):
            self._refusal = _shown(str(cast(dict[str, Any], reason).get("message", "")))

    def _new_websocket(self, *given: Any, **named: Any) -> TimedSocket:
        made = TimedSocket(*given, **named)
        self._websockets.append(made)
        return made

    def _new_socket(self, info: Any) -> socket.socket:
        family, kind, protocol, _, _ = info
        made = socket.socket(family=family, type=kind, proto=protocol)
        self._sockets.append(made)
        return made


def _decoded(kind: type[WireStructT], body: bytes) -> WireStructT:
    try:
        return decode_response(kind, body)
    except ChatError as refusal:
        raise _bounded(refusal) from None


def _bounded(refusal: ChatError) -> ChatError:
    """The server's error, as it may be shown and waited for."""
    after = refusal.retry_after
    return type(refusal)(_shown(refusal.message), None if after is None else min(max(after, 0.0), RETRY_AFTER_MAX))


def _shown(reason: str) -> str:
    return cleaning.line(reason)[:REASON_CHARACTERS]


def _trust(url: str, ca_file: str | None) -> ssl.SSLContext | bool:
    if not url.startswith("https:"):
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise Unreachable(f"{ca_file}: there are no certificates in it") from None
    except OSError as fault:
        raise Unreachable(f"{ca_file}: {fault.strerror or 'it cannot be read'}") from None


def _reason(fault: BaseException) -> str:
    """Why no connection was made, in a sentence; the library hides the cause two levels deep."""
    cause: BaseException | None = fault
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
                return _os_reason(cause.os_error)
            case aiohttp.InvalidURL():
                return "the address is not valid"
            case _:
                cause = cause.__cause__ or cause.__context__
    return "what answers there is no chat server"


def _os_reason(fault: OSError) -> str:
    match fault:
        case ConnectionRefusedError():
            return "nothing answers at this address and port"
        case TimeoutError():
            return "the server does not answer"
        case _:
            return f"the server cannot be reached ({fault.strerror or type(fault).__name__})"
