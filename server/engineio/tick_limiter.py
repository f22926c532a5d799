"""Heavy work, a little of it in each turn of the event loop.

A thousand people who come at once are a thousand answers of a millisecond: done
in one go, nobody else is heard for a second.
"""

import asyncio
from collections import deque


class TickLimiter:
    """Lets so many through in each turn of the event loop, in the order they asked.

    Args:
        each_turn: How many.
    """

    def __init__(self, per_tick: int) -> None:
        self._per_tick = per_tick
        self._acquired = 0
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait until it is your turn."""
        if self._acquired < self._per_tick and not self._waiters:
            self._count_acquired()
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _count_acquired(self) -> None:
        if not self._acquired:
            asyncio.get_running_loop().call_soon(self._start_tick)
        self._acquired += 1

    def _start_tick(self) -> None:
        self._acquired = 0
        while self._waiters and self._acquired < self._per_tick:
            waiter = self._waiters.popleft()
            if not waiter.done():  # whoever waited may be gone
                waiter.set_result(None)
                self._count_acquired()
