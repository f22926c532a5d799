"""Report of a fault run."""

import statistics
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.faults.checker import Violation
from tui_chat.protocol.errors import Unavailable

MAX_PRINTED = 20
"""Maximum number of printed violations, and of printed server output lines. One cause may result in thousands."""


@dataclass(slots=True)
class FaultReport:
    """Results of a run.

    Attributes:
        sent: Messages sent by writers.
        acknowledged: Messages with at least one acknowledgement.
        persisted: Messages in the outboxes of client processes.
        delivered: Persisted messages in the log.
        duplicate_acks: Acknowledgements of repeated messages with `duplicate`.
        typed: Messages typed into terminals and pages.
        displayed: Messages on the screens of terminals and pages at the end.
        log_entries: Entries in the logs of all rooms, including edits and reactions.
        read_entries: Entries delivered to readers.
        seconds: Duration of the run.
        faults: Number of injected faults by type.
        recovery_times: Recovery times of all kills in seconds, ascending.
        error_counts: Failed attempts by error code; `unavailable` is expected during faults.
        stderr_lines: Standard error output of all server processes.
        corruption: Result of SQLite's integrity check; empty if the file is intact, None for another database.
        violations: Violations found by the checker.
    """

    sent: int
    acknowledged: int
    persisted: int
    delivered: int
    duplicate_acks: int
    typed: int
    displayed: int
    log_entries: int
    read_entries: int
    seconds: float
    faults: Counter[str]
    recovery_times: list[float]
    error_counts: Counter[str]
    stderr_lines: list[str]
    corruption: str | None
    violations: list[Violation] = field(default_factory=list[Violation])

    @property
    def is_flawless(self) -> bool:
        """True without violations, corruption and errors other than `unavailable`."""
        return not self.violations and not self.corruption and self.error_counts.keys() <= {Unavailable.code}


def print_report(report: FaultReport) -> None:
    """Print a report."""
    print(f"{report.seconds:7.0f}  seconds")
    for kind, count in sorted(report.faults.items()):
        print(f"{count:7}  {kind}")
    print(f"{report.sent:7}  messages sent, {report.acknowledged} acknowledged")
    print(f"{report.persisted:7}  messages in the outboxes of killed clients, {report.delivered} delivered")
    print(f"{report.duplicate_acks:7}  repeated messages detected as duplicates")
    if report.typed:
        print(f"{report.typed:7}  messages typed into terminals and pages, {report.displayed} displayed at the end")
    print(f"{report.log_entries:7}  entries in the logs, {report.read_entries} delivered to readers")
    for code, count in sorted(report.error_counts.items()):
        print(f"{count:7}  failed attempts with error {code}")
    if report.recovery_times:
        median, longest = statistics.median(report.recovery_times), report.recovery_times[-1]
        print(f"{median:7.2f}  seconds from a kill to the next acknowledgement (median; maximum {longest:.2f})")
    for line in report.stderr_lines[:MAX_PRINTED]:
        print(f"server: {line}")
    if report.corruption is not None:
        print(f"database integrity: {report.corruption or 'ok'}")
    print(f"{len(report.violations):7}  violations")
    for violation in report.violations[:MAX_PRINTED]:
        print(f"         {violation.kind}: {violation.location}")
