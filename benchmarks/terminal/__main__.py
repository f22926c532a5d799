"""The terminal beside a bare Textual program and, where Debian has them, WeeChat and irssi, in one run.

    python -m benchmarks.terminal            everything: about five minutes
    python -m benchmarks.terminal first      only how soon the first screen is there, and a key on it

Every program runs in a pseudo-terminal of 120 by 40. WeeChat and irssi are fed by a
tiny IRC server, chat-tui by a tiny chat server, both of the benchmark and on loopback.
Prints tables in Markdown, and ends with 1 when chat-tui misses one of the `bounds`.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.run import describe_machine
from benchmarks.terminal import measurements
from benchmarks.terminal.competitors import Competitor, available_competitors
from benchmarks.terminal.measurements import EchoStats, Percentiles
from benchmarks.terminal.program import EchoSample

ECHO_COLUMNS = ("key to echo, ms", "CPU ms of it")
CHAT_TUI, BARE_TEXTUAL = "chat-tui", "bare Textual"
STEADY_RATE = 1_000
"""Lines a second of the flood in which key to echo is compared with a bare Textual program."""


@dataclass(frozen=True, slots=True)
class PerformanceBound:
    """Something that must hold of chat-tui."""

    label: str
    value: float
    limit: float

    def __str__(self) -> str:
        verdict = "holds" if self.value <= self.limit else "DOES NOT HOLD"
        return f"- {self.label}: {self.value:.4g} (at most {self.limit:.4g}): {verdict}"


class TerminalReport:
    """What was measured, as tables, and what must hold of it."""

    def __init__(self) -> None:
        self.bounds: list[PerformanceBound] = []

    def print_table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Print one."""
        columns = list(columns)
        print(f"\n**{title}**\n\n| | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
        for row in rows:
            print(f"| {' | '.join(row)} |", flush=True)


def format_ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1000:.1f}"


def format_percentiles(values: Percentiles) -> str:
    """Median, 95th percentile and worst in milliseconds."""
    return f"{format_ms(values.median)} / {format_ms(values.p95)} / {format_ms(values.maximum)}"


def format_echo(echoes: EchoStats) -> tuple[str, str]:
    """The two columns `ECHO`."""
    return format_percentiles(echoes.latency), format_percentiles(echoes.cpu)


def report_first_screen(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """First screen, and a key on it."""
    screen_times: dict[str, list[float]] = {each.name: [] for each in competitors}
    echoes: dict[str, list[EchoSample]] = {each.name: [] for each in competitors}
    for round_number in range(rounds + 1):  # in turns; the first warms the file cache, and compiles
        for each in competitors:
            screen_time, key_echoes = measurements.measure_first_screen(each, home / each.name)
            if round_number:
                screen_times[each.name].append(screen_time)
                echoes[each.name] += key_echoes
    screen_percentiles = {name: Percentiles.from_values(values) for name, values in screen_times.items()}
    echo_stats = {name: EchoStats.from_samples(values) for name, values in echoes.items()}
    report.print_table(
        "First screen, and key to echo on it, in ms",
        ("first screen, median", *ECHO_COLUMNS),
        (
            [name, format_ms(screen_percentiles[name].median), *format_echo(echo_stats[name])]
            for name in screen_percentiles
        ),
    )
    if BARE_TEXTUAL in screen_percentiles:
        ratio = screen_percentiles[CHAT_TUI].median / screen_percentiles[BARE_TEXTUAL].median
        report.bounds.append(PerformanceBound("first screen ÷ bare Textual", ratio, 1.5))
        ratio = echo_stats[CHAT_TUI].latency.median / echo_stats[BARE_TEXTUAL].latency.median
        report.bounds.append(PerformanceBound("key to echo on the form ÷ bare Textual", ratio, 1.5))


def report_echo(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """A key in a room, silent and while it is flooded."""
    bare = next((each for each in competitors if each.start_in_room is None), None)
    silent: dict[str, list[EchoSample]] = {}
    steady: dict[str, list[EchoSample]] = {}
    for _ in range(max(1, rounds // 5)):
        if bare is not None:
            silent.setdefault(bare.name, []).extend(measurements.measure_first_screen(bare, home / bare.name)[1])
        for each in competitors:
            if each.start_in_room is not None:
                silent.setdefault(each.name, []).extend(measurements.measure_echo(each, home / each.name))
                steady.setdefault(each.name, []).extend(measurements.measure_echo(each, home / each.name, STEADY_RATE))
    report.print_table(
        "Key to echo in a room, in ms: median / p95 / worst",
        (*ECHO_COLUMNS, f"{ECHO_COLUMNS[0]} while {STEADY_RATE:,} lines a second come", ECHO_COLUMNS[1]),
        (
            [
                name,
                *format_echo(EchoStats.from_samples(values)),
                *(format_echo(EchoStats.from_samples(steady[name])) if name in steady else ("–", "–")),
            ]
            for name, values in silent.items()
        ),
    )
    if bare is not None:
        base = EchoStats.from_samples(silent[bare.name]).latency.median
        ratio = EchoStats.from_samples(silent[CHAT_TUI]).latency.median / base
        report.bounds.append(PerformanceBound("key to echo in a room ÷ bare Textual", ratio, 1.5))
        ratio = EchoStats.from_samples(steady[CHAT_TUI]).latency.median / base
        report.bounds.append(
            PerformanceBound(f"key to echo at {STEADY_RATE:,} lines a second ÷ bare Textual", ratio, 1.5)
        )


def report_flood(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """As many lines as each can take."""
    results = {
        each.name: measurements.measure_flood(each, home / each.name, 4_000 * rounds)
        for each in competitors
        if each.start_in_room
    }
    report.print_table(
        "A flood as fast as it is read",
        ("lines a second", "CPU µs a line", "screens a second", "longest still, ms", *ECHO_COLUMNS),
        (
            [
                name,
                f"{each.lines_per_second:,.0f}",
                f"{each.cpu_per_line * 1e6:.0f}",
                f"{each.frames_per_second:.0f}",
                format_ms(each.longest_gap),
                *format_echo(each.echo),
            ]
            for name, each in results.items()
        ),
    )
    ours = results[CHAT_TUI]
    report.bounds.append(PerformanceBound("longest time without a new screen in a flood, s", ours.longest_gap, 0.1))
    report.bounds.append(PerformanceBound("key to echo in a flood, p95, s", ours.echo.latency.p95, 0.05))
    if "WeeChat" in results:
        ratio = results["WeeChat"].lines_per_second / ours.lines_per_second
        report.bounds.append(PerformanceBound("WeeChat's lines a second ÷ ours", ratio, 1.0))


def report_loaded(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """A hundred thousand messages."""
    lines, pages = 100_000, 6 * rounds
    results = {
        each.name: measurements.measure_loaded(each, home / each.name, lines, pages)
        for each in competitors
        if each.start_in_room
    }
    report.print_table(
        f"{lines:,} messages in memory",
        ("CPU ms of a page: median / p95 / worst", *ECHO_COLUMNS, "resident MiB"),
        (
            [name, format_percentiles(each.page_cpu), *format_echo(each.echo), f"{each.resident_mib:.0f}"]
            for name, each in results.items()
        ),
    )
    report.bounds.append(
        PerformanceBound("CPU of a page at 100,000 messages, p95, s", results[CHAT_TUI].page_cpu.p95, 0.016)
    )
    report.bounds.append(PerformanceBound("resident MiB with 100,000 messages", results[CHAT_TUI].resident_mib, 120))
    bare = next((each for each in competitors if each.start_in_room is None), None)
    if bare is not None:
        base = EchoStats.from_samples(measurements.measure_first_screen(bare, home / bare.name)[1]).latency.median
        ratio = results[CHAT_TUI].echo.latency.median / base
        report.bounds.append(PerformanceBound("key to echo with 100,000 messages ÷ bare Textual", ratio, 1.5))


PARTS: dict[str, Callable[[TerminalReport, list[Competitor], Path, int], None]] = {
    "first": report_first_screen,
    "echo": report_echo,
    "flood": report_flood,
    "loaded": report_loaded,
}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure (everything)")
    parser.add_argument("--rounds", type=int, default=15, help="how much of it (15)")
    parser.add_argument("--programs", nargs="*", default=[], help="which programs (all that are there)")
    args = parser.parse_args()
    selected = available_competitors([CHAT_TUI, *args.programs] if args.programs else ())
    print(", ".join(describe_machine().values()))
    report = TerminalReport()
    with tempfile.TemporaryDirectory() as folder:
        for part in args.parts or PARTS:
            PARTS[part](report, selected, Path(folder) / part, args.rounds)
    print("\n" + "\n".join(map(str, report.bounds)))
    sys.exit(any(bound.value > bound.limit for bound in report.bounds))


if __name__ == "__main__":
    main()
