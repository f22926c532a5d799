"""Comparison of terminal clients: chat-tui, a minimal Textual program, WeeChat and irssi.

    python -m benchmarks.terminal            all parts, about five minutes
    python -m benchmarks.terminal first      first screen and key echo only

The pseudo-terminals have 120×40 cells. A minimal IRC server and a minimal chat server on loopback
generate the traffic. Prints Markdown tables; exits with 1 if chat-tui
exceeds one of its bounds.
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

ECHO_COLUMNS = ("key to echo, ms", "CPU per key, ms")
CHAT_TUI, MINIMAL_TEXTUAL = "chat-tui", "minimal Textual"
IMAGE_PROTOCOLS = {
    "half blocks": b"\x1b[?62c",
    "Kitty graphics": b"\x1bP>|kitty(0.35.2)\x1b\\\x1b[6;20;10t\x1b[?62c",
    "Sixel": b"\x1b[6;20;10t\x1b[?62;4c",
}
"""Answers of a terminal to the requests of its graphics, by output of images."""
STEADY_RATE = 1_000
"""Lines per second of the flood for the comparison of key echo with the minimal Textual program."""


@dataclass(frozen=True, slots=True)
class PerformanceBound:
    """Upper bound of a measured value of chat-tui."""

    label: str
    value: float
    limit: float

    def __str__(self) -> str:
        verdict = "ok" if self.value <= self.limit else "EXCEEDED"
        return f"- {self.label}: {self.value:.4g} (at most {self.limit:.4g}): {verdict}"


class TerminalReport:
    """Printed tables and checked bounds."""

    def __init__(self) -> None:
        self.bounds: list[PerformanceBound] = []

    def print_table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Print a Markdown table, whose first column has no heading."""
        columns = list(columns)
        print(f"\n**{title}**\n\n| | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
        for row in rows:
            print(f"| {' | '.join(row)} |", flush=True)


def format_ms(seconds: float) -> str:
    """Return seconds as milliseconds with one decimal, without a unit."""
    return f"{seconds * 1000:.1f}"


def format_percentiles(values: Percentiles) -> str:
    """Return median, 95th percentile and maximum in milliseconds."""
    return f"{format_ms(values.median)} / {format_ms(values.p95)} / {format_ms(values.maximum)}"


def format_echo(echoes: EchoStats) -> tuple[str, str]:
    """Return the two cells of `ECHO_COLUMNS`."""
    return format_percentiles(echoes.latency), format_percentiles(echoes.cpu)


def report_first_screen(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """Report the time to the first screen and its key echo, and bound both by the minimal Textual program."""
    screen_times: dict[str, list[float]] = {competitor.name: [] for competitor in competitors}
    echoes: dict[str, list[EchoSample]] = {competitor.name: [] for competitor in competitors}
    for round_number in range(rounds + 1):  # the first round is discarded: cold file cache, bytecode compilation
        for competitor in competitors:
            screen_time, key_echoes = measurements.measure_first_screen(competitor, home / competitor.name)
            if round_number:
                screen_times[competitor.name].append(screen_time)
                echoes[competitor.name] += key_echoes
    screen_percentiles = {name: Percentiles.from_values(values) for name, values in screen_times.items()}
    echo_stats = {name: EchoStats.from_samples(values) for name, values in echoes.items()}
    report.print_table(
        "First screen and its key echo, in ms",
        ("first screen, median", *ECHO_COLUMNS),
        (
            [name, format_ms(screen_percentiles[name].median), *format_echo(echo_stats[name])]
            for name in screen_percentiles
        ),
    )
    if MINIMAL_TEXTUAL in screen_percentiles:
        ratio = screen_percentiles[CHAT_TUI].median / screen_percentiles[MINIMAL_TEXTUAL].median
        report.bounds.append(PerformanceBound("first screen ÷ minimal Textual", ratio, 1.5))
        ratio = echo_stats[CHAT_TUI].latency.median / echo_stats[MINIMAL_TEXTUAL].latency.median
        report.bounds.append(PerformanceBound("key to echo on the form ÷ minimal Textual", ratio, 1.5))


def report_echo(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """Report the key echo in an idle room and in a room with steady traffic."""
    minimal = next((competitor for competitor in competitors if competitor.start_in_room is None), None)
    idle: dict[str, list[EchoSample]] = {}
    steady: dict[str, list[EchoSample]] = {}
    for _ in range(max(1, rounds // 5)):
        if minimal is not None:
            samples = measurements.measure_first_screen(minimal, home / minimal.name)[1]
            idle.setdefault(minimal.name, []).extend(samples)
        for competitor in competitors:
            if competitor.start_in_room is not None:
                directory = home / competitor.name
                idle.setdefault(competitor.name, []).extend(measurements.measure_echo(competitor, directory))
                samples = measurements.measure_echo(competitor, directory, STEADY_RATE)
                steady.setdefault(competitor.name, []).extend(samples)
    report.print_table(
        "Key to echo in a room, in ms: median / p95 / maximum",
        (*ECHO_COLUMNS, f"{ECHO_COLUMNS[0]} at {STEADY_RATE:,} lines per second", ECHO_COLUMNS[1]),
        (
            [
                name,
                *format_echo(EchoStats.from_samples(values)),
                *(format_echo(EchoStats.from_samples(steady[name])) if name in steady else ("–", "–")),
            ]
            for name, values in idle.items()
        ),
    )
    if minimal is not None:
        base = EchoStats.from_samples(idle[minimal.name]).latency.median
        ratio = EchoStats.from_samples(idle[CHAT_TUI]).latency.median / base
        report.bounds.append(PerformanceBound("key to echo in a room ÷ minimal Textual", ratio, 1.5))
        ratio = EchoStats.from_samples(steady[CHAT_TUI]).latency.median / base
        report.bounds.append(
            PerformanceBound(f"key to echo at {STEADY_RATE:,} lines per second ÷ minimal Textual", ratio, 1.5)
        )


def report_flood(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """Report throughput, frames and key echo at maximum traffic."""
    results = {
        competitor.name: measurements.measure_flood(competitor, home / competitor.name, 4_000 * rounds)
        for competitor in competitors
        if competitor.start_in_room
    }
    report.print_table(
        "Flood at maximum speed",
        ("lines per second", "CPU per line, µs", "frames per second", "longest frame interval, ms", *ECHO_COLUMNS),
        (
            [
                name,
                f"{stats.lines_per_second:,.0f}",
                f"{stats.cpu_per_line * 1e6:.0f}",
                f"{stats.frames_per_second:.0f}",
                format_ms(stats.longest_gap),
                *format_echo(stats.echo),
            ]
            for name, stats in results.items()
        ),
    )
    chat_tui_stats = results[CHAT_TUI]
    report.bounds.append(PerformanceBound("longest frame interval in a flood, s", chat_tui_stats.longest_gap, 0.1))
    report.bounds.append(PerformanceBound("key to echo in a flood, p95, s", chat_tui_stats.echo.latency.p95, 0.05))
    if "WeeChat" in results:
        ratio = results["WeeChat"].lines_per_second / chat_tui_stats.lines_per_second
        report.bounds.append(PerformanceBound("lines per second, WeeChat ÷ chat-tui", ratio, 1.0))


def report_loaded(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """Report page scrolling, key echo and memory with 100,000 messages."""
    lines, pages = 100_000, 6 * rounds
    results = {
        competitor.name: measurements.measure_loaded(competitor, home / competitor.name, lines, pages)
        for competitor in competitors
        if competitor.start_in_room
    }
    report.print_table(
        f"{lines:,} messages in memory",
        ("CPU per page, ms: median / p95 / maximum", "pages with garbage collection", *ECHO_COLUMNS, "resident MiB"),
        (
            [
                name,
                format_percentiles(stats.page_cpu),
                "–" if stats.collected_share is None else f"{stats.collected_share:.0%}",
                *format_echo(stats.echo),
                f"{stats.resident_mib:.0f}",
            ]
            for name, stats in results.items()
        ),
    )
    collected_share = results[CHAT_TUI].collected_share or 0
    report.bounds.append(PerformanceBound("share of pages with a garbage collection", collected_share, 0.03))
    report.bounds.append(
        PerformanceBound("CPU per page at 100,000 messages, p95, s", results[CHAT_TUI].page_cpu.p95, 0.016)
    )
    report.bounds.append(PerformanceBound("resident MiB with 100,000 messages", results[CHAT_TUI].resident_mib, 120))
    minimal = next((competitor for competitor in competitors if competitor.start_in_room is None), None)
    if minimal is not None:
        samples = measurements.measure_first_screen(minimal, home / minimal.name)[1]
        base = EchoStats.from_samples(samples).latency.median
        ratio = results[CHAT_TUI].echo.latency.median / base
        report.bounds.append(PerformanceBound("key to echo with 100,000 messages ÷ minimal Textual", ratio, 1.5))


def report_images(report: TerminalReport, competitors: list[Competitor], home: Path, rounds: int) -> None:
    """Report page scrolling with images, and bound the pages of loaded images by pages of text."""
    chat_tui = next(competitor for competitor in competitors if competitor.name == CHAT_TUI)
    results = {
        protocol: measurements.measure_images(chat_tui, home / protocol, answers, 2 * max(3, rounds // 2))
        for protocol, answers in IMAGE_PROTOCOLS.items()
    }
    report.print_table(
        "Pages of images, CPU in ms: median / p95 / maximum",
        ("text", "loaded images", "images during their load"),
        (
            [protocol, *map(format_percentiles, (stats.text, stats.loaded, stats.first))]
            for protocol, stats in results.items()
        ),
    )
    for protocol, stats in results.items():
        ratio = stats.loaded.median / stats.text.median
        report.bounds.append(PerformanceBound(f"page of images ÷ page of text, {protocol}", ratio, 2.0))


PARTS: dict[str, Callable[[TerminalReport, list[Competitor], Path, int], None]] = {
    "first": report_first_screen,
    "echo": report_echo,
    "flood": report_flood,
    "loaded": report_loaded,
    "images": report_images,
}


def main() -> None:
    """Parse the command line, run the selected parts, check the bounds and exit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="parts to run (default: all)")
    parser.add_argument("--rounds", type=int, default=15, help="number of rounds (default: 15)")
    parser.add_argument("--programs", nargs="*", default=[], help="programs to run (default: all installed)")
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
