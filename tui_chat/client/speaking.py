"""Saying something and waiting until it was said, at the pace that the server allows.

Rule 1  One message at a time waits out the rate limit; the others wait behind it.
"""

import asyncio
import logging
from typing import TYPE_CHECKING

from server.protocol.answers import SendResponse
from server.protocol.errors import RateLimited
from server.protocol.requests import SendMessage
from tui_chat.client.errors import NotServed
from tui_chat.client.gate import Gate
from tui_chat.client.link import Link
from tui_chat.client.plain import PlainTalk

if TYPE_CHECKING:
    from tui_chat.client.transport import Transport

log = logging.getLogger("chat.client")


class Speaking:
    """What is sent into one room while somebody waits for it.

    Args:
        gate: Open with the connection on which the room is joined.
        link: The way to the server.
        talk: The way to a plain server.
    """

    def __init__(self, gate: "Gate[Transport]", link: Link, talk: PlainTalk) -> None:
        self._gate = gate
        self._link = link
        self._talk = talk
        self._turn = asyncio.Lock()  # held by the one message that waits out the rate limit

    async def send(self, request: SendMessage, timeout: float) -> SendResponse:
        """Send it, and wait for its acknowledgement; what it raises is in `Room.send`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        if not self._turn.locked():
            try:
                return await self._link.ask(self._gate, request, SendResponse, timeout)
            except RateLimited:
                log.debug("a message waits for its turn")
            except NotServed:
                return await self._talk.send(await self._gate.passed(), request)
        try:
            async with asyncio.timeout_at(deadline):
                await self._turn.acquire()
        except TimeoutError:
            raise RateLimited("too many messages wait already") from None
        try:
            return await self._link.ask(self._gate, request, SendResponse, deadline - loop.time(), patient=True)
        finally:
            self._turn.release()
