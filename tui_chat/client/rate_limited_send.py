"""Saying something and waiting until it was said, at the pace that the server allows.

Rule 1  One message at a time waits out the rate limit; the others wait behind it.
"""

import asyncio
import logging
from typing import TYPE_CHECKING

from tui_chat.client.errors import UnsupportedByServer
from tui_chat.client.net.basic_server import BasicServer
from tui_chat.client.net.connector import Connector
from tui_chat.client.net.gate import Gate
from tui_chat.protocol.errors import RateLimited
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import SendResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport

log = logging.getLogger("chat.client")


class RateLimitedSender:
    """What is sent into one room while somebody waits for it.

    Args:
        gate: Open with the connection on which the room is joined.
        link: The way to the server.
        talk: The way to a plain server.
    """

    def __init__(self, gate: "Gate[Transport]", connector: Connector, basic_server: BasicServer) -> None:
        self._gate = gate
        self._connector = connector
        self._basic_server = basic_server
        self._throttle_lock = asyncio.Lock()  # held by the one message that waits out the rate limit

    async def send(self, request: SendMessage, timeout: float) -> SendResponse:
        """Send it, and wait for its acknowledgement; what it raises is in `Room.send`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        if not self._throttle_lock.locked():
            try:
                return await self._connector.request(self._gate, request, SendResponse, timeout)
            except RateLimited:
                log.debug("a message waits for its turn")
            except UnsupportedByServer:
                return await self._basic_server.send(await self._gate.wait(), request)
        try:
            async with asyncio.timeout_at(deadline):
                await self._throttle_lock.acquire()
        except TimeoutError:
            raise RateLimited("too many messages wait already") from None
        try:
            return await self._connector.request(
                self._gate, request, SendResponse, deadline - loop.time(), wait_for_rate_limit=True
            )
        finally:
            self._throttle_lock.release()
