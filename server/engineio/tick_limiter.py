"""Limiter of expensive work per event loop tick.

Example: a thousand simultaneous joins cost one millisecond each. Without a limit, all other
connections wait for one second.
"""

import asyncio
from collections import deque


class TickLimiter:
    """FIFO limiter of acquisitions per event loop tick.

    Args:
        per_tick: Acquisitions in one tick.
    """

    def __init__(self, per_tick: int) -> None:
        self._per_tick = per_tick
        self._acquired = 0
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for a free slot in the current or a later tick; slots are not released.

        Waiters proceed in the order of the calls, and have precedence over new calls. A cancelled waiter uses no slot.
        """
        if self._acquired < self._per_tick:  # waiters exist only at the limit
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
            if not waiter.done():  # cancelled while waiting
                waiter.set_result(None)
                self._count_acquired()
