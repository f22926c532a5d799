"""One room that thousands join at once, talk in, and leave at once: how long the event loop was blocked.

python -m benchmarks.storms --members 5000
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import uvloop

from benchmarks.capacity import numbers
from benchmarks.load import Member, Tally, enter
from benchmarks.servers import Peer, become_the_load, started

BOUNDS = ("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "+Inf")


@dataclass(frozen=True, slots=True)
class Phase:
    """What one part was like.

    Attributes:
        late: How often the loop was later than 10, 25, 50, 100, 250, 500, 1000 ms.
    """

    name: str
    seconds: float
    cpu: float
    delivered: int
    late: list[int]


class Watch:
    """Measures phases of one server."""

    def __init__(self, peer: Peer, tally: Tally) -> None:
        self._peer = peer
        self._tally = tally
        self.phases: list[Phase] = []

    async def phase(self, name: str, work: "Callable[[], asyncio.Future[None]]") -> None:
        """Do something and wait until the server is done with it."""
        before, cpu, began = await self._counts(), self._peer.cpu(), time.perf_counter()
        self._tally.delivered = 0
        await work()
        quiet = self._peer.cpu()
        while True:
            await asyncio.sleep(0.5)
            quiet, last = self._peer.cpu(), quiet
            if quiet - last < 0.03:
                break
        after = await self._counts()
        total = after[-1] - before[-1]
        late = [int(total - (after[place] - before[place])) for place in range(len(BOUNDS) - 1)]
        phase = Phase(name, time.perf_counter() - began, self._peer.cpu() - cpu, self._tally.delivered, late)
        self.phases.append(phase)
        print({key: round(value, 2) if isinstance(value, float) else value for key, value in asdict(phase).items()})

    async def _counts(self) -> list[float]:
        found = await numbers(self._peer.url)
        return [found[f"event_loop_lag_seconds_bucket{bound}"] for bound in BOUNDS]


async def run(peer: Peer, given: argparse.Namespace) -> None:
    """The three phases."""
    tally = Tally()
    members: list[Member] = []
    watch = Watch(peer, tally)

    async def join() -> None:
        members.extend(
            await asyncio.gather(*[enter(peer.url, tally, "hall", f"m{number}") for number in range(given.members)])
        )

    async def talk() -> None:
        for number in range(given.seconds * given.rate):
            members[number % len(members)].say("hall", "m", 64)
            await asyncio.sleep(1 / given.rate)

    async def leave() -> None:
        for member in members:
            member.leave()

    for name, work in (("join", join), ("talk", talk), ("leave", leave)):
        await watch.phase(name, lambda work=work: asyncio.ensure_future(work()))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=5000)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    become_the_load()
    with started("chat-server") as peer:
        uvloop.run(run(peer, given))


if __name__ == "__main__":
    main()
