"""python-socketio's server, hardened: the only file that knows its private names.

The library keeps the handshake, polling, the upgrade and CORS. What it does
with a session after that is replaced, because as shipped it

- lets a client forge `connect` and `disconnect` events, and makes a task per
  event, so that one client's events finish out of order (`Socket._on_packet`:
  one packet at a time, reserved names are no events);
- collects announced binary attachments without limit (`packets`: none exist);
- never ends a session that does not CONNECT, or that sends garbage (`check`,
  `_take`);
- has a queue without bound, a writer task and a ping task for each session
  (`outgoing`: finished frames, one write a tick; `check`: one sweep);
- holds a reader that stopped reading for ever (`outgoing`, `check`);
- sees every address as 127.0.0.1 and believes every X-Forwarded-* header
  (`_environ`, `origins`);
- compresses each message for each connection (`_upgrade_websocket`);
- has rooms of its own that a client's name could collide with, and that it
  walks at each disconnect (unused: `server.domain.rooms`);
- turns a ping interval below a second into 0 (`_handle_connect`).

tests/gateway/test_engine_private_names.py fails when an upgrade moves a name.
"""

# The library has no types; what is taken from it is cast where it comes in.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
import asyncio
import logging
import time
from collections import Counter
from contextlib import suppress
from typing import Any, cast

import engineio
import socketio
from aiohttp import WSMsgType, web
from engineio import async_socket
from engineio import exceptions as engineio_exceptions

from server.domain.addresses import AddressGate
from server.gateway import packets
from server.gateway.connection import Connection, Gateway
from server.gateway.frames import Frame
from server.gateway.options import EngineOptions
from server.gateway.outgoing import Outgoing
from server.gateway.packets import BadPacket
from server.gateway.rounds import WriteRounds
from server.gateway.turns import Turns
from server.origins import origin_of
from server.protocol.codec import Json, encode_error
from server.protocol.errors import ChatError, RateLimited
from server.protocol.limits import PACKET_BYTES

log = logging.getLogger("chat.engine")
library_log = logging.getLogger("chat.engine.library")
library_log.setLevel(logging.WARNING)  # at INFO it would log what people say

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = b"0123456"

PACKETS_PER_POST = 64
"""Packets that one polling request may carry; the library's client sends at most 16."""

HANDSHAKES_EACH_TURN = 8
"""Of the event loop: one takes some 0.3 ms."""

_CLOSE_FRAME = b"\x88\x02\x03\xe8"
_SEPARATOR = b"\x1e"
_Environ = dict[str, Any]


class Engine(socketio.AsyncServer):
    """The Socket.IO endpoint: `mount` it on an application, then `start`."""

    def __init__(self, gateway: Gateway, options: EngineOptions, gate: AddressGate | None) -> None:
        self._cors_origins = options.cors_origins
        # The library hands `**kwargs` to the class that `_engineio_server_class` names.
        super().__init__(
            async_mode="aiohttp",
            client_manager=socketio.AsyncManager(),
            json=Json,
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
        self.sessions = cast(_EngineIO, self.eio)
        self.sessions.wire(gateway, options, gate)

    def mount(self, app: web.Application) -> None:
        """Serve `/socket.io/` of the application."""
        self.attach(app)

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
        return _EngineIO

    def _origin_allowed(self, origin: str, environ: _Environ) -> bool:
        own = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
        return origin == own or origin in self._cors_origins


class _EngineIO(engineio.AsyncServer):
    """The library's Engine.IO server with our sessions in it."""

    sockets: "dict[str, Socket]"
    gateway: Gateway
    options: EngineOptions
    gate: AddressGate | None

    def wire(self, gateway: Gateway, options: EngineOptions, gate: AddressGate | None) -> None:
        self.gateway, self.options, self.gate = gateway, options, gate
        self._sweeper: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self.cuts: Counter[str] = Counter()
        # `_async` is the driver's table of functions, shared by all servers of the process: ours is a copy.
        self._async = {**cast(dict[str, Any], self._async), "translate_request": self._environ}

    def start(self) -> None:
        self.rounds = WriteRounds()
        self.handshakes = Turns(HANDSHAKES_EACH_TURN)
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep(), name="connection sweep")

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        for socket in list(self.sockets.values()):
            socket.hang_up("the server stops", logging.DEBUG)
        if self.sockets:
            self._empty.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), self.options.stop_timeout)
        for socket in list(self.sockets.values()):
            socket.cut("the server stops")

    def ended(self, socket: "Socket") -> None:
        """The session is over."""
        self.sockets.pop(socket.sid, None)
        if self.gate is not None:
            self.gate.release(socket.address)
        if not self.sockets:
            self._empty.set()

    async def _sweep(self) -> None:
        pause = min(1.0, self.options.ping_interval / 5)
        while True:
            await asyncio.sleep(pause)
            now = time.monotonic()
            for socket in list(self.sockets.values()):
                socket.check(now)

    def _environ(self, request: web.Request) -> _Environ:
        """What the library's request handling reads, and nothing that a client may pretend."""
        origin = origin_of(request, self.options.trusted_proxies)
        environ: _Environ = {
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query_string,
            "REMOTE_ADDR": origin.address,
            "HTTP_HOST": origin.host,
            "wsgi.url_scheme": origin.scheme,
            "aiohttp.request": request,
        }
        for name in ("Origin", "Upgrade", "Connection", "Access-Control-Request-Headers"):
            value = request.headers.get(name)
            if value is not None:
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    async def _handle_connect(
        self, environ: _Environ, transport: str, jsonp_index: int | None = None
    ) -> web.StreamResponse | dict[str, Any]:
        """A new session. The library's own would make its own sockets and start a task for each."""
        await self.handshakes.take()
        address: str = environ["REMOTE_ADDR"]
        if jsonp_index is not None:
            return self._bad_request("JSONP is not served")
        if self.gate is not None:
            try:
                self.gate.admit(address, time.monotonic())
            except RateLimited as refusal:
                return _refusal(refusal)
        socket = Socket(self, self.generate_id(), address)
        self.sockets[socket.sid] = socket
        opening = {
            "sid": socket.sid,
            "upgrades": [] if transport == "websocket" else ["websocket"],
            "pingInterval": round(self.options.ping_interval * 1000),
            "pingTimeout": round(self.options.ping_timeout * 1000),
            "maxPayload": PACKET_BYTES,
        }
        socket.push(Frame(b"0" + Json.dumps(opening).encode()))
        if transport == "websocket":
            return cast(web.StreamResponse, await socket.handle_get_request(environ))
        socket.connected = True
        return self._ok(await socket.poll())


class Socket(async_socket.AsyncSocket):
    """One Engine.IO session.

    Rule 1  Everything to the client leaves through `push`, in that order.
    Rule 2  Packets are worked off one at a time, in the order they came.
    Rule 3  `_finish` is reached once, however the session ends, and tells the gateway.
    """

    server: _EngineIO

    # The library's own __init__ makes a queue, which nothing here uses.
    def __init__(self, server: _EngineIO, sid: str, address: str) -> None:
        self.server = server
        self.sid = sid
        self.address = address
        self.connected = self.upgrading = self.upgraded = self.closing = self.closed = False
        self.session: dict[str, Any] = {}
        self.connection: Connection | None = None
        now = time.monotonic()
        self._out = Outgoing(server.rounds.owes, self._overrun, server.options.unsent_bytes, now)
        self.push = self._out.push
        self._posting: asyncio.Lock | None = None
        self._connect_by = now + server.options.connect_timeout
        self._pinged_at = now
        self._ponged = True

    # -- ending

    def hang_up(self, reason: str, level: int = logging.INFO) -> None:
        """End the session once what was pushed is written; the log says why, at this level."""
        if self.closed or self.closing:
            return
        log.log(level, "closing a connection from %s: %s", self.address, reason)
        self.closing = True
        if not self._out.finish(_CLOSE_FRAME):
            self._finish()

    def cut(self, reason: str) -> None:
        """End the session now; what was not written is lost and healed by `since`."""
        if self.closed:
            return
        log.info("cutting a connection from %s: %s", self.address, reason)
        self.server.cuts[reason] += 1
        self.closing = True
        self._out.abort()
        self._finish()

    def _overrun(self) -> None:
        self.cut("a reader that does not keep up")

    def check(self, now: float) -> None:
        """Ping, and end what does not answer, read or connect in time."""
        options = self.server.options
        if self.connection is None and now > self._connect_by:
            self.hang_up("no CONNECT in time")
        elif not self._ponged and now - self._pinged_at > options.ping_timeout:
            self.cut("no answer to a ping")
        elif self._out.stalled(now, options.stall_timeout):
            self.cut("a reader that stands still")
        elif self._ponged and now - self._pinged_at >= options.ping_interval:
            self._ponged = False
            self._pinged_at = now
            self.push(_PING)

    # -- what the library calls

    async def send(self, pkt: Any) -> None:
        """A packet of the library's own (none is left in use, but its base class may)."""
        self.push(Frame(cast(str, pkt.encode()).encode()))

    def schedule_ping(self) -> None:
        """Pings are the sweep's business."""

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """The library ends the session, after a request that it could not take."""
        self.hang_up(reason or "a request that is not of the protocol")

    async def poll(self) -> Any:
        """The frames owed to a polling client, as soon as there are any."""
        if self._out.polled:
            raise engineio_exceptions.EngineIOError("a second poll at the same time")
        return await self._out.poll()

    async def handle_get_request(self, environ: _Environ) -> Any:
        """A poll, or the WebSocket."""
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            return await self._upgrade_websocket(environ)
        if self.upgrading:
            return [_NOOP]
        return await self.poll()

    async def handle_post_request(self, environ: _Environ) -> None:
        """Packets of a polling client; two requests at a time are worked off one after the other."""
        if self._posting is None:
            self._posting = asyncio.Lock()
        async with self._posting:
            body = await _body(environ["aiohttp.request"])
            parts = body.split(_SEPARATOR, PACKETS_PER_POST)
            if len(parts) > PACKETS_PER_POST:
                raise engineio_exceptions.ContentTooLongError
            for part in parts:
                if self.closed or not await self._receive(part):
                    raise engineio_exceptions.EngineIOError

    async def _upgrade_websocket(self, environ: _Environ) -> web.StreamResponse:
        """The session goes on, or begins, on a WebSocket; returns when that ends."""
        request: web.Request = environ["aiohttp.request"]
        probing = self.connected
        if self.upgrading or self.upgraded:
            return web.Response(status=400, text="the session has a websocket already")
        # decode_text=False: the text goes to the JSON decoder as the bytes that came. Without compression
        # a connection costs a quarter of the memory, and a message is not compressed once per reader.
        ws = web.WebSocketResponse(compress=False, max_msg_size=PACKET_BYTES, timeout=1.0, decode_text=False)
        self.upgrading = probing
        try:
            await ws.prepare(request)
            if not probing or await self._probed(ws):
                self.upgrading = False
                if not self.closed:
                    self.connected = self.upgraded = True
                    self._out.onto(cast(asyncio.Transport, request.transport))
                    # In a task of its own each packet wakes four coroutines; from here it would be sixteen.
                    await asyncio.get_running_loop().create_task(self._read(ws))
        except ConnectionError:
            # The client has gone during the handshake. Raised, it would be a traceback in the log for each.
            return ws if ws.prepared else web.Response()
        finally:
            self.upgrading = False
            if self.upgraded or not probing:
                self._finish()
        return ws

    async def _probed(self, ws: "web.WebSocketResponse[Any]") -> bool:
        """The upgrade of a polling session (Engine.IO protocol v4, "Upgrade"); False when it fails."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.server.options.connect_timeout):
                if await _text(ws) == b"2probe":
                    await ws.send_str("3probe")
                    self._out.answer_poll(_NOOP)
                    if await _text(ws) == b"5":
                        return True
        await ws.close()
        return False

    async def _read(self, ws: "web.WebSocketResponse[Any]") -> None:
        while True:
            message = await ws.receive()
            if message.type is WSMsgType.TEXT:
                if not await self._receive(message.data):
                    break
            elif message.type is WSMsgType.BINARY:
                self.hang_up("a binary frame")
                break
            else:
                if message.type is WSMsgType.ERROR:
                    log.info("a connection from %s broke the WebSocket protocol: %s", self.address, message.data)
                break
            if self.closed or self.closing:
                break

    # -- in

    async def _receive(self, packet: bytes) -> bool:
        """Work off one Engine.IO packet; False when the session is over."""
        try:
            event = self._take(packet)
            if event is not None:
                await self._carry_out(event)
        except BadPacket as fault:
            self.hang_up(str(fault))
            return False
        except Exception:
            log.exception("a packet could not be worked off")
            self.hang_up("a fault of the server")
            return False
        return not self.closing

    def _take(self, packet: bytes) -> packets.Event | None:
        """Do what a packet wants, unless it is an event: that is given back, to be waited for."""
        kind = packet[0] if packet else -1
        if kind == MESSAGE:
            message = packets.parse(packet[1:])
            if isinstance(message, packets.Connect):
                self._on_connect(message)
            elif message.namespace != packets.ROOT or self.connection is None:
                raise BadPacket("a packet for a namespace that was not connected")
            elif isinstance(message, packets.Event):
                return message
            elif isinstance(message, packets.Disconnect):
                self._connect_by = time.monotonic() + self.server.options.connect_timeout
                self._leave()
        elif kind == PONG:
            self._ponged = True
        elif kind == CLOSE:
            self.hang_up("the client left", logging.DEBUG)
        elif kind != NOOP:
            raise BadPacket("a packet that is not of the Engine.IO protocol")
        return None

    async def _carry_out(self, event: packets.Event) -> None:
        assert self.connection is not None
        answered = event.ack_id is not None
        answer = await self.server.gateway.event(self.connection, event.name, event.arguments, answered=answered)
        if event.ack_id is not None and answer is not None:
            self.push(Frame(packets.acknowledgement(event.ack_id, answer)))

    def _on_connect(self, packet: packets.Connect) -> None:
        if packet.namespace != packets.ROOT:
            self.push(Frame(packets.refused(packet.namespace, b'{"message":"Invalid namespace"}')))
            return
        if self.connection is not None:
            raise BadPacket("a second CONNECT")
        try:
            self.connection = self.server.gateway.arrived(self, self.address, packet.auth)
        except ChatError as refusal:
            reason = Json.dumps({"message": refusal.message, "data": {"code": refusal.code}})
            self.push(Frame(packets.refused(packets.ROOT, reason.encode())))
            return
        self.push(Frame(packets.connected(self.connection.sid)))

    def _leave(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            self.server.gateway.gone(connection)

    def _finish(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.server.ended(self)
        self._out.closed = True
        self._out.answer_poll(_CLOSE)
        self._leave()


_CLOSE = Frame(bytes((CLOSE,)))
_PING = Frame(bytes((PING,)))
_NOOP = Frame(bytes((NOOP,)))


async def _text(ws: "web.WebSocketResponse[Any]") -> bytes | None:
    message = await ws.receive()
    return bytes(message.data) if message.type is WSMsgType.TEXT else None


async def _body(request: web.Request) -> bytes:
    """The request's body, read within the limit and within 10 seconds."""
    body = bytearray()
    try:
        async with asyncio.timeout(10):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > PACKET_BYTES:
                    raise engineio_exceptions.ContentTooLongError
    except TimeoutError:
        raise engineio_exceptions.EngineIOError("a request that does not end") from None
    return bytes(body)


def _refusal(error: RateLimited) -> dict[str, Any]:
    return {
        "status": "429 TOO MANY REQUESTS",
        "headers": [("Content-Type", "application/json"), ("Retry-After", str(round((error.retry_after or 0) + 0.5)))],
        "response": encode_error(error),
    }
