"""Ends connections on which nobody asks for anything, so that they do not take all the files that a process may open.

Rule 1  Within `patience` of its beginning a connection must have sent the head of a
        request; it need not do so fast, but to the end.
Rule 2  What becomes of it after that is the business of whoever answers the request.
"""

import asyncio
import logging
import time

from aiohttp import web
from aiohttp.typedefs import Handler

log = logging.getLogger("chat.web")


class IdleReaper:
    """Knows which connections were heard of, and looks from time to time at those that were not.

    Args:
        patience: Seconds.
    """

    def __init__(self, idle_timeout: float) -> None:
        self._idle_timeout = idle_timeout
        self._active = set[object]()
        self._idle_since: dict[object, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @web.middleware
    async def mark_active(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Notes that a connection was heard of."""
        self._active.add(request.protocol)
        return await handler(request)

    def start(self, server: web.Server) -> None:
        """Begin to look at the connections of this server."""
        loop = asyncio.get_running_loop()

        def tick() -> None:
            self._reap(server)
            self._timer = loop.call_later(self._idle_timeout / 4, tick)

        tick()

    def stop(self) -> None:
        """Look no more."""
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
            log.info("closed %d connections on which nobody asked for anything", len(expired))
