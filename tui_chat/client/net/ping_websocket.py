"""WebSocket with round-trip time measurement (RFC 6455, sections 5.5.2 and 5.5.3)."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType


class PingWebSocket(ClientWebSocketResponse):
    """aiohttp WebSocket for `autoping=False` that replies to pings and matches pongs."""

    clock: Callable[[], float] = time.monotonic

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pending_pings: dict[bytes, tuple[float, asyncio.Future[float]]] = {}
        self._ping_count = 0

    async def measure_latency(self) -> float:
        """Send a ping and return the round-trip time in seconds.

        No time limit; concurrent pings are matched by payload.

        Raises:
            ConnectionError: The connection is closed.
        """
        self._ping_count += 1
        payload = b"%d" % self._ping_count
        latency: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._pending_pings[payload] = (self.clock(), latency)
        try:
            await self.ping(payload)
            return await latency
        finally:
            self._pending_pings.pop(payload, None)

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """Return the next message that is neither a ping nor a pong; reply to pings.

        A closed connection returns messages of type CLOSE, CLOSING or CLOSED.

        Args:
            timeout: Time limit for each frame in seconds, None for no limit.

        Raises:
            TimeoutError: No frame before the time limit.
        """
        while True:
            message: WSMessage = await super().receive(timeout)
            if message.type is WSMsgType.PING:
                await self.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self._on_pong(bytes(message.data))
            else:
                return message

    def _on_pong(self, payload: bytes) -> None:
        pending_ping = self._pending_pings.get(payload)
        if pending_ping is not None and not pending_ping[1].done():
            pending_ping[1].set_result(self.clock() - pending_ping[0])
