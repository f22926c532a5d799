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


class SilentConnections:
    """Knows which connections were heard of, and looks from time to time at those that were not.

    Args:
        patience: Seconds.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._heard = set[object]()
        self._silent_since: dict[object, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @web.middleware
    async def heard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Notes that a connection was heard of."""
        self._heard.add(request.protocol)
        return await handler(request)

    def start(self, server: web.Server) -> None:
        """Begin to look at the connections of this server."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            self._look(server)
            self._timer = loop.call_later(self._patience / 4, look)

        look()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, server: web.Server) -> None:
        now = time.monotonic()
        connections = server.connections
        self._heard.intersection_update(connections)
        silent = [connection for connection in connections if connection not in self._heard]
        self._silent_since = {connection: self._silent_since.get(connection, now) for connection in silent}
        overdue = [connection for connection in silent if now - self._silent_since[connection] > self._patience]
        for connection in overdue:
            connection.force_close()
        if overdue:
            log.info("closed %d connections on which nobody asked for anything", len(overdue))
