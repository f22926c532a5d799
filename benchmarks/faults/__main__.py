"""Breaks a chat server for a long time, then looks for anything lost, doubled or out of order.

    python -m benchmarks.faults --kills 200 --cuts 200 --seed 1

Exit code 0 when every promise of docs/guarantees.md was kept, 1 when not.
"""

import argparse
import asyncio
import statistics
import sys

from benchmarks.faults.injection import FaultKind
from benchmarks.faults.run import FaultPlan, FaultReport, run

MAX_SHOWN = 20
"""Findings that are printed; there may be thousands of one cause."""


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, count in _DEFAULT_COUNTS.items():
        parser.add_argument(f"--{kind.name.lower().replace('_', '-')}s", type=int, default=count, help=kind.value)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", type=int, default=2)
    parser.add_argument("--writers", type=int, default=6, help="in each room")
    parser.add_argument("--readers", type=int, default=3, help="in each room")
    parser.add_argument("--typists", type=int, default=2, help="clients with an outbox, to be killed")
    args = parser.parse_args()
    faults = {kind: getattr(args, f"{kind.name.lower()}s") for kind in _DEFAULT_COUNTS}
    plan = FaultPlan(args.seed, faults, args.rooms, args.writers, args.readers, args.typists)
    report = asyncio.run(run(plan))
    _print_report(plan, report)
    return 0 if report.is_flawless else 1


def _print_report(plan: FaultPlan, report: FaultReport) -> None:
    print(f"seed {plan.seed}, {report.seconds:.0f} s, {plan.rooms} rooms of {plan.writers} + {plan.readers}")
    for kind, count in sorted(report.faults.items()):
        print(f"{count:7}  {kind}")
    print(f"{report.sent:7}  messages sent, {report.acknowledged} acknowledged")
    print(f"{report.persisted:7}  messages on the disks of clients that were killed, {report.delivered} arrived")
    print(f"{report.duplicate_acks:7}  repeats that were answered as the first time")
    print(f"{report.log_entries:7}  entries in the logs, {report.read_entries} given to readers")
    for code, count in sorted(report.error_counts.items()):
        print(f"{count:7}  attempts that ended with {code}")
    if report.recovery_times:
        median, longest = statistics.median(report.recovery_times), report.recovery_times[-1]
        print(f"{median:7.2f}  seconds from a kill to the next acknowledgement (median; longest {longest:.2f})")
    for line in report.stderr_lines[:MAX_SHOWN]:
        print(f"server: {line}")
    print(f"the database file: {report.corruption or 'sound'}")
    print(f"{len(report.violations):7}  promises broken")
    for finding in report.violations[:MAX_SHOWN]:
        print(f"         {finding.kind}: {finding.location}")


_DEFAULT_COUNTS = {
    FaultKind.KILL: 200,
    FaultKind.CUT: 200,
    FaultKind.RESTART: 10,
    FaultKind.FREEZE: 30,
    FaultKind.STALL: 30,
    FaultKind.SLOW: 30,
    FaultKind.HALF_CLOSE: 30,
    FaultKind.CLIENT_KILL: 50,
}

if __name__ == "__main__":
    sys.exit(main())
