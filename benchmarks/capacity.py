"""Many connections in rooms of some size, talking at a steady pace, some of them not reading.

    python -m benchmarks.capacity --connections 10000 --rate 500 --seconds 600

Prints what the load saw and what the server says of itself, minute by minute.
"""

import argparse
import asyncio
import random
import statistics
import time
from dataclasses import asdict, dataclass

import aiohttp
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load import Member, Tally, enter
from benchmarks.servers import Peer, become_the_load, started

PROBES_EVERY = 50
"""One member in so many looks into what arrives."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What one stretch of the run was like.

    Attributes:
        kib_a_connection: Resident memory above that of the idle server.
        lag_over_50: Times in this stretch that the event loop was more than 50 ms late.
        cut: Connections that the server has cut since the start.
    """

    second: int
    delivered: int
    p50: float
    p99: float
    kib_a_connection: float
    cpu_share: float
    lag_over_50: int
    cut: int
    lost: int
    disorder: int


async def numbers(url: str) -> dict[str, float]:
    """What `/metrics` says, by name and labels."""
    async with aiohttp.ClientSession() as session, session.get(url + "/metrics") as answer:
        text = await answer.text()
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def lag_over_50(found: dict[str, float]) -> int:
    """How often the loop was more than 50 ms late since the start."""
    return int(found["event_loop_lag_seconds_bucket+Inf"] - found["event_loop_lag_seconds_bucket0.05"])


async def run(peer: Peer, given: argparse.Namespace) -> list[Minute]:
    """Connect everybody, let them talk, and look once a stretch."""
    tally, chance = Tally(), random.Random(1)
    idle = peer.resident()
    members: list[tuple[Member, str]] = []
    for number in range(given.connections):
        room = f"room {number // given.room}"
        member = await enter(peer.url, tally, room, f"m{number}", probe=number % PROBES_EVERY == 0)
        members.append((member, room))
    await asyncio.sleep(2)
    stalled = chance.sample(range(given.connections), int(given.connections * given.stalled))
    for number in stalled:
        members[number][0].stop_reading()
    talkers = [place for number, place in enumerate(members) if number not in set(stalled)]
    minutes: list[Minute] = []
    began = time.perf_counter()
    sent = 0
    lags = lag_over_50(await numbers(peer.url))
    while (elapsed := time.perf_counter() - began) < given.seconds:
        tally.delivered = 0
        tally.latencies.clear()
        cpu, since = peer.cpu(), time.perf_counter()
        until = min(elapsed + given.every, given.seconds)
        while (elapsed := time.perf_counter() - began) < until:
            for _ in range(int(elapsed * given.rate) - sent):
                sent += 1
                member, room = chance.choice(talkers)
                member.say(room, "m", 64)
            await asyncio.sleep(0.005)
        found = await numbers(peer.url)
        latencies = sorted(tally.latencies) or [0.0]
        over = lag_over_50(found)
        minute = Minute(
            second=round(elapsed),
            delivered=tally.delivered,
            p50=statistics.median(latencies) * 1e3,
            p99=latencies[int(len(latencies) * 0.99)] * 1e3,
            kib_a_connection=(peer.resident() - idle) / given.connections / 1024,
            cpu_share=(peer.cpu() - cpu) / (time.perf_counter() - since),
            lag_over_50=over - lags,
            cut=int(sum(value for name, value in found.items() if name.startswith("chat_connections_cut_total"))),
            lost=tally.lost,
            disorder=tally.disorder,
        )
        lags = over
        minutes.append(minute)
        print({name: round(value, 2) if isinstance(value, float) else value for name, value in asdict(minute).items()})
    for member, _ in members:
        member.leave()
    return minutes


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--room", type=int, default=50)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--every", type=float, default=60)
    parser.add_argument("--stalled", type=float, default=0.01)
    given = parser.parse_args()
    become_the_load()
    with started("chat-server") as peer:
        uvloop.run(run(peer, given))


if __name__ == "__main__":
    main()
