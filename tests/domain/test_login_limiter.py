"""Limit of failed logins: free failures, backoff, scope and memory."""

import pytest

from server.domain import login_limiter
from server.domain.login_limiter import FAILURE_WINDOW, FIRST_DELAY, FREE_FAILURES, MAX_DELAY, LoginLimiter

HOME, SCHOOL = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def limiter() -> LoginLimiter:
    return LoginLimiter()


def fail(limiter: LoginLimiter, count: int, now: float, name: str = "ann", address: str = HOME) -> list[float]:
    """Return the delays of failing attempts at one time."""
    return [limiter.acquire(name, address, now) for _ in range(count)]


def test_attempts_after_five_failures_are_delayed(limiter: LoginLimiter) -> None:
    assert fail(limiter, FREE_FAILURES, 0.0) == [0.0] * FREE_FAILURES
    assert fail(limiter, 2, 10.0) == [50.0, 50.0]


def test_each_further_failure_doubles_the_delay_up_to_a_maximum(limiter: LoginLimiter) -> None:
    fail(limiter, FREE_FAILURES, 0.0)
    now, delays = 0.0, list[float]()
    for _ in range(8):
        delays.append(limiter.acquire("ann", HOME, now))
        now += delays[-1]
        assert limiter.acquire("ann", HOME, now) == 0.0
    assert delays == [60, 120, 240, 480, 900, 900, 900, 900]


def test_fewer_than_20_of_10000_guesses_in_10000_seconds_are_permitted(limiter: LoginLimiter) -> None:
    permitted = [second for second in range(10_000) if limiter.acquire("ann", HOME, float(second)) == 0.0]
    assert permitted[:FREE_FAILURES] == list(range(FREE_FAILURES))
    assert len(permitted) < 20


def test_a_success_resets_the_count(limiter: LoginLimiter) -> None:
    fail(limiter, FREE_FAILURES - 1, 0.0)
    assert limiter.acquire("ann", HOME, 1.0) == 0.0
    limiter.reset("ann", HOME)
    assert fail(limiter, FREE_FAILURES, 2.0) == [0.0] * FREE_FAILURES


def test_rare_failures_never_block(limiter: LoginLimiter) -> None:
    assert [limiter.acquire("ann", HOME, FAILURE_WINDOW * number) for number in range(50)] == [0.0] * 50


def test_a_withdrawn_attempt_counts_no_failure(limiter: LoginLimiter) -> None:
    for _ in range(50):
        assert limiter.acquire("ann", HOME, 0.0) == 0.0
        limiter.release("ann", HOME)


def test_failures_block_neither_other_addresses_nor_other_accounts(limiter: LoginLimiter) -> None:
    fail(limiter, 100, 0.0)
    assert limiter.acquire("ann", SCHOOL, 0.0) == 0.0
    assert limiter.acquire("bob", HOME, 0.0) == 0.0


def test_one_ipv6_network_counts_as_one_address(limiter: LoginLimiter) -> None:
    for number in range(FREE_FAILURES):
        assert limiter.acquire("ann", f"2001:db8::{number}", 0.0) == 0.0
    assert limiter.acquire("ann", "2001:db8::ffff", 0.0) == FIRST_DELAY


def test_outdated_counts_are_removed(limiter: LoginLimiter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_limiter, "_SWEEP_INTERVAL", 10)
    for number in range(1000):
        limiter.acquire(f"guess{number}", HOME, number * MAX_DELAY)
    assert len(limiter._failures) < 20  # pyright: ignore[reportPrivateUsage]
