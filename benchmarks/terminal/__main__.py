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

from benchmarks.run import machine
from benchmarks.terminal import measures
from benchmarks.terminal.contenders import Contender, contenders
from benchmarks.terminal.measures import Echoes, Spread
from benchmarks.terminal.program import Echo

ECHO = ("key to echo, ms", "CPU ms of it")
OURS, BARE = "chat-tui", "bare Textual"
STEADY = 1_000
"""Lines a second of the flood in which key to echo is compared with a bare Textual program."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Something that must hold of chat-tui."""

    what: str
    value: float
    most: float

    def __str__(self) -> str:
        verdict = "holds" if self.value <= self.most else "DOES NOT HOLD"
        return f"- {self.what}: {self.value:.4g} (at most {self.most:.4g}): {verdict}"


class Report:
    """What was measured, as tables, and what must hold of it."""

    def __init__(self) -> None:
        self.bounds: list[Bound] = []

    def table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Print one."""
        columns = list(columns)
        print(f"\n**{title}**\n\n| | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
        for row in rows:
            print(f"| {' | '.join(row)} |", flush=True)


def ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1000:.1f}"


def spread(values: Spread) -> str:
    """Median, 95th percentile and worst in milliseconds."""
    return f"{ms(values.median)} / {ms(values.p95)} / {ms(values.worst)}"


def echoed(echoes: Echoes) -> tuple[str, str]:
    """The two columns `ECHO`."""
    return spread(echoes.took), spread(echoes.cpu)


def first(report: Report, programs: list[Contender], home: Path, rounds: int) -> None:
    """First screen, and a key on it."""
    firsts: dict[str, list[float]] = {each.name: [] for each in programs}
    echoes: dict[str, list[Echo]] = {each.name: [] for each in programs}
    for number in range(rounds + 1):  # in turns; the first warms the file cache, and compiles
        for each in programs:
            shown, keys = measures.first_screen(each, home / each.name)
            if number:
                firsts[each.name].append(shown)
                echoes[each.name] += keys
    screens = {name: Spread.of(values) for name, values in firsts.items()}
    keys_shown = {name: Echoes.of(values) for name, values in echoes.items()}
    report.table(
        "First screen, and key to echo on it, in ms",
        ("first screen, median", *ECHO),
        ([name, ms(screens[name].median), *echoed(keys_shown[name])] for name in screens),
    )
    if BARE in screens:
        ratio = screens[OURS].median / screens[BARE].median
        report.bounds.append(Bound("first screen ÷ bare Textual", ratio, 1.5))
        ratio = keys_shown[OURS].took.median / keys_shown[BARE].took.median
        report.bounds.append(Bound("key to echo on the form ÷ bare Textual", ratio, 1.5))


def echo(report: Report, programs: list[Contender], home: Path, rounds: int) -> None:
    """A key in a room, silent and while it is flooded."""
    bare = next((each for each in programs if each.seated is None), None)
    silent: dict[str, list[Echo]] = {}
    steady: dict[str, list[Echo]] = {}
    for _ in range(max(1, rounds // 5)):
        if bare is not None:
            silent.setdefault(bare.name, []).extend(measures.first_screen(bare, home / bare.name)[1])
        for each in programs:
            if each.seated is not None:
                silent.setdefault(each.name, []).extend(measures.echo(each, home / each.name))
                steady.setdefault(each.name, []).extend(measures.echo(each, home / each.name, STEADY))
    report.table(
        "Key to echo in a room, in ms: median / p95 / worst",
        (*ECHO, f"{ECHO[0]} while {STEADY:,} lines a second come", ECHO[1]),
        (
            [name, *echoed(Echoes.of(values)), *(echoed(Echoes.of(steady[name])) if name in steady else ("–", "–"))]
            for name, values in silent.items()
        ),
    )
    if bare is not None:
        base = Echoes.of(silent[bare.name]).took.median
        ratio = Echoes.of(silent[OURS]).took.median / base
        report.bounds.append(Bound("key to echo in a room ÷ bare Textual", ratio, 1.5))
        ratio = Echoes.of(steady[OURS]).took.median / base
        report.bounds.append(Bound(f"key to echo at {STEADY:,} lines a second ÷ bare Textual", ratio, 1.5))


def flood(report: Report, programs: list[Contender], home: Path, rounds: int) -> None:
    """As many lines as each can take."""
    found = {each.name: measures.flood(each, home / each.name, 4_000 * rounds) for each in programs if each.seated}
    report.table(
        "A flood as fast as it is read",
        ("lines a second", "CPU µs a line", "screens a second", "longest still, ms", *ECHO),
        (
            [
                name,
                f"{each.per_second:,.0f}",
                f"{each.cpu * 1e6:.0f}",
                f"{each.frames:.0f}",
                ms(each.silence),
                *echoed(each.echo),
            ]
            for name, each in found.items()
        ),
    )
    ours = found[OURS]
    report.bounds.append(Bound("longest time without a new screen in a flood, s", ours.silence, 0.1))
    report.bounds.append(Bound("key to echo in a flood, p95, s", ours.echo.took.p95, 0.05))
    if "WeeChat" in found:
        ratio = found["WeeChat"].per_second / ours.per_second
        report.bounds.append(Bound("WeeChat's lines a second ÷ ours", ratio, 1.0))


def loaded(report: Report, programs: list[Contender], home: Path, rounds: int) -> None:
    """A hundred thousand messages."""
    lines, pages = 100_000, 6 * rounds
    found = {each.name: measures.loaded(each, home / each.name, lines, pages) for each in programs if each.seated}
    report.table(
        f"{lines:,} messages in memory",
        ("CPU ms of a page: median / p95 / worst", *ECHO, "resident MiB"),
        ([name, spread(each.page), *echoed(each.echo), f"{each.resident:.0f}"] for name, each in found.items()),
    )
    report.bounds.append(Bound("CPU of a page at 100,000 messages, p95, s", found[OURS].page.p95, 0.016))
    report.bounds.append(Bound("resident MiB with 100,000 messages", found[OURS].resident, 120))
    bare = next((each for each in programs if each.seated is None), None)
    if bare is not None:
        base = Echoes.of(measures.first_screen(bare, home / bare.name)[1]).took.median
        ratio = found[OURS].echo.took.median / base
        report.bounds.append(Bound("key to echo with 100,000 messages ÷ bare Textual", ratio, 1.5))


PARTS: dict[str, Callable[[Report, list[Contender], Path, int], None]] = {
    "first": first,
    "echo": echo,
    "flood": flood,
    "loaded": loaded,
}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure (everything)")
    parser.add_argument("--rounds", type=int, default=15, help="how much of it (15)")
    parser.add_argument("--programs", nargs="*", default=[], help="which programs (all that are there)")
    given = parser.parse_args()
    programs = contenders([OURS, *given.programs] if given.programs else ())
    print(", ".join(machine().values()))
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        for part in given.parts or PARTS:
            PARTS[part](report, programs, Path(folder) / part, given.rounds)
    print("\n" + "\n".join(map(str, report.bounds)))
    sys.exit(any(bound.value > bound.most for bound in report.bounds))


if __name__ == "__main__":
    main()
