"""Processing of queued events, without an app."""

from collections.abc import Callable

import pytest

from tui_chat.ui.render_scheduler import MIN_IDLE_TIME, RENDER_INTERVAL, RETRY_DELAY, EventProcessor, RenderScheduler


class VirtualLoop:
    """Event queue, timers and screen of an event processor with a virtual clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.queued_slices = 0
        self.is_overfull = False
        self.is_output_blocked = False
        self.log: list[str] = []
        self.callbacks: list[tuple[float, Callable[[], None]]] = []
        self.processor = EventProcessor(
            RenderScheduler(lambda: self.now, lambda: self.is_output_blocked),
            process=self.process,
            is_overfull=lambda: self.is_overfull,
            draw=lambda: self.log.append("draw"),
            set_timer=lambda delay, callback: self.callbacks.append((delay, callback)),
            call_later=lambda callback: self.callbacks.append((0, callback)),
            on_error=lambda error: self.log.append(str(error)),
        )

    def process(self, deadline: float, viewed: bool) -> bool:
        assert deadline > self.now
        self.log.append("process" if viewed else "process unviewed")
        self.queued_slices -= 1
        return self.queued_slices <= 0

    def run_callback(self) -> float:
        """Run the only scheduled callback and return its delay."""
        [(delay, callback)] = self.callbacks
        self.callbacks.clear()
        self.now += delay
        callback()
        return delay


@pytest.fixture
def loop() -> VirtualLoop:
    return VirtualLoop()


def test_a_short_queue_is_processed_and_drawn_once(loop: VirtualLoop) -> None:
    loop.queued_slices = 1
    loop.processor.on_events_queued()
    assert loop.run_callback() == 0
    assert loop.log == ["process", "draw"]
    assert loop.callbacks == []


def test_a_backlog_is_drawn_between_slices_with_idle_time(loop: VirtualLoop) -> None:
    loop.queued_slices = 3
    loop.processor.on_events_queued()
    loop.run_callback()
    assert loop.log == ["process", "draw"]
    assert loop.run_callback() == MIN_IDLE_TIME
    assert loop.log == ["process", "draw", "process"]
    assert loop.run_callback() == 0
    assert loop.log == ["process", "draw", "process", "process", "draw"]


def test_blocked_output_defers_a_short_queue(loop: VirtualLoop) -> None:
    loop.queued_slices = 1
    loop.is_output_blocked = True
    loop.processor.on_events_queued()
    loop.run_callback()
    assert loop.log == []
    loop.is_output_blocked = False
    assert loop.run_callback() == RENDER_INTERVAL
    assert loop.log == ["process", "draw"]


def test_an_overfull_queue_is_drained_unviewed_while_output_is_blocked(loop: VirtualLoop) -> None:
    loop.queued_slices = 5
    loop.is_output_blocked = loop.is_overfull = True
    loop.processor.on_events_queued()
    loop.run_callback()
    loop.run_callback()
    assert loop.log == ["process unviewed"] * 2
    assert [delay for delay, _ in loop.callbacks] == [0]


def test_events_are_processed_after_an_exception_that_is_reported_once(loop: VirtualLoop) -> None:
    loop.queued_slices = 3
    loop.processor.on_events_queued()
    process, remaining_failures = loop.process, [RuntimeError("broken"), RuntimeError("broken")]

    def fail_twice(deadline: float, viewed: bool) -> bool:
        if remaining_failures:
            raise remaining_failures.pop()
        return process(deadline, viewed)

    loop.processor._process = fail_twice  # pyright: ignore[reportPrivateUsage]
    loop.run_callback()
    assert [loop.run_callback() for _ in range(2)] == [RETRY_DELAY, RETRY_DELAY]
    while loop.callbacks:
        loop.run_callback()
    assert loop.log.count("broken") == 1
    assert loop.log[-1] == "draw"
    assert loop.queued_slices <= 0
