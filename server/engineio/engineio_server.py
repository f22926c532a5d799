"""python-engineio server with the sessions of this package.

The library provides routes and session ids. `handle_request` replaces the request handling of the library
completely, for the reasons listed in `server.engineio.socketio_server`.
"""

# python-engineio is untyped, so its values are cast at this boundary.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

import engineio
from aiohttp import web

from server.domain.rate_limits import ConnectionLimiter
from server.engineio import polling, websocket
from server.engineio.connection import EventDispatcher
from server.engineio.errors import InvalidRequest, validate_request
from server.engineio.flush_scheduler import FlushScheduler
from server.engineio.options import EngineIOOptions
from server.engineio.packets import Frame
from server.engineio.session import EngineIOSession
from server.engineio.session_state import WEBSOCKET_STATES, SessionState
from server.engineio.tick_limiter import TickLimiter
from server.forwarded import ClientInfo, find_untrusted_proxy, get_client_info
from server.observability.rejection_log import RejectionLog
from server.observability.supervision import Supervisor
from server.origins import is_server_origin, normalize_origin
from tui_chat.protocol import codec, errors

_CHECKS_PER_TICK = 200  # sessions whose timeouts are checked in one event loop tick; a check takes about 4 µs


class EngineIOServer(engineio.AsyncServer):
    """All Engine.IO sessions of one server; call `configure` and `start` before the first request.

    Attributes:
        sockets: Sessions by Engine.IO id; the attribute name belongs to the library.
        dispatcher: Receiver of connections and events.
        options: Timeouts, limits and allowed origins.
        flush_scheduler: Scheduler of all socket writes; available after `start`.
        aborts: Number of aborted sessions by reason.
    """

    sockets: dict[str, EngineIOSession]

    def configure(
        self,
        dispatcher: EventDispatcher,
        options: EngineIOOptions,
        connection_limiter: ConnectionLimiter | None,
        supervisor: Supervisor,
    ) -> None:
        """Set the parts that the constructor of the library cannot pass; `start` creates the flush scheduler.

        Without a connection limiter, the number of connections per address has no limit.
        """
        self.dispatcher, self.options, self._connection_limiter = dispatcher, options, connection_limiter
        self._supervisor = supervisor
        self._all_closed = asyncio.Event()
        self._is_rejecting = False
        self._rejection_log = RejectionLog()
        self.aborts: Counter[str] = Counter()

    def start(self) -> None:
        """Start the flush scheduler, the heartbeat and the idle time on the running loop; requires `configure`."""
        self.flush_scheduler = FlushScheduler(self._supervisor)
        self._emptied_at = time.monotonic()
        self._handshake_limiter = TickLimiter(self.options.handshakes_per_tick)
        self._heartbeat_task = self._supervisor.supervise("heartbeat", self._heartbeat)

    def reject_handshakes(self) -> None:
        """Reject handshakes with status 503 from now on; existing sessions continue."""
        self._is_rejecting = True

    async def stop(self) -> None:
        """Close all sessions after their queued frames; abort the remaining ones after `close_timeout`.

        Requires `start`. Handshakes are rejected with status 503 from now on; no further ping is sent, and no further
        timeout is checked. The method returns as soon as all sessions are closed. An error of one session is logged and
        aborts this session only. Aborts are counted as `server shutdown`.
        """
        self.reject_handshakes()
        self._heartbeat_task.cancel()
        _call_each(list(self.sockets.values()), EngineIOSession.close, "server shutdown", logging.DEBUG)
        if self.sockets:
            self._all_closed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_closed.wait(), self.options.close_timeout)
        _call_each(list(self.sockets.values()), EngineIOSession.abort, "server shutdown")

    # -- sessions

    def on_session_closed(self, session: EngineIOSession) -> None:
        """Remove a closed session and release its slot in the connection limiter; called once per session.

        The last session ends the wait of `stop` and restarts the idle time.
        """
        self.sockets.pop(session.sid, None)
        if self._connection_limiter is not None:
            self._connection_limiter.release(session.address)
        if not self.sockets:
            self._emptied_at = time.monotonic()
            self._all_closed.set()

    def idle_time(self) -> float:
        """Return the seconds since the end of the last session, or since the start; 0 while a session exists."""
        return 0.0 if self.sockets else time.monotonic() - self._emptied_at

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self.options.check_interval)
            sessions = list(self.sockets.values())
            for start in range(0, len(sessions), _CHECKS_PER_TICK):
                batch = sessions[start : start + _CHECKS_PER_TICK]
                _call_each(batch, EngineIOSession.tick, time.monotonic())
                await asyncio.sleep(0)

    # -- requests

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Handle one HTTP request to the Socket.IO endpoint.

        A rejected origin receives status 400 without CORS headers and is logged as a hint; requests without an Origin
        header are accepted. Other OPTIONS requests receive an empty response with status 200; invalid requests and
        unknown or timed-out sessions receive status 400, handshakes above the limits of the address 429, and those
        after `reject_handshakes` 503. All responses to accepted origins, including errors, receive the CORS headers,
        except an established WebSocket.

        Raises:
            web.HTTPBadRequest: The WebSocket handshake is invalid.
        """
        client = get_client_info(request, self.options.trusted_proxies)
        if not self._is_origin_allowed(request, client):
            self._rejection_log.log_rejected_origin(request.headers["Origin"])
            return InvalidRequest.FORBIDDEN.to_response()
        try:
            response = await self._route_request(request, client)
        except web.HTTPException as error:
            error.headers.extend(_create_cors_headers(request))
            raise
        if not response.prepared:
            response.headers.extend(_create_cors_headers(request))
        return response

    def get_cors_headers(self, request: web.Request) -> dict[str, str]:
        """Return the CORS headers of a response outside `handle_request`; empty for a rejected origin.

        Without an Origin header, the result contains `Vary` but allows no origin. A rejection is not logged.
        """
        client = get_client_info(request, self.options.trusted_proxies)
        return _create_cors_headers(request) if self._is_origin_allowed(request, client) else {}

    def is_session_request(self, request: web.Request) -> bool:
        """Return whether a request is a GET or POST of a polling session; the session limits the rate of such requests.

        False for an invalid or upgrade request, an unknown session and a session that has moved to WebSocket.
        """
        session = self.sockets.get(request.query.get("sid", ""))
        return (
            session is not None
            and session.state not in WEBSOCKET_STATES
            and request.method in polling.HANDLERS
            and request.query.get("transport") == "polling"
            and validate_request(request) is None
        )

    def _is_origin_allowed(self, request: web.Request, client: ClientInfo) -> bool:
        """Return whether the origin of a request is absent, in `cors_origins` or that of the server.

        False for an invalid origin.
        """
        if "Origin" not in request.headers:
            return True
        canonical, server_origin = normalize_origin(request.headers["Origin"]), client.server_origin
        if canonical is None:
            return False
        return canonical in self.options.cors_origins or (
            server_origin is not None and is_server_origin(canonical, server_origin)
        )

    async def _route_request(self, request: web.Request, client: ClientInfo) -> web.StreamResponse:
        """Serve a request of an allowed origin as `handle_request`, without the CORS headers.

        An overdue session is aborted and counts as unknown. A WebSocket request for a session consumes a packet of its
        rate limit, and waits for it if necessary. A second WebSocket of an open session is accepted and closed; the
        session continues. A WebSocket request for a closing session and a polling request for a session with a
        WebSocket receive status 400. An unsupported version and a missing `Upgrade` header are logged as hints.
        """
        if request.method == "OPTIONS":
            return web.Response()
        error = validate_request(request)
        if error is not None:
            if error is InvalidRequest.UNSUPPORTED_VERSION:
                self._rejection_log.log_rejected_version(request.query.get("EIO", ""))
            elif request.query.get("transport") == "websocket" and "Upgrade" not in request.headers:
                self._rejection_log.log_missing_upgrade()
            return error.to_response()
        if "sid" not in request.query:
            return await self._handshake(request, client)
        session = self.sockets.get(request.query["sid"])
        if session is None or session.abort_if_overdue(time.monotonic()):
            return InvalidRequest.UNKNOWN_SESSION.to_response()
        is_polling = request.query["transport"] == "polling"
        if is_polling and request.method in polling.HANDLERS and session.state not in WEBSOCKET_STATES:
            return await polling.HANDLERS[request.method](session, request)
        if not is_polling and await session.admit_packet():
            if session.state is SessionState.POLLING:
                return await websocket.serve_session(session, request, self.options.connect_timeout)
            return await websocket.refuse(session, request)
        return InvalidRequest.BAD_REQUEST.to_response()

    async def _handshake(self, request: web.Request, client: ClientInfo) -> web.StreamResponse:
        """Create a session and serve its first request (Engine.IO protocol v4, "Handshake").

        A polling request returns the OPEN packet; a WebSocket request returns at the end of the session. Above
        `handshakes_per_tick`, the handshake waits for a later tick. A rejection has status 429 (limit of the address)
        or 503 (`reject_handshakes`), the error as JSON, and `Retry-After` in whole seconds, rounded up. An untrusted
        reverse proxy is logged as a hint, and the handshake continues.
        """
        untrusted_proxy = find_untrusted_proxy(request, self.options.trusted_proxies)
        if untrusted_proxy is not None:
            self._rejection_log.log_untrusted_proxy(untrusted_proxy)
        await self._handshake_limiter.acquire()
        try:
            if self._is_rejecting:
                raise errors.Unavailable("server_stopping", retry_after=1.0)
            if self._connection_limiter is not None:
                self._connection_limiter.acquire(client.address, time.monotonic())
        except errors.ChatError as error:
            return web.Response(
                status=429 if isinstance(error, errors.RateLimited) else 503,
                body=codec.encode_error(error),
                content_type="application/json",
                headers={"Retry-After": str(math.ceil(error.retry_after or 0))},
            )
        authorization = request.headers.get("Authorization", "")
        session = EngineIOSession(self, self.generate_id(), client.address, authorization, client.server_origin)
        self.sockets[session.sid] = session
        is_polling = request.query["transport"] == "polling"
        open_packet = {
            "sid": session.sid,
            "upgrades": ["websocket"] if is_polling else [],
            "pingInterval": round(self.options.ping_interval * 1000),
            "pingTimeout": round(self.options.ping_timeout * 1000),
            "maxPayload": self.options.max_packet_bytes,
        }
        session.push(Frame(b"0" + codec.SocketIOJson.dumps(open_packet).encode()))
        return await (polling.handle_get(session, request) if is_polling else websocket.serve_session(session, request))


def _create_cors_headers(request: web.Request) -> dict[str, str]:
    """Return the CORS headers of a response (Fetch Standard, "CORS protocol"); the caller checks the origin.

    The origin and the requested headers are copied from the request, and credentials are allowed. Without an Origin
    header, no origin is allowed, but `Vary` and the headers of a preflight response remain.
    """
    headers = {"Vary": "Origin"}
    if "Origin" in request.headers:
        headers |= {
            "Access-Control-Allow-Origin": request.headers["Origin"],
            "Access-Control-Allow-Credentials": "true",
        }
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "OPTIONS, GET, POST"
    if "Access-Control-Request-Headers" in request.headers:
        headers["Access-Control-Allow-Headers"] = request.headers["Access-Control-Request-Headers"]
    return headers


def _call_each(sessions: Iterable[EngineIOSession], method: Callable[..., None], *arguments: object) -> None:
    """Call a method of each session; an error is logged and aborts its session only."""
    for session in sessions:
        try:
            method(session, *arguments)
        except Exception as error:
            session.fail(error)
