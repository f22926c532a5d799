"""Token buckets and the limits per connection and address."""

import pytest
from hypothesis import given, strategies as st

from server.domain.rate_limits import ConnectionLimiter, PerAddressLimiter, Quota, Rate, TokenBucket, is_loopback
from tui_chat.protocol.errors import RateLimited


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 10), st.floats(0.5, 5))
def test_a_token_bucket_never_exceeds_burst_plus_rate(pauses: list[float], burst: int, rate: float) -> None:
    bucket = TokenBucket(Rate(burst, rate), 0.0)
    now, admitted = 0.0, 0
    for pause in pauses:
        now += pause
        admitted += bucket.acquire(now) == 0
    assert admitted <= burst + now * rate + 1e-6


@pytest.mark.parametrize("pause", [1.0, 5.0, 100.0, 1e6])
def test_a_bucket_refills_to_its_burst_and_not_beyond(pause: float) -> None:
    bucket = TokenBucket(Rate(5, 2), 0.0)
    now = 0.0
    for _ in range(3):
        while bucket.acquire(now) == 0:
            pass
        now += pause
        admitted = 0
        while bucket.acquire(now) == 0:
            admitted += 1
        assert admitted == min(5, 2 * pause)


def test_a_rejected_request_passes_after_the_returned_delay() -> None:
    bucket = TokenBucket(Rate(2, 4), 100.0)
    assert [bucket.acquire(100.0), bucket.acquire(100.0)] == [0, 0]
    delay = bucket.acquire(100.0)
    assert delay == pytest.approx(0.25)
    assert bucket.acquire(100.0 + delay + 1e-9) == 0


def test_reading_the_quota_of_a_bucket_consumes_no_token() -> None:
    bucket = TokenBucket(Rate(10, 2), 100.0)
    assert bucket.is_full(100.0)
    assert bucket.acquire(100.0, 7.5) == 0
    for _ in range(2):
        assert bucket.get_quota(101.0) == Quota(limit=10, window=5.0, remaining=4, reset=2.75)
        assert [bucket.is_full(now) for now in (103.5, 103.75, 104.0)] == [False, True, True]
    assert bucket.get_quota(200.0) == Quota(limit=10, window=5.0, remaining=10, reset=0.0)


def test_a_cost_above_the_capacity_requires_a_full_bucket_and_leaves_a_debt() -> None:
    bucket = TokenBucket(Rate(10, 2), 200.0)
    assert bucket.acquire(200.0, 20) == 0
    assert bucket.get_quota(200.0) == Quota(limit=10, window=5.0, remaining=0, reset=10.0)
    assert bucket.acquire(204.0, 20) == 6.0
    assert bucket.acquire(205.0, 1) == 0.5


def test_a_negative_cost_returns_tokens() -> None:
    bucket = TokenBucket(Rate(1, 2), 205.0)
    assert bucket.acquire(205.0, 1) == 0
    assert bucket.acquire(205.0, 1) == 0.5
    assert bucket.acquire(205.0, -1) == 0
    assert bucket.acquire(205.0, 1) == 0


def test_concurrent_connections_per_address_are_limited() -> None:
    limiter = ConnectionLimiter(max_connections=2, per_minute=100)
    limiter.release("192.0.2.2")  # without effect
    for address in ("192.0.2.1", "192.0.2.2"):
        limiter.acquire(address, 0)
        limiter.acquire(address, 0)
        with pytest.raises(RateLimited) as error:
            limiter.acquire(address, 0)
        assert (error.value.reason, error.value.retry_after) == ("too_many_connections", 5.0)
    limiter.release("192.0.2.1")
    limiter.acquire("192.0.2.1", 0)


def test_connections_per_minute_and_address_are_limited() -> None:
    limiter = ConnectionLimiter(max_connections=1000, per_minute=3)
    for _ in range(3):
        limiter.acquire("2001:db8::1", 0)
        limiter.release("2001:db8::1")
    with pytest.raises(RateLimited) as error:
        limiter.acquire("2001:db8::1", 0)
    assert (error.value.reason, error.value.retry_after) == ("too_many_new_connections", pytest.approx(20))
    limiter.acquire("2001:db8::1", 20.001)


def test_loopback_addresses_are_unlimited() -> None:
    limiter = ConnectionLimiter(max_connections=1, per_minute=1)
    for _ in range(50):
        limiter.acquire("127.0.0.1", 0)
        limiter.acquire("::1", 0)
    rate_limiter = PerAddressLimiter(per_minute=1)
    assert [rate_limiter.acquire("127.0.0.1", 0) for _ in range(5)] == [0] * 5
    assert is_loopback("127.8.9.1")
    assert not is_loopback("unknown")


def test_addresses_of_one_ipv6_prefix_share_a_limit() -> None:
    limiter = ConnectionLimiter(max_connections=2, per_minute=100)
    limiter.acquire("2001:db8::1", 0)
    limiter.acquire("2001:db8:0:0:ffff::2", 0)
    with pytest.raises(RateLimited):
        limiter.acquire("2001:db8::3", 0)
    limiter.acquire("2001:db8:0:1::1", 0)
    limiter.release("2001:db8::1")
    limiter.acquire("2001:db8::3", 0)


def test_an_ipv4_mapped_address_shares_the_limit_of_its_ipv4_address() -> None:
    limiter = ConnectionLimiter(max_connections=2, per_minute=100)
    limiter.acquire("192.0.2.1", 0)
    limiter.acquire("::ffff:192.0.2.1", 0)
    with pytest.raises(RateLimited):
        limiter.acquire("192.0.2.1", 0)
    limiter.acquire("192.0.2.2", 0)


def test_rate_limits_are_independent_per_address() -> None:
    limiter = PerAddressLimiter(per_minute=2)
    assert [limiter.acquire("192.0.2.1", 0), limiter.acquire("192.0.2.1", 0)] == [0, 0]
    assert limiter.acquire("192.0.2.1", 0) == pytest.approx(30)
    assert limiter.acquire("192.0.2.2", 0) == 0
    assert limiter.acquire("192.0.2.1", 30.001) == 0


def test_token_buckets_of_inactive_addresses_are_discarded() -> None:
    limiter = PerAddressLimiter(per_minute=60)
    for number in range(5000):
        limiter.acquire(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", float(number * 10))
    assert len(limiter._buckets) <= 1024  # pyright: ignore[reportPrivateUsage]
