"""Limit and order of the acquisitions per event loop tick."""

import asyncio

from server.engineio.tick_limiter import TickLimiter


async def run_tick() -> None:
    """Return in the next tick of the event loop."""
    await asyncio.sleep(0)


async def test_each_tick_admits_the_limit_in_the_order_of_the_calls() -> None:
    limiter, admitted = TickLimiter(2), list[int]()

    async def acquire(number: int) -> None:
        await limiter.acquire()
        admitted.append(number)

    tasks = [asyncio.create_task(acquire(number)) for number in range(7)]
    counts: list[int] = []
    while len(admitted) < 7:
        await run_tick()
        if not counts or counts[-1] != len(admitted):
            counts.append(len(admitted))
    assert counts == [2, 4, 6, 7]
    assert admitted == list(range(7))
    await asyncio.gather(*tasks)


async def test_a_new_tick_restores_the_limit() -> None:
    limiter = TickLimiter(1)
    for _ in range(3):
        acquisition = asyncio.create_task(limiter.acquire())
        await run_tick()
        assert acquisition.done()
        await run_tick()


async def test_waiters_precede_new_calls() -> None:
    limiter, admitted = TickLimiter(1), list[str]()

    async def acquire(name: str) -> None:
        await limiter.acquire()
        admitted.append(name)

    await limiter.acquire()
    waiting = asyncio.create_task(acquire("waiting"))
    await run_tick()
    new = asyncio.create_task(acquire("new"))
    await asyncio.gather(waiting, new)
    assert admitted == ["waiting", "new"]


async def test_a_cancelled_waiter_uses_no_slot() -> None:
    limiter = TickLimiter(1)
    admitted, cancelled, waiting = (asyncio.create_task(limiter.acquire()) for _ in range(3))
    await run_tick()
    assert admitted.done()
    cancelled.cancel()
    await run_tick()
    await run_tick()
    assert (cancelled.cancelled(), waiting.done()) == (True, True)
