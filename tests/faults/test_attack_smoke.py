"""Short run of the attack benchmark (`make attacks`), without its latency bounds."""

import asyncio

import pytest

from benchmarks.attacks.__main__ import run_attack
from benchmarks.attacks.attacks import ATTACKS, Attack, AttackCounters, packet_flood
from tests.support.wait import wait_until


@pytest.mark.parametrize("name", ["messages", "requests of pages"])
async def test_a_bystander_is_served_during_an_attack(name: str) -> None:
    report = await run_attack(name, 0.5)
    assert report.counters.units > 0
    assert report.counters.connections > 0
    assert 0 < report.p99 <= report.worst


@pytest.mark.parametrize(
    ("attack", "first_bytes"),
    [(packet_flood("6", connections=1), b"joinRoom"), (ATTACKS["empty fragments"], b"\x01\x81")],
)
async def test_each_connection_of_an_attack_starts_with_the_first_packet(attack: Attack, first_bytes: bytes) -> None:
    received: list[bytes] = []

    async def disconnect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        received.append(await reader.readexactly(100))
        writer.close()

    server = await asyncio.start_server(disconnect, "127.0.0.1", 0)
    async with server:
        attacking = asyncio.ensure_future(attack(server.sockets[0].getsockname()[1], AttackCounters()))
        await wait_until(lambda: len(received) > 2)
        attacking.cancel()
        await asyncio.wait({attacking})
    assert all(first_bytes in data for data in received)
