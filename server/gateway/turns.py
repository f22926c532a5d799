"""Heavy work, a little of it in each turn of the event loop.

A thousand people who come at once are a thousand answers of a millisecond: done
in one go, nobody else is heard for a second.
"""

import asyncio
from collections import deque


class Turns:
    """Lets so many through in each turn of the event loop, in the order they asked.

    Args:
        each_turn: How many.
    """

    def __init__(self, each_turn: int) -> None:
        self._each_turn = each_turn
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait until it is your turn."""
        if self._taken < self._each_turn and not self._waiting:
            self._count()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _count(self) -> None:
        if not self._taken:
            asyncio.get_running_loop().call_soon(self._next)
        self._taken += 1

    def _next(self) -> None:
        self._taken = 0
        while self._waiting and self._taken < self._each_turn:
            turn = self._waiting.popleft()
            if not turn.done():  # whoever waited may be gone
                turn.set_result(None)
                self._count()
