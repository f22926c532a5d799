"""Long fault injection run against three servers, with a check for lost, duplicated and reordered messages.

    python -m benchmarks.faults.cluster --kills 50 --seed 1

Exit code 0 if all guarantees of docs/guarantees.md hold, otherwise 1; 2 without PostgreSQL or Redis.
"""

import argparse
import asyncio
import sys

import pytest

from benchmarks.faults.cluster_run import ClusterFaultKind, ClusterPlan, run_cluster
from benchmarks.faults.report import print_report


def main() -> int:
    """Run the faults of the command line, print the report and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, count in _DEFAULT_COUNTS.items():
        parser.add_argument(f"--{_to_flag(kind)}", type=int, default=count, help=kind.value)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--rooms", type=int, default=2)
    parser.add_argument("--writers", type=int, default=6, help="writers per room")
    parser.add_argument("--readers", type=int, default=3, help="readers per room")
    args = parser.parse_args()
    faults = {kind: getattr(args, _to_flag(kind).replace("-", "_")) for kind in _DEFAULT_COUNTS}
    plan = ClusterPlan(args.seed, faults, args.nodes, args.rooms, args.writers, args.readers)
    try:
        report = asyncio.run(run_cluster(plan))
    except pytest.skip.Exception as error:
        print(error, file=sys.stderr)
        return 2
    print(f"seed {plan.seed}, {plan.nodes} servers, {plan.rooms} rooms of {plan.writers} + {plan.readers}")
    print_report(report)
    return 0 if report.is_flawless else 1


def _to_flag(kind: ClusterFaultKind) -> str:
    name = kind.name.lower().replace("_", "-")
    return f"{name}es" if name.endswith("ss") else f"{name}s"


_DEFAULT_COUNTS = {
    ClusterFaultKind.KILL: 50,
    ClusterFaultKind.FREEZE: 30,
    ClusterFaultKind.FENCE: 5,
    ClusterFaultKind.BUS_RESTART: 20,
    ClusterFaultKind.BUS_LOSS: 30,
    ClusterFaultKind.BUS_STALL: 20,
    ClusterFaultKind.BUS_CUT: 20,
    ClusterFaultKind.BUS_ABORT: 15,
    ClusterFaultKind.DATABASE_RESTART: 10,
}

if __name__ == "__main__":
    sys.exit(main())
