from hypothesis import given
from hypothesis import strategies as st

from tui_chat.client.backoff import CAP, FIRST, SPREAD, Backoff


def test_a_short_break_heals_within_two_seconds() -> None:
    backoff = Backoff(lambda: 0.999)
    assert backoff.next_delay() <= FIRST
    assert sum(backoff.next_delay() for _ in range(2)) < 1.75


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 200))
def test_waits_grow_to_the_cap_and_not_beyond(chance: float, attempts: int) -> None:
    backoff = Backoff(lambda: chance)
    delays = [backoff.next_delay() for _ in range(attempts)]
    assert all(0 < delay <= CAP for delay in delays)
    assert delays == sorted(delays)


def test_chance_spreads_clients_over_half_of_the_wait() -> None:
    early, late = Backoff(lambda: 0.0), Backoff(lambda: 0.999999)
    soonest, latest = [(early.next_delay(), late.next_delay()) for _ in range(20)][-1]
    assert soonest == CAP / 2
    assert latest > CAP * 0.99


def test_a_connection_that_lasted_starts_anew() -> None:
    backoff = Backoff(lambda: 0.5)
    first = backoff.next_delay()
    for _ in range(9):
        backoff.next_delay()
    backoff.forget_failures()
    assert backoff.next_delay() == first


def test_a_server_that_says_when_it_is_back_is_not_asked_before() -> None:
    backoff = Backoff(lambda: 0.5)
    backoff.told(3.0)
    assert backoff.next_delay() == 3.0 + SPREAD / 2
    assert backoff.next_delay() < 1.0


def test_a_server_cannot_send_a_client_away_for_long() -> None:
    backoff = Backoff(lambda: 0.0)
    backoff.told(10**9)
    assert backoff.next_delay() == CAP
