"""Limiter of expensive work per event loop tick.

Example: a thousand simultaneous joins cost one millisecond each. Without a limit, all other
connections wait for one second.
"""

import asyncio


class TickLimiter:
    """FIFO limiter of acquisitions per event loop tick.

    Args:
        per_tick: Maximum number of acquisitions in one tick.
    """

    def __init__(self, per_tick: int) -> None:
        self._slots = asyncio.Semaphore(per_tick)

    async def acquire(self) -> None:
        """Wait for a free slot in the current or a later tick; the slot is free again in the next tick.

        Waiters proceed in the order of the calls, and have precedence over new calls. A cancelled waiter uses no slot.
        """
        await self._slots.acquire()
        asyncio.get_running_loop().call_soon(self._slots.release)
