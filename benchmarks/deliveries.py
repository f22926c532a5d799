"""Server CPU per delivery: rooms of some size, some of whose members send as fast as they are answered.

    python -m benchmarks.deliveries --members 1000 --senders 4 16 --seconds 5 --rounds 3

Every server has one core and the load the other; the servers take turns, so
that a machine that slows down slows all of them.
"""

import argparse
import asyncio
import statistics
import time
from dataclasses import asdict, dataclass

import uvloop

from benchmarks.load import Member, Tally, enter
from benchmarks.servers import Peer, available, become_the_load, started

PROBES = 3


@dataclass(frozen=True, slots=True)
class Result:
    """One run.

    Attributes:
        per_delivery: Microseconds of server CPU per delivered message.
        per_second: Deliveries a second, as the load saw them.
        p50, p99: Milliseconds from send to arrival.
        disorder: Times that a `seq` was not the next.
    """

    server: str
    rooms: int
    members: int
    senders: int
    per_delivery: float
    per_second: float
    p50: float
    p99: float
    disorder: int
    lost: int


async def measure(peer: Peer, name: str, *, rooms: int, members: int, senders: int, seconds: float) -> Result:
    """Fill the rooms, let the senders run, and count."""
    tally = Tally()
    everybody: list[Member] = []
    talking: list[tuple[Member, str]] = []
    for number in range(rooms):
        room = f"room {number}"
        for place in range(members):
            probe = place < senders or place >= members - (PROBES if rooms == 1 else 0)
            member = await enter(peer.url, tally, room, f"m{place}", probe=probe)
            everybody.append(member)
            if place < senders:
                talking.append((member, room))
    await settle(tally)
    running = True

    def say(member: Member, room: str) -> None:
        if running:
            member.say(room, "m", 64)

    for member, room in talking:
        member.on_answer = lambda member=member, room=room: say(member, room)
        say(member, room)
    await asyncio.sleep(1.0)  # warm
    tally.delivered = 0
    tally.latencies.clear()
    cpu, began = peer.cpu(), time.perf_counter()
    await asyncio.sleep(seconds)
    spent, lasted, delivered = peer.cpu() - cpu, time.perf_counter() - began, tally.delivered
    latencies = sorted(tally.latencies) or [0.0]
    running = False
    await settle(tally)
    for member in everybody:
        member.leave()
    return Result(
        server=name,
        rooms=rooms,
        members=members,
        senders=senders,
        per_delivery=spent / max(delivered, 1) * 1e6,
        per_second=delivered / lasted,
        p50=statistics.median(latencies) * 1e3,
        p99=latencies[int(len(latencies) * 0.99)] * 1e3,
        disorder=tally.disorder,
        lost=tally.lost,
    )


async def settle(tally: Tally) -> None:
    """Wait until nothing more arrives."""
    before = -1
    while before != tally.delivered:
        before = tally.delivered
        await asyncio.sleep(0.5)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is measured: so many rooms of so many members, some of whom send."""

    rooms: int
    members: int
    senders: int


def compare(shape: Shape, servers: list[str], seconds: float, rounds: int) -> dict[str, list[Result]]:
    """Measure the servers in turn, round after round; every result is printed as it comes."""
    results: dict[str, list[Result]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name in servers:
            with started(name, quiet_joins=shape.members > 1000) as peer:
                work = measure(peer, name, **asdict(shape), seconds=seconds)
                result = uvloop.run(work)
            results[name].append(result)
            shown = {
                key: round(value, 2) if isinstance(value, float) else value for key, value in asdict(result).items()
            }
            print(shown, flush=True)
    return results


def main() -> None:
    """Print one line a run, then the medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--senders", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", nargs="+", default=available())
    given = parser.parse_args()
    become_the_load()
    for senders in given.senders:
        results = compare(Shape(given.rooms, given.members, senders), given.servers, given.seconds, given.rounds)
        medians = {name: statistics.median(run.per_delivery for run in runs) for name, runs in results.items()}
        for name, cost in medians.items():
            print(f"{name:12} {cost:6.2f} µs a delivery, node/this = {medians.get('node', 0) / cost:.2f}")


if __name__ == "__main__":
    main()
