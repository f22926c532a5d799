"""python-engineio's server with our sessions in it: from a request to what becomes of it.

The library finds the routes, makes the session ids and knows the rules of CORS.
Every request goes through `handle_request`, which is its public way in, and which
is replaced whole: what the library does after it is listed in `endpoint`.
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
from aiohttp import web

from server.domain.addresses import ConnectionLimiter
from server.gateway.connection import Gateway
from server.gateway.engine import polling, websocket
from server.gateway.engine.faults import Fault, fault_of
from server.gateway.engine.session import Session
from server.gateway.frames import Frame
from server.gateway.options import EngineOptions
from server.gateway.rounds import WriteRounds
from server.gateway.turns import Turns
from server.hints import RejectionLog
from server.origins import ClientInfo, get_client_info
from server.protocol.codec import SocketIOJson, encode_error
from server.protocol.errors import ChatError, RateLimited, Unavailable
from server.protocol.limits import PACKET_BYTES

HANDSHAKES_EACH_TURN = 8
"""Of the event loop: one takes some 0.3 ms."""


class Sessions(engineio.AsyncServer):
    """The sessions of one server; `wire` it before the first request.

    Attributes:
        sockets: The sessions by id; the library's name.
        cuts: How many were cut, by reason.
        rounds: When what they owe is written; there from `start` on.
    """

    sockets: dict[str, Session]
    gateway: Gateway
    options: EngineOptions
    rounds: WriteRounds

    def wire(self, gateway: Gateway, options: EngineOptions, gate: ConnectionLimiter | None) -> None:
        """Say whom the sessions are for."""
        self.gateway, self.options, self._gate = gateway, options, gate
        self._sweeper: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._stopping = False
        self._hints = RejectionLog()
        self.cuts: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to write, to ping, and to end what does not answer."""
        self.rounds = WriteRounds()
        self._handshakes = Turns(HANDSHAKES_EACH_TURN)
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep(), name="connection sweep")

    async def stop(self) -> None:
        """Hang up on everybody, and cut who has not closed in time."""
        self._stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for session in list(self.sockets.values()):
            session.hang_up("the server stops", logging.DEBUG)
        if self.sockets:
            self._empty.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), self.options.close_timeout)
        for session in list(self.sockets.values()):
            session.cut("the server stops")

    # -- what the sessions tell

    def cut(self, reason: str) -> None:
        """A session was cut."""
        self.cuts[reason] += 1

    def ended(self, session: Session) -> None:
        """The session is over."""
        self.sockets.pop(session.sid, None)
        if self._gate is not None:
            self._gate.release(session.address)
        if not self.sockets:
            self._empty.set()

    async def _sweep(self) -> None:
        pause = min(1.0, self.options.ping_interval / 5)
        while True:
            await asyncio.sleep(pause)
            now = time.monotonic()
            for session in list(self.sockets.values()):
                session.check(now)

    # -- requests

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Everything that comes to the endpoint."""
        origin = get_client_info(request, self.options.trusted_proxies)
        environ = _environ(request, origin)
        if "HTTP_ORIGIN" in environ and not self._cors_allowed_origins(environ):
            self._hints.log_rejected_origin(environ["HTTP_ORIGIN"])
            response = Fault.FORBIDDEN.answer()
        else:
            response = await self._answer(request, origin)
        if not response.prepared:
            response.headers.extend(cast(list[tuple[str, str]], self._cors_headers(environ)))
        return response

    async def _answer(self, request: web.Request, origin: ClientInfo) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response()
        fault = fault_of(request)
        if fault is not None:
            if fault is Fault.UNSUPPORTED_VERSION:
                self._hints.log_rejected_version(request.query.get("EIO", ""))
            return fault.answer()
        if "sid" not in request.query:
            return await self._open(request, origin.address)
        session = self.sockets.get(request.query["sid"])
        if session is None:
            return Fault.SESSION_UNKNOWN.answer()
        if session.on_websocket:
            return Fault.BAD_REQUEST.answer()
        if request.query["transport"] == "websocket":
            if session.probe is not None or session.closing:
                return Fault.BAD_REQUEST.answer()
            return await websocket.upgrade(session, request, self.options.connect_timeout)
        if request.method == "GET":
            return await polling.poll(session, request)
        if request.method == "POST":
            return await polling.post(session, request)
        return Fault.BAD_REQUEST.answer()

    async def _open(self, request: web.Request, address: str) -> web.StreamResponse:
        """A new session (Engine.IO protocol v4, "Handshake")."""
        await self._handshakes.take()
        try:
            if self._stopping:
                raise Unavailable("the server is stopping", 1.0)
            if self._gate is not None:
                self._gate.acquire(address, time.monotonic())
        except ChatError as refusal:
            return _refusal(refusal)
        session = Session(self, self.generate_id(), address)
        self.sockets[session.sid] = session
        polled = request.query["transport"] == "polling"
        opening = {
            "sid": session.sid,
            "upgrades": ["websocket"] if polled else [],
            "pingInterval": round(self.options.ping_interval * 1000),
            "pingTimeout": round(self.options.ping_timeout * 1000),
            "maxPayload": PACKET_BYTES,
        }
        session.push(Frame(b"0" + SocketIOJson.dumps(opening).encode()))
        return await (polling.poll(session, request) if polled else websocket.begin(session, request))


def _environ(request: web.Request, origin: ClientInfo) -> dict[str, Any]:
    """What the library's rules of CORS read, and nothing that a client may pretend."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "HTTP_HOST": origin.host,
        "wsgi.url_scheme": origin.scheme,
    }
    for name in ("ClientInfo", "Access-Control-Request-Headers"):
        value = request.headers.get(name)
        if value is not None:
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def _refusal(refusal: ChatError) -> web.Response:
    return web.Response(
        status=429 if isinstance(refusal, RateLimited) else 503,
        body=encode_error(refusal),
        content_type="application/json",
        headers={"Retry-After": str(round((refusal.retry_after or 0) + 0.5))},
    )
