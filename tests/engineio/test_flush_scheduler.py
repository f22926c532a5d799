"""Time slice, cooldown and order of the flush scheduler, with a clock that only flushes advance."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from server.engineio import flush_scheduler
from server.engineio.flush_scheduler import FlushScheduler
from server.engineio.send_queue import SendQueue
from server.observability.supervision import Supervisor

BATCH = 16
"""Flushes between two reads of the clock, and queues of a small round."""


class FakeLoop:
    """Clock and event loop; `run_tick` runs the callbacks of one tick.

    Attributes:
        now: Time in seconds.
        delays: Delays of all timers.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.delays: list[float] = []
        self._ready: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._ready.append(callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self.delays.append(delay)
        self._ready.append(callback)

    def run_tick(self) -> None:
        ready, self._ready = self._ready, []
        for callback in ready:
            callback()

    def run_all(self) -> None:
        while self._ready:
            self.run_tick()


class SlowQueue:
    """Send queue whose flush takes `seconds`."""

    def __init__(self, loop: FakeLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1
        self._loop.now += self._seconds


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> FakeLoop:
    """Clock and event loop of the flush scheduler."""
    loop = FakeLoop()
    monkeypatch.setattr(flush_scheduler, "time", SimpleNamespace(perf_counter=lambda: loop.now))
    monkeypatch.setattr(flush_scheduler, "asyncio", SimpleNamespace(get_running_loop=lambda: loop))
    return loop


@pytest.fixture
def scheduler(loop: FakeLoop) -> FlushScheduler:
    return FlushScheduler(Supervisor())


def schedule(scheduler: FlushScheduler, loop: FakeLoop, count: int, seconds: float) -> list[SlowQueue]:
    """Schedule and return `count` queues whose flushes take `seconds` each."""
    queues = [SlowQueue(loop, seconds) for _ in range(count)]
    for queue in queues:
        scheduler.schedule(cast(SendQueue, queue))
    return queues


def count_flushes(queues: list[SlowQueue]) -> int:
    """Return the number of flushes of all queues."""
    return sum(queue.flushes for queue in queues)


def test_a_round_starts_in_the_next_tick(scheduler: FlushScheduler, loop: FakeLoop) -> None:
    queues = schedule(scheduler, loop, 2, 0.0)
    assert count_flushes(queues) == 0
    loop.run_tick()
    assert [queue.flushes for queue in queues] == [1, 1]


def test_a_round_yields_after_its_time_slice(scheduler: FlushScheduler, loop: FakeLoop) -> None:
    queues = schedule(scheduler, loop, 5 * BATCH, 0.0001)
    for flushed in (2 * BATCH, 4 * BATCH, 5 * BATCH):
        loop.run_tick()
        assert count_flushes(queues) == flushed
    assert all(queue.flushes == 1 for queue in queues)


def test_later_queues_precede_the_remaining_ones_of_a_large_fan_out(scheduler: FlushScheduler, loop: FakeLoop) -> None:
    large_room = schedule(scheduler, loop, 6 * BATCH, 0.0001)
    loop.run_tick()
    assert count_flushes(large_room) == 2 * BATCH
    response = schedule(scheduler, loop, 1, 0.0)
    loop.run_tick()
    assert (count_flushes(response), count_flushes(large_room)) == (1, 4 * BATCH)


def test_a_backlog_makes_progress_while_other_queues_use_the_time_slice(
    scheduler: FlushScheduler, loop: FakeLoop
) -> None:
    large_room = schedule(scheduler, loop, 4 * BATCH, 0.0001)
    loop.run_tick()
    for flushed in (3 * BATCH, 4 * BATCH):
        others = schedule(scheduler, loop, 1, 0.005)
        loop.run_tick()
        assert (count_flushes(others), count_flushes(large_room)) == (1, flushed)


def test_a_round_within_its_time_slice_does_not_yield(scheduler: FlushScheduler, loop: FakeLoop) -> None:
    queues = schedule(scheduler, loop, 5 * BATCH, 0.002 / (5 * BATCH))
    loop.run_tick()
    assert count_flushes(queues) == 5 * BATCH


@pytest.mark.parametrize(
    ("round_seconds", "cooldown"),
    [(0.001, None), (0.0011, 0.0011), (0.004, 0.004), (0.02, 0.02), (0.5, 0.02)],
)
def test_the_cooldown_equals_a_long_round_up_to_a_maximum(
    scheduler: FlushScheduler, loop: FakeLoop, round_seconds: float, cooldown: float | None
) -> None:
    schedule(scheduler, loop, 1, round_seconds)
    loop.run_all()
    schedule(scheduler, loop, BATCH + 1, 0.0)
    loop.run_tick()
    assert loop.delays == ([] if cooldown is None else [pytest.approx(cooldown)])


def test_the_cooldown_counts_all_slices_of_a_round(scheduler: FlushScheduler, loop: FakeLoop) -> None:
    schedule(scheduler, loop, 3 * BATCH, 0.006 / BATCH)
    loop.run_all()
    schedule(scheduler, loop, BATCH + 1, 0.0)
    loop.run_tick()
    assert loop.delays == [pytest.approx(0.018)]


def test_time_since_the_round_reduces_the_cooldown(scheduler: FlushScheduler, loop: FakeLoop) -> None:
    schedule(scheduler, loop, 1, 0.01)
    loop.run_all()
    loop.now += 0.004
    schedule(scheduler, loop, BATCH + 1, 0.0)
    loop.run_tick()
    assert loop.delays == [pytest.approx(0.006)]
    loop.run_all()
    loop.now += 0.006
    schedule(scheduler, loop, 1, 0.0)
    loop.run_tick()
    assert len(loop.delays) == 1


def test_a_small_round_interrupts_only_a_long_cooldown_without_shortening_it(
    scheduler: FlushScheduler, loop: FakeLoop
) -> None:
    schedule(scheduler, loop, 1, 0.02)
    loop.run_all()
    loop.now += 0.014
    responses = schedule(scheduler, loop, BATCH, 0.002 / BATCH)
    loop.run_tick()
    assert (count_flushes(responses), loop.delays) == (BATCH, [])
    schedule(scheduler, loop, 1, 0.0)
    loop.run_tick()
    assert loop.delays == [pytest.approx(0.004)]


def test_a_short_round_after_a_long_one_has_no_cooldown(scheduler: FlushScheduler, loop: FakeLoop) -> None:
    schedule(scheduler, loop, 1, 0.01)
    loop.run_all()
    loop.now += 1.0
    schedule(scheduler, loop, 1, 0.0005)
    loop.run_all()
    schedule(scheduler, loop, 1, 0.0)
    loop.run_tick()
    assert loop.delays == []


def test_queues_scheduled_during_a_round_are_flushed_in_it(scheduler: FlushScheduler, loop: FakeLoop) -> None:
    late = SlowQueue(loop, 0.0)

    class Scheduling(SlowQueue):
        def flush(self) -> None:
            super().flush()
            scheduler.schedule(cast(Any, late))

    scheduler.schedule(cast(Any, Scheduling(loop, 0.0)))
    loop.run_tick()
    assert late.flushes == 1
