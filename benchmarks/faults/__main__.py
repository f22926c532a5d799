"""Long fault injection run with a check for lost, duplicated and reordered messages.

    python -m benchmarks.faults --kills 200 --aborts 200 --seed 1

Exit code 0 if all guarantees of docs/guarantees.md hold, otherwise 1.
"""

import argparse
import asyncio
import sys

from benchmarks.faults.injection import FaultKind
from benchmarks.faults.report import print_report
from benchmarks.faults.run import FaultPlan, run
from tests.support.requirements import find_chromium


def main() -> int:
    """Run the faults of the command line, print the report and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, count in _DEFAULT_COUNTS.items():
        parser.add_argument(f"--{kind.name.lower().replace('_', '-')}s", type=int, default=count, help=kind.value)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", type=int, default=2)
    parser.add_argument("--writers", type=int, default=6, help="writers per room")
    parser.add_argument("--readers", type=int, default=3, help="readers per room")
    parser.add_argument("--outbox-clients", type=int, default=2, help="clients with an outbox, target of client kills")
    parser.add_argument("--terminals", type=int, default=1, help="terminals in the first room")
    parser.add_argument("--pages", type=int, default=1, help="browser pages in the first room")
    args = parser.parse_args()
    if args.pages and find_chromium() is None:
        parser.error("missing Chromium: install chromium-headless-shell, or use --pages 0")
    faults = {kind: getattr(args, f"{kind.name.lower()}s") for kind in _DEFAULT_COUNTS}
    plan = FaultPlan(
        args.seed,
        faults,
        args.rooms,
        args.writers,
        args.readers,
        args.outbox_clients,
        args.terminals,
        args.pages,
    )
    report = asyncio.run(run(plan))
    print(f"seed {plan.seed}, {plan.rooms} rooms of {plan.writers} + {plan.readers}")
    print_report(report)
    return 0 if report.is_flawless else 1


_DEFAULT_COUNTS = {
    FaultKind.KILL: 200,
    FaultKind.ABORT: 200,
    FaultKind.RESTART: 10,
    FaultKind.FREEZE: 30,
    FaultKind.STALL: 30,
    FaultKind.SLOW: 30,
    FaultKind.HALF_CLOSE: 30,
    FaultKind.CLIENT_KILL: 50,
}

if __name__ == "__main__":
    sys.exit(main())
