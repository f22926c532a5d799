"""HTTP connections outside requests: idle timeout, limit per address, and reserve of file descriptors.

- Idle: a connection is idle from its start, or from the end of a request, until the complete head of the next request.
  The transfer rate is irrelevant.
- Requests: during a request, its handler is responsible for timeouts. A WebSocket is one request.
- Proxies: connections of trusted proxies close after `KEEP_ALIVE_TIMEOUT` only, so that the proxy closes first.
"""

import asyncio
import errno
import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from aiohttp import http_exceptions, typedefs, web

from server.domain.rate_limits import is_loopback, rate_limit_key
from server.forwarded import IPNetwork, is_in_networks
from server.logging import ONE_PER_MINUTE
from server.web.headers import SERVER_NAME

log = logging.getLogger("chat.web")

KEEP_ALIVE_TIMEOUT: Final = 150.0
"""Idle timeout of a trusted proxy's connection in seconds, longer than that of common proxies (nginx 60, Caddy 120)."""

_CHECK_INTERVAL: Final = 1.0  # seconds
_RESERVED_DESCRIPTORS: Final = 8  # for the database and for connections of the next second


class HttpConnection(web.RequestHandler):
    """Connection that reports its idle periods.

    Args:
        server: aiohttp server of the connection.
        pool: Receiver of the reports.
    """

    __slots__ = ("_pool", "address")

    def __init__(self, server: web.Server, pool: "HttpConnectionPool", **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._pool = pool
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the first idle period."""
        super().connection_made(transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self._pool.mark_idle(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the last idle period."""
        self._pool.mark_busy(self)
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Start an idle period after the response is written."""
        result = await super().finish_response(request, resp, start_time)
        if self.transport is not None:
            self._pool.mark_idle(self)
        return result

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Return the response to a request that is no valid HTTP, without the traceback of aiohttp in the log."""
        if not isinstance(exc, (http_exceptions.HttpProcessingError, web.RequestPayloadError)):
            response = super().handle_error(request, status, exc, message)
        else:
            log.info("malformed HTTP request from %s: %s", self.address, type(exc).__name__, extra=ONE_PER_MINUTE)
            # The frames of the traceback refer to the exception. Without this cycle, reference counting frees the
            # connection; a flood would otherwise cause garbage collections of 50 ms.
            exc.__traceback__ = None
            if request.writer.output_size > 0:
                raise ConnectionError("the response has already begun")
            response = web.Response(status=status, text="The request is no valid HTTP.\n")
            response.force_close()
        response.headers["Server"] = SERVER_NAME
        return response


class HttpConnectionPool:
    """Idle connections of a server.

    Args:
        idle_timeout: Maximum idle time in seconds.
        max_idle: Maximum number of idle connections per address, the oldest of which is closed; None for no limit.
        trusted_networks: Networks of proxies, whose connections are exempt.
    """

    def __init__(self, idle_timeout: float, max_idle: int | None, trusted_networks: tuple[IPNetwork, ...]) -> None:
        self._idle_timeout, self._max_idle, self._trusted_networks = idle_timeout, max_idle, trusted_networks
        self._idle_since: dict[HttpConnection, float] = {}  # oldest first
        self._idle_by_key: defaultdict[str, dict[HttpConnection, None]] = defaultdict(dict)  # oldest first
        self._timer: asyncio.TimerHandle | None = None

    def create_factory(self, server: web.Server) -> Callable[[], HttpConnection]:
        """Return the protocol factory for the listening socket; request bodies are not decompressed."""
        return lambda: HttpConnection(
            server, self, keepalive_timeout=KEEP_ALIVE_TIMEOUT, access_log=None, auto_decompress=False
        )

    @web.middleware
    async def mark_active(self, request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
        """End the idle period of the connection."""
        if isinstance(request.protocol, HttpConnection):
            self.mark_busy(request.protocol)
        return await handler(request)

    def mark_idle(self, connection: HttpConnection) -> None:
        """Start an idle period; above the limit of the address, close its oldest idle connection."""
        if is_in_networks(connection.address, self._trusted_networks):
            return
        self.mark_busy(connection)
        self._idle_since[connection] = time.monotonic()
        if self._max_idle is None or is_loopback(connection.address):
            return
        idle = self._idle_by_key[rate_limit_key(connection.address)]
        idle[connection] = None
        if len(idle) > self._max_idle:
            self._close([next(iter(idle))])

    def mark_busy(self, connection: HttpConnection) -> None:
        """End an idle period, if one has started."""
        if self._idle_since.pop(connection, None) is None:
            return
        key = rate_limit_key(connection.address)
        if key in self._idle_by_key:
            self._idle_by_key[key].pop(connection, None)
            if not self._idle_by_key[key]:
                del self._idle_by_key[key]

    def start(self) -> None:
        """Start the periodic check on the running event loop."""
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
        expired: list[HttpConnection] = []
        for connection, idle_since in self._idle_since.items():
            if idle_since > expiry:
                break
            expired.append(connection)
        if expired:
            log.debug("closed %d idle connections: no request before the timeout", self._close(expired))

    def stop(self) -> None:
        """Stop the periodic check."""
        if self._timer is not None:
            self._timer.cancel()

    def _close(self, connections: list[HttpConnection]) -> int:
        for connection in connections:
            self.mark_busy(connection)
            connection.force_close()
        return len(connections)


def _has_free_descriptors() -> bool:
    descriptors: list[int] = []
    try:
        for _ in range(_RESERVED_DESCRIPTORS):
            descriptors.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in {errno.EMFILE, errno.ENFILE}
    finally:
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)
    return True
