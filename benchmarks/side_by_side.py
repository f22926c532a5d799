"""Two copies of the project under the same load at the same moment: how much CPU each spends on a message.

    git worktree add ../older main~5
    python -m benchmarks.side_by_side ../older --rooms 100 --members 2 --senders 2

Both servers share one core, and one load on the other core drives both. What
else the machine does hits both alike, so that the ratio is steady where runs in
turns are not: within 2 % on a busy machine, comparing a copy with itself.
"""

import argparse
import asyncio
import statistics
from contextlib import ExitStack
from pathlib import Path

import uvloop

from benchmarks.deliveries import Result, measure
from benchmarks.servers import HERE, Peer, become_the_load, started


async def both(peers: list[Peer], given: argparse.Namespace) -> list[Result]:
    """Measure the servers at the same time."""
    shape = {"rooms": given.rooms, "members": given.members, "senders": given.senders, "seconds": given.seconds}
    return await asyncio.gather(*[measure(peer, "chat-server", **shape) for peer in peers])


def main() -> None:
    """Print one line a round, then the medians and the ratio, round by round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="the other copy of the project")
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--members", type=int, default=2)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    become_the_load()
    rounds: list[tuple[float, float]] = []
    for _ in range(given.rounds):
        with ExitStack() as servers:
            peers = [servers.enter_context(started("chat-server", tree=tree)) for tree in (given.base, HERE.parent)]
            base, own = uvloop.run(both(peers, given))
        rounds.append((base.per_delivery, own.per_delivery))
        told = [f"{name} {one.per_delivery:6.2f} µs" for name, one in (("base", base), ("this", own))]
        speeds = f"{base.per_second:,.0f} and {own.per_second:,.0f} a second"
        print(*told, f"a delivery, {speeds}, {own.per_delivery / base.per_delivery:.3f}", flush=True)
    ratio = statistics.median(own / base for base, own in rounds)
    print(f"this copy spends {ratio:.3f} of the other's CPU on a delivery")


if __name__ == "__main__":
    main()
