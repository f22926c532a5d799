"""Long fault injection run against three servers, with a check for lost, duplicated and reordered messages.

    python -m benchmarks.faults.cluster --faults 60 --seed 1
    python -m benchmarks.faults.cluster --only kill ban --faults 20

Exit code 0 if all guarantees of docs/guarantees.md hold, otherwise 1; 2 without PostgreSQL or Redis.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import pytest

from benchmarks.faults.cluster_faults import ClusterFaultKind
from benchmarks.faults.cluster_run import ClusterPlan, run_cluster
from benchmarks.faults.report import print_report

_KINDS = {kind.name.lower().replace("_", "-"): kind for kind in ClusterFaultKind}

_PROPORTIONS = {
    ClusterFaultKind.KILL: 24,
    ClusterFaultKind.TRANSACTION_KILL: 16,
    ClusterFaultKind.FREEZE: 14,
    ClusterFaultKind.TRANSACTION_FREEZE: 16,
    ClusterFaultKind.FENCE: 4,
    ClusterFaultKind.CLOCK_SKEW: 10,
    ClusterFaultKind.SAME_ID: 4,
    ClusterFaultKind.BUS_RESTART: 10,
    ClusterFaultKind.BUS_LOSS: 20,
    ClusterFaultKind.BUS_CUT: 8,
    ClusterFaultKind.BUS_SEND_CUT: 8,
    ClusterFaultKind.BUS_RECEIVE_CUT: 8,
    ClusterFaultKind.BUS_ABORT: 10,
    ClusterFaultKind.DATABASE_RESTART: 6,
    ClusterFaultKind.DATABASE_CUT: 8,
    ClusterFaultKind.DATABASE_SEND_CUT: 8,
    ClusterFaultKind.DATABASE_RECEIVE_CUT: 8,
    ClusterFaultKind.DATABASE_ABORT: 8,
    ClusterFaultKind.BAN: 10,
}
"""Number of faults of each type of a run with 200 faults."""


def main() -> int:
    """Run the faults of the command line, print the report and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=200, help="number of faults, rounded by type")
    parser.add_argument("--only", nargs="+", choices=_KINDS, default=list(_KINDS), help="types of faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--rooms", type=int, default=2)
    parser.add_argument("--writers", type=int, default=6, help="writers per room")
    parser.add_argument("--readers", type=int, default=3, help="readers per room")
    args = parser.parse_args()
    faults = _distribute(args.faults, [_KINDS[name] for name in args.only])
    plan = ClusterPlan(args.seed, faults, args.nodes, args.rooms, args.writers, args.readers)
    try:
        report = asyncio.run(run_cluster(plan))
    except pytest.skip.Exception as error:
        print(error, file=sys.stderr)
        return 2
    print(f"seed {plan.seed}, {plan.nodes} servers, {plan.rooms} rooms of {plan.writers} + {plan.readers}")
    print_report(report)
    return 0 if report.is_flawless else 1


def _distribute(count: int, kinds: Sequence[ClusterFaultKind]) -> dict[ClusterFaultKind, int]:
    """Return the number of faults by type, at least one each, in the proportions of a complete run."""
    total = sum(_PROPORTIONS[kind] for kind in kinds)
    return {kind: max(1, round(count * _PROPORTIONS[kind] / total)) for kind in kinds}


if __name__ == "__main__":
    sys.exit(main())
