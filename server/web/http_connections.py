"""HTTP connections outside requests: idle timeout, limit per address, and reserve of file descriptors.

- Idle: a connection is idle from its start, or from the end of a request, until the complete head of the next request.
- Requests: during a request, its handler is responsible for timeouts. A WebSocket is one request.
- TLS: a connection starts with its acceptance and is idle during the handshake. The handshake starts with the first
  byte of the client, so a silent connection has no TLS buffers (about 50 KiB).
- Proxies: connections of trusted proxies close after `KEEP_ALIVE_TIMEOUT` only, so that the proxy closes first.
"""

import asyncio
import errno
import logging
import os
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from itertools import takewhile
from typing import Any, Final, cast

from aiohttp import http_exceptions, typedefs, web

from server.domain.rate_limits import is_loopback, rate_limit_key
from server.forwarded import IPNetwork, is_in_networks
from server.logging import ONE_PER_MINUTE
from server.web.headers import SERVER_NAME

log = logging.getLogger("chat.web")

KEEP_ALIVE_TIMEOUT: Final = 150.0
"""Idle timeout for trusted proxies in seconds, longer than the timeouts of common proxies (nginx 60, Caddy 120)."""

_CHECK_INTERVAL: Final = 1.0  # seconds
_RESERVED_DESCRIPTORS: Final = 8  # for the database and for connections of the next second


class HttpConnection(web.RequestHandler):
    """Connection that reports its idle periods.

    Args:
        server: aiohttp server of the connection.
        pool: Receiver of the reports.

    Attributes:
        address: Address of the peer; with TLS, known before the end of the handshake.
        on_lost: Called at the end of the connection; None without a listener.
    """

    __slots__ = ("_pool", "address", "on_lost")

    def __init__(self, server: web.Server, pool: "HttpConnectionPool", **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._pool = pool
        self.address = ""
        self.on_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start an idle period; with TLS, after the handshake."""
        super().connection_made(transport)
        self.address = self.address or _get_peer_address(transport)
        self._pool.mark_idle(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the last idle period, and call `on_lost`, if set."""
        self._pool.mark_busy(self)
        if self.on_lost is not None:
            self.on_lost()
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write the response, and start an idle period unless the connection is lost; return the result of aiohttp."""
        result = await super().finish_response(request, resp, start_time)
        if self.transport is not None:
            self._pool.mark_idle(self)
        return result

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Return the response to a malformed HTTP request, and log one line per minute instead of tracebacks.

        The connection closes after the response. Other exceptions have the response and the log entry of aiohttp.

        Raises:
            ConnectionError: The response has already begun.
        """
        if not isinstance(exc, (http_exceptions.HttpProcessingError, web.RequestPayloadError)):
            response = super().handle_error(request, status, exc, message)
        else:
            log.info("malformed HTTP request from %s: %s", self.address, type(exc).__name__, extra=ONE_PER_MINUTE)
            # The frames of the traceback refer to the exception. Without this cycle, reference counting frees the
            # connection; a flood would otherwise cause garbage collections of 50 ms.
            exc.__traceback__ = None
            if request.writer.output_size > 0:
                raise ConnectionError("the response has already begun")
            response = web.Response(status=status, text="Malformed HTTP request.\n")
            response.force_close()
        response.headers["Server"] = SERVER_NAME
        return response


class TlsAcceptor(asyncio.Protocol):
    """Protocol of all accepted sockets with TLS, which starts their handshakes.

    A handshake uses a second transport, because uvloop reads from an accepted transport before `start_tls` can pause
    the reading.

    Args:
        pool: Pool of the connections.
        create_connection: Factory of the protocol over TLS.
        context: Certificate and parameters.
        timeout: Maximum time until the first byte, and maximum duration of the handshake and of the closing handshake,
            in seconds.
    """

    def __init__(
        self,
        pool: "HttpConnectionPool",
        create_connection: Callable[[], HttpConnection],
        context: ssl.SSLContext,
        timeout: float,
    ) -> None:
        self._pool, self._create_connection, self._context, self._timeout = pool, create_connection, context, timeout

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the handshake on a duplicate of the socket; without a free file descriptor, close the connection."""
        with suppress(OSError):  # no free descriptor: the connection is refused
            accepted = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
            accepted.setblocking(False)
            connection = self._create_connection()
            connection.address = _get_peer_address(transport)
            handshake = asyncio.get_running_loop().create_task(self._run(connection, accepted), name="TLS handshake")
            self._pool.handshakes[connection] = handshake
            self._pool.mark_idle(connection)
        cast(asyncio.WriteTransport, transport).abort()

    async def _run(self, connection: HttpConnection, accepted: socket.socket) -> None:
        """Wait for the first byte, and perform the handshake; a failure is only logged, and ends the idle period."""
        try:
            try:
                await _wait_readable(accepted, self._timeout)
            except BaseException:
                accepted.close()
                raise
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=self._timeout,
                ssl_shutdown_timeout=self._timeout,
            )
        except OSError as error:
            log.debug("TLS handshake of %s failed: %s", connection.address, error)
        finally:
            del self._pool.handshakes[connection]
            if connection.transport is None:
                self._pool.mark_busy(connection)


class HttpConnectionPool:
    """Idle connections of a server.

    Args:
        idle_timeout: Maximum idle time in seconds.
        max_idle: Maximum number of idle connections per address (`rate_limit_key`), loopback excepted; None for no
            limit.
        trusted_networks: Networks of proxies, whose connections are exempt from both limits.

    Attributes:
        handshakes: Tasks of the unfinished TLS handshakes, including those of trusted proxies.
    """

    def __init__(self, idle_timeout: float, max_idle: int | None, trusted_networks: tuple[IPNetwork, ...]) -> None:
        self._idle_timeout, self._max_idle, self._trusted_networks = idle_timeout, max_idle, trusted_networks
        self._idle_since: dict[HttpConnection, float] = {}  # oldest first
        self._idle_by_key: defaultdict[str, dict[HttpConnection, None]] = defaultdict(dict)  # oldest first
        self.handshakes: dict[HttpConnection, asyncio.Task[None]] = {}

    def create_factory(self, server: web.Server, tls_context: ssl.SSLContext | None) -> Callable[[], asyncio.Protocol]:
        """Return the protocol factory for a server created without `ssl`; request bodies are not decompressed.

        Args:
            server: aiohttp server of the connections.
            tls_context: Certificate and parameters of TLS for `TlsAcceptor`; None for plain HTTP.
        """

        def create_connection() -> HttpConnection:
            return HttpConnection(
                server, self, keepalive_timeout=KEEP_ALIVE_TIMEOUT, access_log=None, auto_decompress=False
            )

        if tls_context is None:
            return create_connection
        acceptor = TlsAcceptor(self, create_connection, tls_context, self._idle_timeout)
        return lambda: acceptor

    @web.middleware
    async def mark_active(self, request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
        """End the idle period of the connection, and call the handler."""
        if isinstance(request.protocol, HttpConnection):
            self.mark_busy(request.protocol)
        return await handler(request)

    def mark_idle(self, connection: HttpConnection) -> None:
        """Start or restart an idle period; above the limit of the address, close its oldest idle connection.

        No effect for a connection of a trusted proxy.
        """
        if is_in_networks(connection.address, self._trusted_networks):
            return
        self.mark_busy(connection)
        self._idle_since[connection] = time.monotonic()
        idle = self._idle_by_key[rate_limit_key(connection.address)]
        idle[connection] = None
        if self._max_idle is not None and len(idle) > self._max_idle and not is_loopback(connection.address):
            self._close([next(iter(idle))])

    def mark_busy(self, connection: HttpConnection) -> None:
        """End the idle period, if any."""
        if self._idle_since.pop(connection, None) is not None:
            key = rate_limit_key(connection.address)
            del self._idle_by_key[key][connection]
            if not self._idle_by_key[key]:
                del self._idle_by_key[key]

    def start(self) -> None:
        """Check all idle connections, and again at least every second until `stop`; requires a running event loop.

        Connections above the idle timeout are closed. If the process has almost no free file descriptor, all idle
        connections are closed and an error is logged.
        """
        self._timer = asyncio.get_running_loop().call_later(min(_CHECK_INTERVAL, self._idle_timeout / 4), self.start)
        if not _has_free_descriptors():
            closed = self._close(list(self._idle_since))
            log.error(
                "file descriptors exhausted: closed %d idle connections, refusing new connections; sessions continue;"
                " raise the limit of open files (LimitNOFILE)",
                closed,
                extra=ONE_PER_MINUTE,
            )
        expiry = time.monotonic() - self._idle_timeout
        expired = list(takewhile(lambda connection: self._idle_since[connection] <= expiry, self._idle_since))
        if expired:
            log.debug("closed %d idle connections: no request before the timeout", self._close(expired))

    def stop(self) -> None:
        """Stop the periodic check, and abort all handshakes; established connections stay open. Requires `start`."""
        self._timer.cancel()
        self._close(self.handshakes)

    def _close(self, connections: Collection[HttpConnection]) -> int:
        """Close connections and cancel their handshakes, and return the number of connections."""
        for connection in connections:
            self.mark_busy(connection)
            if connection in self.handshakes:
                # The task closes the socket only if it has started, which it does in this tick at the latest.
                asyncio.get_running_loop().call_soon(self.handshakes[connection].cancel)
            connection.force_close()
        return len(connections)


async def _wait_readable(accepted: socket.socket, timeout: float) -> None:
    """Wait for the first byte, the end of the stream or an error of a socket.

    Raises:
        TimeoutError: Nothing arrived within `timeout` seconds.
    """
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(accepted, readable.set)
    try:
        async with asyncio.timeout(timeout):
            await readable.wait()
    finally:
        loop.remove_reader(accepted)


def _get_peer_address(transport: asyncio.BaseTransport) -> str:
    return str((transport.get_extra_info("peername") or ("",))[0])


def _has_free_descriptors() -> bool:
    """Return whether the process can open `_RESERVED_DESCRIPTORS` files; an error of another kind counts as True."""
    try:
        with ExitStack() as stack:
            for _ in range(_RESERVED_DESCRIPTORS):
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in {errno.EMFILE, errno.ENFILE}
    return True
