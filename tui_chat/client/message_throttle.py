"""Order of the messages of one room under a rate limit: one message retries while later messages wait."""

import asyncio

from tui_chat.client.errors import UnsupportedByServer
from tui_chat.client.log import log
from tui_chat.client.membership import RoomMembership
from tui_chat.protocol.errors import RateLimited
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import SendResponse


class MessageThrottle:
    """Sender of messages with acknowledgement, without the outbox."""

    def __init__(self, membership: RoomMembership) -> None:
        self._membership = membership
        self._lock = asyncio.Lock()  # owned by the message that retries after `rate_limited`

    async def send(self, request: SendMessage, timeout: float) -> SendResponse:
        """Send a message and wait for the acknowledgement, or for the echo of a basic server (see `Room.send`).

        After `rate_limited`, and while another message retries, the message waits until no other one retries. The
        message is then sent again after each `rate_limited`.

        Args:
            request: Message with its `clientId`.
            timeout: Total time limit in seconds. Echoes of basic servers have the time limit `ECHO_TIMEOUT`.

        Raises:
            RateLimited: The rate limit applied until the time limit, or the message waited behind others until then.
            ChatError: As `RoomContext.request`, or as `BasicServer.send`.
        """
        context = self._membership.context
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        if not self._lock.locked():
            try:
                return await context.request(request, SendResponse, timeout)
            except RateLimited:
                log.debug("rate limit reached: message queued for retry")
            except UnsupportedByServer:
                return await self._membership.basic_server.send((await context.gate.wait()).send, request)
        try:
            async with asyncio.timeout_at(deadline):
                await self._lock.acquire()
        except TimeoutError:
            raise RateLimited("too_many_queued") from None
        try:
            if (remaining := deadline - loop.time()) <= 0:
                raise RateLimited("too_many_queued")
            return await context.request(request, SendResponse, remaining, wait_for_rate_limit=True)
        finally:
            self._lock.release()
