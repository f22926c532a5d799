from hypothesis import given
from hypothesis import strategies as st

from tui_chat.client.net.backoff import INITIAL_DELAY, MAX_DELAY, RESTART_JITTER, Backoff


def test_a_short_break_heals_within_two_seconds() -> None:
    backoff = Backoff(lambda: 0.999)
    assert backoff.next_delay() <= INITIAL_DELAY
    assert sum(backoff.next_delay() for _ in range(2)) < 1.75


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 200))
def test_waits_grow_to_the_cap_and_not_beyond(chance: float, attempts: int) -> None:
    backoff = Backoff(lambda: chance)
    delays = [backoff.next_delay() for _ in range(attempts)]
    assert all(0 < delay <= MAX_DELAY for delay in delays)
    assert delays == sorted(delays)


def test_chance_spreads_clients_over_half_of_the_wait() -> None:
    early, late = Backoff(lambda: 0.0), Backoff(lambda: 0.999999)
    soonest, latest = [(early.next_delay(), late.next_delay()) for _ in range(20)][-1]
    assert soonest == MAX_DELAY / 2
    assert latest > MAX_DELAY * 0.99


def test_a_connection_that_lasted_starts_anew() -> None:
    backoff = Backoff(lambda: 0.5)
    first = backoff.next_delay()
    for _ in range(9):
        backoff.next_delay()
    backoff.reset_failures()
    assert backoff.next_delay() == first


def test_a_server_that_says_when_it_is_back_is_not_asked_before() -> None:
    backoff = Backoff(lambda: 0.5)
    backoff.set_announced_delay(3.0)
    assert backoff.next_delay() == 3.0 + RESTART_JITTER / 2
    assert backoff.next_delay() < 1.0


def test_a_server_cannot_send_a_client_away_for_long() -> None:
    backoff = Backoff(lambda: 0.0)
    backoff.set_announced_delay(10**9)
    assert backoff.next_delay() == MAX_DELAY
