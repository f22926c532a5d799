"""When what came is applied and drawn, and in which pieces."""

import pytest

from tui_chat.client.events import LogChanged, TopicChanged
from tui_chat.ui.inbox import TOGETHER, Inbox
from tui_chat.ui.pace import BETWEEN_DRAWS, CROWDED, ECHO, REST, SLICE, STILL_MOST, TYPING, Pace


class Clock:
    now = 100.0
    line_is_behind = False

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock, lambda: clock.line_is_behind)


def draw(pace: Pace) -> None:
    with pace.drawing():
        pass


def test_what_comes_first_is_applied_at_once_and_what_follows_is_gathered(pace: Pace, clock: Clock) -> None:
    assert pace.wait == 0
    draw(pace)
    assert pace.wait == pytest.approx(BETWEEN_DRAWS)
    clock.now += BETWEEN_DRAWS
    assert pace.wait == 0


def test_for_one_who_types_it_is_drawn_less_often(pace: Pace, clock: Clock) -> None:
    pace.pressed()
    clock.now += ECHO
    draw(pace)
    assert pace.wait == pytest.approx(STILL_MOST)
    clock.now += TYPING
    draw(pace)
    assert pace.wait == pytest.approx(BETWEEN_DRAWS)


def test_a_key_goes_first_but_the_screen_does_not_stand_still_for_one_who_types_on(pace: Pace, clock: Clock) -> None:
    draw(pace)
    drawn = clock.now
    while pace.hold or clock.now == drawn:
        pace.pressed()
        clock.now += ECHO / 3
    assert clock.now - drawn == pytest.approx(STILL_MOST, abs=ECHO)
    clock.now += 1
    assert pace.hold == 0
    draw(pace)
    pace.pressed()
    assert pace.hold == pytest.approx(ECHO)


def test_while_the_line_is_behind_nothing_is_begun_however_long_that_takes(pace: Pace, clock: Clock) -> None:
    clock.line_is_behind = True
    clock.now += 60
    assert pace.wait > 0
    assert pace.hold > 0
    clock.line_is_behind = False
    assert pace.wait == pace.hold == 0


def test_in_a_flood_it_is_drawn_before_all_is_applied(pace: Pace, clock: Clock) -> None:
    draw(pace)
    assert pace.slice_end == clock.now + SLICE
    assert not pace.due
    clock.now += CROWDED
    assert pace.due


def test_a_drawing_that_takes_long_does_not_put_off_the_next_but_leaves_time_for_others(
    pace: Pace, clock: Clock
) -> None:
    begun = clock.now
    with pace.drawing():
        clock.now += CROWDED - 2 * REST
    assert not pace.due
    clock.now = begun + CROWDED
    assert pace.due
    with pace.drawing():
        clock.now += 3 * CROWDED
    assert not pace.due
    clock.now += REST
    assert pace.due


def test_what_is_said_in_a_row_is_taken_together_in_order_and_in_pieces() -> None:
    told: list[bool] = []
    inbox = Inbox(lambda: told.append(True))
    for seq in range(1, TOGETHER + 11):
        inbox.put(LogChanged("tea", (seq,), True))
    inbox.put(TopicChanged("tea", "leaves"))
    inbox.put(LogChanged("tea", (7, TOGETHER + 11), True))
    inbox.put(LogChanged("tea", (3,), False))
    assert told == [True]
    taken = [inbox.take() for _ in range(5)]
    assert not inbox
    assert taken == [
        LogChanged("tea", tuple(range(1, TOGETHER + 1)), True),
        LogChanged("tea", tuple(range(TOGETHER + 1, TOGETHER + 11)), True),
        TopicChanged("tea", "leaves"),
        LogChanged("tea", (7, TOGETHER + 11), True),
        LogChanged("tea", (3,), False),
    ]
    inbox.put(TopicChanged("tea", ""))
    assert told == [True, True]
