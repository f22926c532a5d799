"""Short run of the attack benchmark (`make attacks`), without its latency bounds."""

import pytest

from benchmarks.attacks.__main__ import run_attack


@pytest.mark.parametrize("name", ["messages", "requests of pages"])
async def test_a_bystander_is_served_during_an_attack(name: str) -> None:
    report = await run_attack(name, 0.5)
    assert report.counters.units > 0
    assert report.counters.connections > 0
    assert 0 < report.p99 <= report.worst
