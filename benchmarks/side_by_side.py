"""Concurrent comparison of two versions of the server.

    git worktree add ../older main~5
    python -m benchmarks.side_by_side ../older --rooms 100 --members 2 --senders 2

Both servers share one core, and one load generator on another core serves both. Other activity on
the machine affects both servers equally, so the ratio is more stable than in alternating
runs: within 2 % for two identical copies on a busy machine. With `--alternate`, each server has
the core for itself, as in production.
"""

import argparse
import asyncio
import statistics
from contextlib import ExitStack
from pathlib import Path

import uvloop

from benchmarks.deliveries import DeliveryResult, measure_deliveries
from benchmarks.servers import BENCHMARKS_DIRECTORY, MeasuredServer, pin_to_load_core, run_server


async def measure_all(servers: list[MeasuredServer], args: argparse.Namespace) -> list[DeliveryResult]:
    """Measure all servers concurrently; return the results in their order."""
    shape = {"rooms": args.rooms, "members": args.members, "senders": args.senders, "seconds": args.seconds}
    return await asyncio.gather(*[measure_deliveries(server, "chat-server", **shape) for server in servers])


def run_round(directories: list[Path], args: argparse.Namespace) -> list[tuple[DeliveryResult, float]]:
    """Return the result of each copy, and its resident memory at the end in MiB."""
    measured: list[tuple[DeliveryResult, float]] = []
    groups = [[directory] for directory in directories] if args.alternate else [directories]
    for group in groups:
        with ExitStack() as stack:
            servers = [stack.enter_context(run_server("chat-server", source_directory=path)) for path in group]
            results = uvloop.run(measure_all(servers, args))
            sizes = [server.resident_bytes() / 2**20 for server in servers]
        measured += zip(results, sizes, strict=True)
    return measured


def main() -> None:
    """Print one line per round, then the median ratios of CPU time and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="directory of the other copy")
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--members", type=int, default=2)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alternate", action="store_true", help="run one server at a time")
    args = parser.parse_args()
    pin_to_load_core()
    costs: list[float] = []
    sizes: list[float] = []
    for _ in range(args.rounds):
        (base, base_size), (current, current_size) = run_round([args.base, BENCHMARKS_DIRECTORY.parent], args)
        costs.append(current.per_delivery / base.per_delivery)
        sizes.append(current_size / base_size)
        labels = [f"{name} {result.per_delivery:6.2f} µs" for name, result in (("base", base), ("this", current))]
        rates = f"{base.per_second:,.0f} and {current.per_second:,.0f} per second"
        memory = f"{base_size:.0f} and {current_size:.0f} MiB"
        print(*labels, f"per delivery, {rates}, {memory}, {costs[-1]:.3f}", flush=True)
    print(f"CPU per delivery, this copy / base: {statistics.median(costs):.3f} ({min(costs):.3f} to {max(costs):.3f})")
    print(f"resident memory at the end, this copy / base: {statistics.median(sizes):.3f}")


if __name__ == "__main__":
    main()
