"""Interleaved comparison of two versions of the terminal client.

    git worktree add ../older main~5
    python -m benchmarks.terminal.side_by_side ../older --rounds 10

Each round measures both copies in alternating order, so that other activity on the machine affects both. Prints the
medians of the other copy and of this one with their ratio; a ratio below 1 means that this copy is faster or smaller.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.servers import BENCHMARKS_DIRECTORY
from benchmarks.terminal import measurements
from benchmarks.terminal.competitors import Competitor
from benchmarks.terminal.program import TerminalProgram
from benchmarks.terminal.traffic import ROOM

FLOOD_LINES = 20_000
LOADED_LINES, PAGES = 100_000, 60


def create_competitor(name: str, directory: Path) -> Competitor:
    """Return the client of a source directory under a name."""
    script = f"import sys; sys.path.insert(0, {str(directory.resolve())!r}); from tui_chat.cli import main; main()"

    def start(home: Path, *arguments: str) -> TerminalProgram:
        return TerminalProgram((sys.executable, "-c", script, *arguments), home)

    def start_in_room(home: Path, port: int) -> TerminalProgram:
        return start(home, f"http://127.0.0.1:{port}", "--room", ROOM, "--nick", "ann")

    return Competitor(name, start, b"Nickname", start_in_room)


def measure(competitor: Competitor, home: Path, *, is_loaded: bool) -> dict[str, float]:
    """Return one value per measurement: times in milliseconds, CPU in microseconds, memory in MiB."""
    first_screen, form_echoes = measurements.measure_first_screen(competitor, home)
    echoes = measurements.measure_echo(competitor, home)
    flood = measurements.measure_flood(competitor, home, FLOOD_LINES)
    values = {
        "first screen, ms": first_screen * 1e3,
        "key echo on the form, ms": statistics.median(echo.latency for echo in form_echoes) * 1e3,
        "CPU per key in a room, µs": statistics.median(echo.cpu for echo in echoes) * 1e6,
        "key echo in a room, ms": statistics.median(echo.latency for echo in echoes) * 1e3,
        "CPU per flood line, µs": flood.cpu_per_line * 1e6,
        "key echo in a flood, ms": flood.echo.latency.median * 1e3,
        "key echo in a flood, p95, ms": flood.echo.latency.p95 * 1e3,
    }
    if is_loaded:
        loaded = measurements.measure_loaded(competitor, home, LOADED_LINES, PAGES)
        values |= {
            "CPU per page, ms": loaded.page_cpu.median * 1e3,
            "CPU per page, p95, ms": loaded.page_cpu.p95 * 1e3,
            f"memory at {LOADED_LINES:,} messages, MiB": loaded.resident_mib,
        }
    return values


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="directory of the other copy")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--loaded-rounds", type=int, default=3, help="rounds that also load 100,000 messages")
    args = parser.parse_args()
    competitors = [create_competitor("base", args.base), create_competitor("this", BENCHMARKS_DIRECTORY.parent)]
    values: dict[str, dict[str, list[float]]] = {competitor.name: {} for competitor in competitors}
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as folder:
        for round_number in range(args.rounds + 1):  # the first round is discarded: bytecode compilation
            for competitor in competitors if round_number % 2 else reversed(competitors):
                is_loaded = 0 < round_number <= args.loaded_rounds
                measured = measure(competitor, Path(folder) / competitor.name, is_loaded=is_loaded)
                for label, value in measured.items() if round_number else ():
                    values[competitor.name].setdefault(label, []).append(value)
    print("| | base | this | ratio |\n|---|--:|--:|--:|")
    for label, base_values in values["base"].items():
        base, current = statistics.median(base_values), statistics.median(values["this"][label])
        print(f"| {label} | {base:.1f} | {current:.1f} | {current / base:.2f} |")


if __name__ == "__main__":
    main()
