"""Breaks a chat server for a long time, then looks for anything lost, doubled or out of order.

    python -m benchmarks.faults --kills 200 --cuts 200 --seed 1

Exit code 0 when every promise of docs/guarantees.md was kept, 1 when not.
"""

import argparse
import asyncio
import statistics
import sys

from benchmarks.faults.injection import Kind
from benchmarks.faults.run import Plan, Report, run

SHOWN = 20
"""Findings that are printed; there may be thousands of one cause."""


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, count in _DEFAULTS.items():
        parser.add_argument(f"--{kind.name.lower().replace('_', '-')}s", type=int, default=count, help=kind.value)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", type=int, default=2)
    parser.add_argument("--writers", type=int, default=6, help="in each room")
    parser.add_argument("--readers", type=int, default=3, help="in each room")
    parser.add_argument("--typists", type=int, default=2, help="clients with an outbox, to be killed")
    given = parser.parse_args()
    faults = {kind: getattr(given, f"{kind.name.lower()}s") for kind in _DEFAULTS}
    plan = Plan(given.seed, faults, given.rooms, given.writers, given.readers, given.typists)
    report = asyncio.run(run(plan))
    _show(plan, report)
    return 0 if report.flawless else 1


def _show(plan: Plan, report: Report) -> None:
    print(f"seed {plan.seed}, {report.seconds:.0f} s, {plan.rooms} rooms of {plan.writers} + {plan.readers}")
    for kind, count in sorted(report.faults.items()):
        print(f"{count:7}  {kind}")
    print(f"{report.said:7}  messages sent, {report.acknowledged} acknowledged")
    print(f"{report.kept:7}  messages on the disks of clients that were killed, {report.arrived} arrived")
    print(f"{report.repeats:7}  repeats that were answered as the first time")
    print(f"{report.entries:7}  entries in the logs, {report.given} given to readers")
    for code, count in sorted(report.refusals.items()):
        print(f"{count:7}  attempts that ended with {code}")
    if report.recoveries:
        middle, longest = statistics.median(report.recoveries), report.recoveries[-1]
        print(f"{middle:7.2f}  seconds from a kill to the next acknowledgement (median; longest {longest:.2f})")
    for line in report.words[:SHOWN]:
        print(f"server: {line}")
    print(f"the database file: {report.damage or 'sound'}")
    print(f"{len(report.findings):7}  promises broken")
    for finding in report.findings[:SHOWN]:
        print(f"         {finding.fault}: {finding.where}")


_DEFAULTS = {
    Kind.KILL: 200,
    Kind.CUT: 200,
    Kind.RESTART: 10,
    Kind.FREEZE: 30,
    Kind.STALL: 30,
    Kind.SLOW: 30,
    Kind.HALF_CLOSE: 30,
    Kind.CLIENT_KILL: 50,
}

if __name__ == "__main__":
    sys.exit(main())
