import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.connection_limits import ConnectionLimiter, PerAddressLimiter, is_loopback
from server.domain.token_bucket import Rate, TokenBucket
from tui_chat.protocol.errors import RateLimited


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 10), st.floats(0.5, 5))
def test_no_more_than_burst_and_rate_pass_in_any_stretch(pauses: list[float], burst: int, rate: float) -> None:
    bucket = TokenBucket(Rate(burst, rate), 0.0)
    now, passed = 0.0, 0
    for pause in pauses:
        now += pause
        passed += bucket.acquire(now) == 0
    assert passed <= burst + now * rate + 1e-6


def test_a_refused_request_passes_after_the_wait_it_was_told() -> None:
    bucket = TokenBucket(Rate(2, 4), 100.0)
    assert [bucket.acquire(100.0), bucket.acquire(100.0)] == [0, 0]
    wait = bucket.acquire(100.0)
    assert wait == pytest.approx(0.25)
    assert bucket.acquire(100.0 + wait + 1e-9) == 0


def test_an_address_can_hold_so_many_connections() -> None:
    gate = ConnectionLimiter(max_connections=2, per_minute=100)
    gate.acquire("192.0.2.1", 0)
    gate.acquire("192.0.2.1", 0)
    with pytest.raises(RateLimited):
        gate.acquire("192.0.2.1", 0)
    gate.acquire("192.0.2.2", 0)
    gate.release("192.0.2.1")
    gate.acquire("192.0.2.1", 0)


def test_an_address_can_open_so_many_connections_a_minute() -> None:
    gate = ConnectionLimiter(max_connections=1000, per_minute=3)
    for _ in range(3):
        gate.acquire("2001:db8::1", 0)
        gate.release("2001:db8::1")
    with pytest.raises(RateLimited) as refusal:
        gate.acquire("2001:db8::1", 0)
    assert refusal.value.retry_after == pytest.approx(20)
    gate.acquire("2001:db8::1", 20.001)


def test_loopback_is_exempt() -> None:
    gate = ConnectionLimiter(max_connections=1, per_minute=1)
    for _ in range(50):
        gate.acquire("127.0.0.1", 0)
        gate.acquire("::1", 0)
    assert is_loopback("127.8.9.1")
    assert not is_loopback("unknown")


def test_addresses_that_one_subscriber_has_count_together() -> None:
    gate = ConnectionLimiter(max_connections=2, per_minute=100)
    gate.acquire("2001:db8::1", 0)
    gate.acquire("2001:db8:0:0:ffff::2", 0)
    with pytest.raises(RateLimited):
        gate.acquire("2001:db8::3", 0)
    gate.acquire("2001:db8:0:1::1", 0)
    gate.release("2001:db8::1")
    gate.acquire("2001:db8::3", 0)
    gate.acquire("192.0.2.1", 0)
    gate.acquire("::ffff:192.0.2.1", 0)
    with pytest.raises(RateLimited):
        gate.acquire("192.0.2.1", 0)
    gate.acquire("192.0.2.2", 0)


def test_one_address_leaves_the_rate_of_the_others_alone() -> None:
    rate = PerAddressLimiter(per_minute=2)
    assert [rate.acquire("192.0.2.1", 0), rate.acquire("192.0.2.1", 0)] == [0, 0]
    assert rate.acquire("192.0.2.1", 0) == pytest.approx(30)
    assert rate.acquire("192.0.2.2", 0) == 0
    assert rate.acquire("192.0.2.1", 30.001) == 0
    assert [rate.acquire("127.0.0.1", 0) for _ in range(5)] == [0] * 5


def test_counters_of_addresses_that_went_away_are_forgotten() -> None:
    rate = PerAddressLimiter(per_minute=60)
    for number in range(5000):
        rate.acquire(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", float(number * 10))
    assert len(rate) <= 1024
