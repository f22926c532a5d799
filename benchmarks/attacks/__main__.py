"""Effect of attacks on a bystander, one new server per attack: `make attacks`.

The bystander sends a message every 20 ms and measures the time to its acknowledgement, before and during the attack.
Databases are in memory unless `TMPDIR` selects a directory, because commits on a disk dominate the latency.
Exit code 1 after an attack with one of these results:

- AFFECTED: the p99 exceeds the larger of 50 ms and three times the quiet p99, or the server grows by more than 32 MiB.
- UNLIMITED: the server neither rejected, delayed nor disconnected the attacker.
"""

import argparse
import asyncio
import gc
import sys
from collections.abc import Sequence

from benchmarks.attacks.attacks import ATTACKS
from benchmarks.attacks.run import AttackReport, run_attack
from benchmarks.servers import pin_to_load_core
from tests.support.memory_files import store_temporary_files_in_memory

HEADER = (
    "attack",
    *("quiet p99, ms", "p99, ms", "maximum, ms"),
    *("server cores", "growth, MiB"),
    *("units", "rejections", "delays", "disconnects"),
    "result",
)
_NAME_WIDTH = 26


def describe_result(report: AttackReport) -> str:
    """Return `ok` or the failed condition of an attack."""
    if not report.is_isolated:
        return "AFFECTED"
    return "ok" if report.counters.is_limited else "UNLIMITED"


def format_cells(report: AttackReport) -> tuple[str, ...]:
    """Return the row of an attack below `HEADER`."""
    counters = report.counters
    return (
        report.name,
        *(f"{seconds * 1000:.1f}" for seconds in (report.quiet_p99, report.p99, report.worst)),
        f"{report.cpu:.2f}",
        f"{report.growth / 2**20:.1f}",
        *map(str, (counters.units, counters.rejections, counters.delays, counters.disconnects)),
        describe_result(report),
    )


def print_row(cells: Sequence[str], *, as_markdown: bool) -> None:
    """Print one row, in aligned columns or as Markdown."""
    if as_markdown:
        print(f"| {' | '.join(cells)} |", flush=True)
    else:
        columns = zip(cells[1:], HEADER[1:], strict=True)
        print(cells[0].ljust(_NAME_WIDTH), *(cell.rjust(len(title)) for cell, title in columns), sep="  ", flush=True)


def main() -> int:
    """Run the attacks and print the table.

    Returns:
        Exit code: 0 if the result of each attack is `ok`, otherwise 1.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="duration of each attack")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("names", nargs="*", help="attacks to run, default all", metavar="ATTACK")
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in ATTACKS]:
        parser.error(f"unknown attack {unknown[0]!r}; attacks: {', '.join(ATTACKS)}")
    pin_to_load_core()
    store_temporary_files_in_memory()
    gc.freeze()  # a collection of all modules would delay the bystander by about 40 ms
    print_row(HEADER, as_markdown=args.markdown)
    if args.markdown:
        print_row(("---",) * len(HEADER), as_markdown=True)
    results = set[str]()
    for name in args.names or ATTACKS:
        report = asyncio.run(run_attack(name, args.seconds))
        print_row(format_cells(report), as_markdown=args.markdown)
        results.add(describe_result(report))
    return 0 if results == {"ok"} else 1


if __name__ == "__main__":
    sys.exit(main())
