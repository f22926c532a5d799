from hypothesis import given, strategies as st

from tui_chat.client.net.backoff import (
    EARLY_MAX_DELAY,
    EARLY_RETRY_DURATION,
    INITIAL_DELAY,
    MAX_DELAY,
    RESTART_JITTER,
    Backoff,
)


def test_the_first_three_delays_total_less_than_two_seconds() -> None:
    backoff = Backoff(lambda: 0.999)
    assert backoff.next_delay() <= INITIAL_DELAY
    assert sum(backoff.next_delay() for _ in range(2)) < 1.75


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 200))
def test_delays_grow_up_to_the_maximum(random_value: float, attempts: int) -> None:
    backoff = Backoff(lambda: random_value)
    delays = [backoff.next_delay() for _ in range(attempts)]
    assert all(0 < delay <= MAX_DELAY for delay in delays)
    assert delays == sorted(delays)


@given(st.floats(0, 1, exclude_max=True))
def test_delays_of_the_first_minute_stay_below_the_early_maximum(random_value: float) -> None:
    backoff = Backoff(lambda: random_value)
    first_minute: list[float] = []
    while sum(first_minute) < EARLY_RETRY_DURATION:
        first_minute.append(backoff.next_delay())
    assert max(first_minute) <= EARLY_MAX_DELAY
    assert min(first_minute[3:]) >= EARLY_MAX_DELAY / 2
    later = [backoff.next_delay() for _ in range(9)]
    assert later[-1] >= MAX_DELAY / 2


def test_jitter_covers_half_of_the_delay() -> None:
    early, late = Backoff(lambda: 0.0), Backoff(lambda: 0.999999)
    shortest, longest = [(early.next_delay(), late.next_delay()) for _ in range(100)][-1]
    assert shortest == MAX_DELAY / 2
    assert longest > MAX_DELAY * 0.99


def test_reset_failures_restores_the_initial_delay() -> None:
    backoff = Backoff(lambda: 0.5)
    first = backoff.next_delay()
    for _ in range(9):
        backoff.next_delay()
    backoff.reset_failures()
    assert backoff.next_delay() == first


def test_an_announced_delay_is_respected_once() -> None:
    backoff = Backoff(lambda: 0.5)
    backoff.set_announced_delay(3.0)
    assert backoff.next_delay() == 3.0 + RESTART_JITTER / 2
    assert backoff.next_delay() < 1.0


def test_an_announced_delay_is_capped() -> None:
    backoff = Backoff(lambda: 0.0)
    backoff.set_announced_delay(10**9)
    assert backoff.next_delay() == MAX_DELAY
