"""Long fault injection run with a check for lost, duplicated and reordered messages.

    python -m benchmarks.faults --kills 200 --aborts 200 --seed 1

Exit code 0 if all guarantees of docs/guarantees.md hold, otherwise 1.
"""

import argparse
import asyncio
import statistics
import sys

from benchmarks.faults.injection import FaultKind
from benchmarks.faults.run import FaultPlan, FaultReport, run

MAX_PRINTED = 20
"""Maximum number of printed violations, and of printed server output lines. One cause may result in thousands."""


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
    args = parser.parse_args()
    faults = {kind: getattr(args, f"{kind.name.lower()}s") for kind in _DEFAULT_COUNTS}
    plan = FaultPlan(args.seed, faults, args.rooms, args.writers, args.readers, args.outbox_clients)
    report = asyncio.run(run(plan))
    _print_report(plan, report)
    return 0 if report.is_flawless else 1


def _print_report(plan: FaultPlan, report: FaultReport) -> None:
    print(f"seed {plan.seed}, {report.seconds:.0f} s, {plan.rooms} rooms of {plan.writers} + {plan.readers}")
    for kind, count in sorted(report.faults.items()):
        print(f"{count:7}  {kind}")
    print(f"{report.sent:7}  messages sent, {report.acknowledged} acknowledged")
    print(f"{report.persisted:7}  messages in the outboxes of killed clients, {report.delivered} delivered")
    print(f"{report.duplicate_acks:7}  repeated messages detected as duplicates")
    print(f"{report.log_entries:7}  entries in the logs, {report.read_entries} delivered to readers")
    for code, count in sorted(report.error_counts.items()):
        print(f"{count:7}  failed attempts with error {code}")
    if report.recovery_times:
        median, longest = statistics.median(report.recovery_times), report.recovery_times[-1]
        print(f"{median:7.2f}  seconds from a kill to the next acknowledgement (median; maximum {longest:.2f})")
    for line in report.stderr_lines[:MAX_PRINTED]:
        print(f"server: {line}")
    print(f"database integrity: {report.corruption or 'ok'}")
    print(f"{len(report.violations):7}  violations")
    for violation in report.violations[:MAX_PRINTED]:
        print(f"         {violation.kind}: {violation.location}")


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
