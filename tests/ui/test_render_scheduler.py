"""Delays of the render scheduler, with a virtual clock."""

import pytest

from tui_chat.ui.render_scheduler import (
    BUSY_RENDER_INTERVAL,
    KEY_ECHO_WINDOW,
    MIN_IDLE_TIME,
    RENDER_INTERVAL,
    TIME_SLICE,
    TYPING_RENDER_INTERVAL,
    TYPING_WINDOW,
    RenderScheduler,
)


class FakeClock:
    """Virtual clock, and the state of the terminal output."""

    now = 100.0
    is_output_blocked = False

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def scheduler(clock: FakeClock) -> RenderScheduler:
    return RenderScheduler(clock, lambda: clock.is_output_blocked)


def render(scheduler: RenderScheduler) -> None:
    """Render a frame that takes no time."""
    with scheduler.rendering():
        pass


def test_the_first_event_is_processed_immediately_and_later_ones_after_the_render_interval(
    scheduler: RenderScheduler, clock: FakeClock
) -> None:
    assert scheduler.delay == 0
    render(scheduler)
    assert scheduler.delay == pytest.approx(RENDER_INTERVAL)
    clock.now += RENDER_INTERVAL
    assert scheduler.delay == 0


def test_rendering_is_less_frequent_while_typing(scheduler: RenderScheduler, clock: FakeClock) -> None:
    scheduler.record_input()
    clock.now += KEY_ECHO_WINDOW
    render(scheduler)
    assert scheduler.delay == pytest.approx(TYPING_RENDER_INTERVAL)
    clock.now += TYPING_WINDOW
    render(scheduler)
    assert scheduler.delay == pytest.approx(RENDER_INTERVAL)


def test_continuous_typing_pauses_processing_for_one_typing_render_interval(
    scheduler: RenderScheduler, clock: FakeClock
) -> None:
    render(scheduler)
    rendered_at = clock.now
    while scheduler.processing_pause or clock.now == rendered_at:
        scheduler.record_input()
        clock.now += KEY_ECHO_WINDOW / 3
    assert clock.now - rendered_at == pytest.approx(TYPING_RENDER_INTERVAL, abs=KEY_ECHO_WINDOW)
    clock.now += 1
    assert scheduler.processing_pause == 0
    render(scheduler)
    scheduler.record_input()
    assert scheduler.processing_pause == pytest.approx(KEY_ECHO_WINDOW)


def test_rendering_pauses_while_the_output_is_blocked(scheduler: RenderScheduler, clock: FakeClock) -> None:
    clock.is_output_blocked = True
    clock.now += 60
    assert scheduler.delay > 0
    assert scheduler.processing_pause > 0
    clock.is_output_blocked = False
    assert scheduler.delay == scheduler.processing_pause == 0


def test_rendering_becomes_due_during_a_flood(scheduler: RenderScheduler, clock: FakeClock) -> None:
    render(scheduler)
    assert scheduler.slice_deadline == clock.now + TIME_SLICE
    assert not scheduler.is_due
    clock.now += BUSY_RENDER_INTERVAL
    assert scheduler.is_due


def test_a_slow_render_is_followed_by_the_minimum_idle_time(scheduler: RenderScheduler, clock: FakeClock) -> None:
    started = clock.now
    with scheduler.rendering():
        clock.now += BUSY_RENDER_INTERVAL - 2 * MIN_IDLE_TIME
    assert not scheduler.is_due
    clock.now = started + BUSY_RENDER_INTERVAL
    assert scheduler.is_due
    with scheduler.rendering():
        clock.now += 3 * BUSY_RENDER_INTERVAL
    assert not scheduler.is_due
    clock.now += MIN_IDLE_TIME
    assert scheduler.is_due
