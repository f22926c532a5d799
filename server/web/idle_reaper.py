"""Idle timeout of HTTP connections, as protection against exhaustion of file descriptors.

- Deadline: a connection must complete the head of a request within `idle_timeout` seconds; the
  transfer rate is irrelevant.
- Scope: after the first request head, the request handlers are responsible for timeouts.
"""

import asyncio
import logging
import time

from aiohttp import typedefs, web

log = logging.getLogger("chat.web")


class IdleReaper:
    """Closer of connections that send no request in time.

    Args:
        idle_timeout: Seconds from the first check of a connection to its first request.
    """

    def __init__(self, idle_timeout: float) -> None:
        self._idle_timeout = idle_timeout
        self._active = set[object]()
        self._idle_since: dict[object, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @web.middleware
    async def mark_active(self, request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
        """Exempt the connection of the request from the timeout.

        The exemption lasts until the connection closes.
        """
        self._active.add(request.protocol)
        return await handler(request)

    def start(self, server: web.Server) -> None:
        """Start the periodic check of a server's connections.

        The check runs immediately and then four times per `idle_timeout`, so a connection may live a quarter longer.
        """
        loop = asyncio.get_running_loop()

        def tick() -> None:
            self._reap(server)
            self._timer = loop.call_later(self._idle_timeout / 4, tick)

        tick()

    def stop(self) -> None:
        """Stop the periodic check."""
        if self._timer is not None:
            self._timer.cancel()

    def _reap(self, server: web.Server) -> None:
        now = time.monotonic()
        connections = server.connections
        self._active.intersection_update(connections)
        idle = [connection for connection in connections if connection not in self._active]
        self._idle_since = {connection: self._idle_since.get(connection, now) for connection in idle}
        expired = [connection for connection in idle if now - self._idle_since[connection] > self._idle_timeout]
        for connection in expired:
            connection.force_close()
        if expired:
            log.info("closed %d idle connections: no request before the timeout", len(expired))
