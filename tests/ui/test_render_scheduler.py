"""When what came is applied and drawn, and in which pieces."""

import pytest

from tui_chat.client.events import LogChanged, TopicChanged
from tui_chat.ui.event_queue import MAX_MESSAGES_PER_POP, EventQueue
from tui_chat.ui.render_scheduler import (
    BUSY_RENDER_INTERVAL,
    KEY_ECHO_WINDOW,
    MAX_RENDER_DELAY,
    MIN_IDLE_TIME,
    RENDER_INTERVAL,
    TIME_SLICE,
    TYPING_WINDOW,
    RenderScheduler,
)


class Clock:
    now = 100.0
    line_is_behind = False

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> RenderScheduler:
    return RenderScheduler(clock, lambda: clock.line_is_behind)


def draw(pace: RenderScheduler) -> None:
    with pace.rendering():
        pass


def test_what_comes_first_is_applied_at_once_and_what_follows_is_gathered(pace: RenderScheduler, clock: Clock) -> None:
    assert pace.delay == 0
    draw(pace)
    assert pace.delay == pytest.approx(RENDER_INTERVAL)
    clock.now += RENDER_INTERVAL
    assert pace.delay == 0


def test_for_one_who_types_it_is_drawn_less_often(pace: RenderScheduler, clock: Clock) -> None:
    pace.record_input()
    clock.now += KEY_ECHO_WINDOW
    draw(pace)
    assert pace.delay == pytest.approx(MAX_RENDER_DELAY)
    clock.now += TYPING_WINDOW
    draw(pace)
    assert pace.delay == pytest.approx(RENDER_INTERVAL)


def test_a_key_goes_first_but_the_screen_does_not_stand_still_for_one_who_types_on(
    pace: RenderScheduler, clock: Clock
) -> None:
    draw(pace)
    drawn = clock.now
    while pace.input_hold or clock.now == drawn:
        pace.record_input()
        clock.now += KEY_ECHO_WINDOW / 3
    assert clock.now - drawn == pytest.approx(MAX_RENDER_DELAY, abs=KEY_ECHO_WINDOW)
    clock.now += 1
    assert pace.input_hold == 0
    draw(pace)
    pace.record_input()
    assert pace.input_hold == pytest.approx(KEY_ECHO_WINDOW)


def test_while_the_line_is_behind_nothing_is_begun_however_long_that_takes(pace: RenderScheduler, clock: Clock) -> None:
    clock.line_is_behind = True
    clock.now += 60
    assert pace.delay > 0
    assert pace.input_hold > 0
    clock.line_is_behind = False
    assert pace.delay == pace.input_hold == 0


def test_in_a_flood_it_is_drawn_before_all_is_applied(pace: RenderScheduler, clock: Clock) -> None:
    draw(pace)
    assert pace.slice_deadline == clock.now + TIME_SLICE
    assert not pace.is_due
    clock.now += BUSY_RENDER_INTERVAL
    assert pace.is_due


def test_a_drawing_that_takes_long_does_not_put_off_the_next_but_leaves_time_for_others(
    pace: RenderScheduler, clock: Clock
) -> None:
    begun = clock.now
    with pace.rendering():
        clock.now += BUSY_RENDER_INTERVAL - 2 * MIN_IDLE_TIME
    assert not pace.is_due
    clock.now = begun + BUSY_RENDER_INTERVAL
    assert pace.is_due
    with pace.rendering():
        clock.now += 3 * BUSY_RENDER_INTERVAL
    assert not pace.is_due
    clock.now += MIN_IDLE_TIME
    assert pace.is_due


def test_what_is_said_in_a_row_is_taken_together_in_order_and_in_pieces() -> None:
    told: list[bool] = []
    inbox = EventQueue(lambda: told.append(True))
    for seq in range(1, MAX_MESSAGES_PER_POP + 11):
        inbox.put(LogChanged("tea", (seq,), True))
    inbox.put(TopicChanged("tea", "leaves"))
    inbox.put(LogChanged("tea", (7, MAX_MESSAGES_PER_POP + 11), True))
    inbox.put(LogChanged("tea", (3,), False))
    assert told == [True]
    taken = [inbox.pop() for _ in range(5)]
    assert not inbox
    assert taken == [
        LogChanged("tea", tuple(range(1, MAX_MESSAGES_PER_POP + 1)), True),
        LogChanged("tea", tuple(range(MAX_MESSAGES_PER_POP + 1, MAX_MESSAGES_PER_POP + 11)), True),
        TopicChanged("tea", "leaves"),
        LogChanged("tea", (7, MAX_MESSAGES_PER_POP + 11), True),
        LogChanged("tea", (3,), False),
    ]
    inbox.put(TopicChanged("tea", ""))
    assert told == [True, True]
