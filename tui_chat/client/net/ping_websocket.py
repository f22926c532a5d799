"""WebSocket with round-trip time measurement (RFC 6455, sections 5.5.2 and 5.5.3)."""

import asyncio
import time
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType


class PingWebSocket(ClientWebSocketResponse):
    """aiohttp WebSocket for `autoping=False` that replies to pings and matches pongs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pending_pings: dict[bytes, asyncio.Event] = {}  # set by the pong with the same payload
        self._ping_count = 0

    async def measure_latency(self) -> float:
        """Send a ping and return the round-trip time in seconds.

        The call does not return if the connection closes before the pong, and raises `ConnectionError` on a closed one.
        """
        self._ping_count += 1
        payload = b"%d" % self._ping_count
        pong_received = self._pending_pings[payload] = asyncio.Event()
        sent_at = time.monotonic()
        try:
            await self.ping(payload)
            await pong_received.wait()
            return time.monotonic() - sent_at
        finally:
            del self._pending_pings[payload]

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """Return the next message that is neither a ping nor a pong; reply to pings.

        A closed connection gives messages of type CLOSE, CLOSING or CLOSED. `TimeoutError` after `timeout` seconds
        without a frame.
        """
        while True:
            message: WSMessage = await super().receive(timeout)
            if message.type is WSMsgType.PING:
                await self.pong(message.data)
            elif message.type is WSMsgType.PONG:
                if (pong_received := self._pending_pings.get(bytes(message.data))) is not None:
                    pong_received.set()
            else:
                return message
