"""Acknowledged sends with retries under the server's rate limit.

- Throttling: one message per room retries after `rate_limited`; later messages wait for a lock.
"""

import asyncio

from tui_chat.client.errors import UnsupportedByServer
from tui_chat.client.log import log
from tui_chat.client.net.basic_server import BasicServer
from tui_chat.client.room_context import RoomContext
from tui_chat.protocol.errors import RateLimited
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import SendResponse


class RateLimitedSender:
    """Sender of acknowledged messages of one room.

    Args:
        context: Connection of the room.
        basic_server: Adapter for basic servers.
    """

    def __init__(self, context: RoomContext, basic_server: BasicServer) -> None:
        self._context = context
        self._basic_server = basic_server
        self._throttle_lock = asyncio.Lock()  # owned by the message that retries after `rate_limited`

    async def send(self, request: SendMessage, timeout: float) -> SendResponse:
        """Send a message and wait for the acknowledgement.

        After `rate_limited`, the message is retried until the timeout, and later messages wait behind. On a basic
        server, `ECHO_TIMEOUT` limits the wait for the echo instead.

        Args:
            request: Message with a `client_id`.
            timeout: Total time for the connection, retries and rate limit, in seconds.

        Raises:
            ChatError: As documented by `Room.send`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        if not self._throttle_lock.locked():
            try:
                return await self._context.request(request, SendResponse, timeout)
            except RateLimited:
                log.debug("rate limit reached: message queued for retry")
            except UnsupportedByServer:
                return await self._basic_server.send(await self._context.gate.wait(), request)
        try:
            async with asyncio.timeout_at(deadline):
                await self._throttle_lock.acquire()
        except TimeoutError:
            raise RateLimited("too_many_queued") from None
        try:
            return await self._context.request(request, SendResponse, deadline - loop.time(), wait_for_rate_limit=True)
        finally:
            self._throttle_lock.release()
