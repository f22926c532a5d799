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

from benchmarks.deliveries import DeliveryResult, measure_deliveries
from benchmarks.servers import BENCHMARKS_DIRECTORY, MeasuredServer, pin_to_load_core, run_server


async def measure_both(servers: list[MeasuredServer], args: argparse.Namespace) -> list[DeliveryResult]:
    """Measure the servers at the same time."""
    shape = {"rooms": args.rooms, "members": args.members, "senders": args.senders, "seconds": args.seconds}
    return await asyncio.gather(*[measure_deliveries(server, "chat-server", **shape) for server in servers])


def main() -> None:
    """Print one line a round, then the medians and the ratio, round by round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="the other copy of the project")
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--members", type=int, default=2)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    pin_to_load_core()
    rounds: list[tuple[float, float]] = []
    for _ in range(args.rounds):
        with ExitStack() as stack:
            servers = [
                stack.enter_context(run_server("chat-server", source_directory=source_directory))
                for source_directory in (args.base, BENCHMARKS_DIRECTORY.parent)
            ]
            base, own = uvloop.run(measure_both(servers, args))
        rounds.append((base.per_delivery, own.per_delivery))
        labels = [f"{name} {result.per_delivery:6.2f} µs" for name, result in (("base", base), ("this", own))]
        rates = f"{base.per_second:,.0f} and {own.per_second:,.0f} a second"
        print(*labels, f"a delivery, {rates}, {own.per_delivery / base.per_delivery:.3f}", flush=True)
    ratio = statistics.median(own / base for base, own in rounds)
    print(f"this copy spends {ratio:.3f} of the other's CPU on a delivery")


if __name__ == "__main__":
    main()
