"""A WebSocket that measures how long a ping takes to be answered (RFC 6455, 5.5.2 and 5.5.3)."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType


class TimedSocket(ClientWebSocketResponse):
    """aiohttp's, made with `autoping=False`: pings are answered here, and the answers to ours are timed."""

    clock: Callable[[], float] = time.monotonic

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._sent: dict[bytes, tuple[float, asyncio.Future[float]]] = {}
        self._count = 0

    async def round_trip(self) -> float:
        """Send a ping and wait for its answer; the seconds that took.

        Raises:
            ConnectionError: The connection has ended.
        """
        self._count += 1
        mark = b"%d" % self._count
        answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._sent[mark] = (self.clock(), answered)
        try:
            await self.ping(mark)
            return await answered
        finally:
            self._sent.pop(mark, None)

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """As aiohttp's; pings and pongs do not come out."""
        while True:
            message: WSMessage = await super().receive(timeout)
            if message.type is WSMsgType.PING:
                await self.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self._took(bytes(message.data))
            else:
                return message

    def _took(self, mark: bytes) -> None:
        sent = self._sent.get(mark)
        if sent is not None and not sent[1].done():
            sent[1].set_result(self.clock() - sent[0])
