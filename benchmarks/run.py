"""Everything that README and docs/performance.md quote: `make bench`.

Writes `results.json`, a table (`results.md`) and plots (PNG and SVG) into the folder given.
"""

import argparse
import asyncio
import datetime
import json
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib as mpl
import uvloop

from benchmarks import plots
from benchmarks.deliveries import Result, Shape, compare
from benchmarks.load import Member, Tally, enter
from benchmarks.servers import available, become_the_load, started

ROOM_SIZES = (2, 10, 100, 1000, 5000)
SENDERS = (1, 4, 16, 64)
SMALL_ROOMS = Shape(300, 3, 3)
IDLE = 3000
"""Connections over which the memory of one is measured."""

Row = dict[str, Any]


def shapes() -> list[Shape]:
    """Rooms of every size with four senders, a room of 1,000 with more and fewer, and many rooms of three."""
    by_size = [Shape(1 if size > 10 else 100, size, min(4, size)) for size in ROOM_SIZES]
    by_senders = [Shape(1, 1000, senders) for senders in SENDERS if senders != 4]
    return [*by_size, *by_senders, SMALL_ROOMS]


def summary(shape: Shape, results: dict[str, list[Result]]) -> Row:
    """The medians of one shape, and how many times the cost of ours each peer has."""

    def median(name: str, field: Callable[[Result], float]) -> float:
        return statistics.median(field(result) for result in results[name])

    servers = {
        name: {
            "per_delivery": median(name, lambda result: result.per_delivery),
            "p50": median(name, lambda result: result.p50),
            "p99": median(name, lambda result: result.p99),
            "per_second": median(name, lambda result: result.per_second),
        }
        for name in results
    }
    # Round by round, so that a machine that slows down between rounds does not count.
    ratios = {
        name: statistics.median(
            peer.per_delivery / own.per_delivery for peer, own in zip(runs, results["chat-server"], strict=True)
        )
        for name, runs in results.items()
    }
    disorder = sum(result.disorder for runs in results.values() for result in runs)
    return {**asdict(shape), "servers": servers, "ratios": ratios, "disorder": disorder}


def memory(name: str) -> float:
    """KiB of resident memory that one idle connection costs."""

    async def measure() -> float:
        tally, members = Tally(), list[Member]()
        with started(name) as peer:
            idle = peer.resident()
            for number in range(IDLE):
                members.append(await enter(peer.url, tally, f"room {number // 50}", f"m{number}"))
            await asyncio.sleep(3)
            cost = (peer.resident() - idle) / IDLE / 1024
            for member in members:
                member.leave()
        return cost

    return uvloop.run(measure())


def table(rows: list[Row], memories: dict[str, float]) -> str:
    """The results in Markdown."""
    names = list(memories)
    lines = [
        "| rooms | members | senders | " + " | ".join(f"{name} µs" for name in names) + " | "
        "" + " | ".join(f"{name} ÷ ours" for name in names[1:]) + " | p99 ms: " + " / ".join(names) + " |",
        "|" + "--:|" * (3 + len(names) + len(names[1:]) + 1),
    ]
    for row in rows:
        servers, ratios = row["servers"], row["ratios"]
        cells = [
            *(f"{row[key]:,}" for key in ("rooms", "members", "senders")),
            *(f"{servers[name]['per_delivery']:.2f}" for name in names),
            *(f"**{ratios[name]:.1f}**" for name in names[1:]),
            " / ".join(f"{servers[name]['p99']:.0f}" for name in names),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "Memory of an idle connection: " + ", ".join(f"{name} {kib:.0f} KiB" for name, kib in memories.items()),
    ]
    return "\n".join(lines) + "\n"


def machine() -> dict[str, str]:
    """Where and when this was measured."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": f"{model}, {os.cpu_count()} cores",
        "system": f"Linux {platform.release()}",
        "python": platform.python_version(),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    mpl.use("Agg")
    become_the_load()
    names = available()
    rows = [summary(shape, compare(shape, names, given.seconds, given.rounds)) for shape in shapes()]
    memories = {name: memory(name) for name in names}
    given.out.mkdir(parents=True, exist_ok=True)
    results = {"machine": machine(), "deliveries": rows, "kib_a_connection": memories}
    (given.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (given.out / "results.md").write_text(table(rows, memories))
    plots.draw(rows, given.out)
    print(table(rows, memories))


if __name__ == "__main__":
    main()
