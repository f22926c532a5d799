"""Benchmark for the figures in README and docs/performance.md: `make bench`.

Writes `results.json`, `results.md` and plots (PNG and SVG) to the output directory.
"""

import argparse
import asyncio
import datetime
import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib as mpl
import uvloop
from matplotlib import pyplot as plt

from benchmarks.deliveries import DeliveryResult, LoadShape, compare_servers
from benchmarks.load import LoadClient, LoadCounters, connect_client
from benchmarks.servers import available_servers, pin_to_load_core, run_server

SERVER_COLORS = {"chat-server": "#1f6feb", "node": "#6e7781", "bun": "#bf8700"}
SERVER_MARKERS = {"chat-server": "o", "node": "s", "bun": "^"}

ResultRow = dict[str, Any]
"""Results of one load shape: see `summarize`."""


def draw_plots(rows: Sequence[ResultRow], directory: Path) -> None:
    """Plot the cost per delivery to `cost.svg`.

    Args:
        rows: Results of `summarize`, with shapes of `build_shapes`.
        directory: Existing output directory.
    """
    figure, (by_size, by_senders) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    size_rows = sorted(
        (row for row in rows if row["senders"] == min(4, row["members"])), key=lambda row: row["members"]
    )
    size_rows = [row for row in size_rows if row["members"] != 3]
    sender_rows = sorted((row for row in rows if row["members"] == 1000), key=lambda row: row["senders"])
    _plot_lines(by_size, size_rows, "members", "room members, up to 4 senders")
    _plot_lines(by_senders, sender_rows, "senders", "senders in a room of 1,000")
    by_size.set_ylabel("server CPU per delivery, µs")
    by_senders.legend(frameon=False)
    figure.savefig(directory / "cost.svg")  # pyright: ignore[reportUnknownMemberType]
    plt.close(figure)


def _plot_lines(axes: Any, rows: Sequence[ResultRow], key: str, label: str) -> None:
    """Plot the cost per delivery of each server over a logarithmic axis."""
    for name in rows[0]["servers"]:
        costs = [row["servers"][name]["per_delivery"] for row in rows]
        positions = [row[key] for row in rows]
        axes.plot(positions, costs, label=name, color=SERVER_COLORS[name], marker=SERVER_MARKERS[name])
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xticks([row[key] for row in rows], [f"{row[key]:,}" for row in rows])
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)


ROOM_SIZES = (2, 10, 100, 1000, 5000)
SENDERS = (1, 4, 16, 64)
SMALL_ROOMS = LoadShape(300, 3, 3)
IDLE_CONNECTIONS = 3000
"""Idle connections for the memory measurement."""


def build_shapes() -> list[LoadShape]:
    """Return the load shapes: several room sizes, several sender counts in a room of 1,000, and small rooms."""
    by_size = [LoadShape(1 if size > 10 else 100, size, min(4, size)) for size in ROOM_SIZES]
    by_senders = [LoadShape(1, 1000, senders) for senders in SENDERS if senders != 4]
    return [*by_size, *by_senders, SMALL_ROOMS]


def summarize(shape: LoadShape, results: dict[str, list[DeliveryResult]]) -> ResultRow:
    """Return the medians of one shape, and the cost of each server relative to chat-server.

    Returns:
        The fields of `shape`, `servers` and `ratios` by server name, and `disorder`, the gaps in `seq` of all runs.
    """

    def median(name: str, field: Callable[[DeliveryResult], float]) -> float:
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
    # Ratios per round cancel slowdowns of the machine between rounds.
    ratios = {
        name: statistics.median(
            result.per_delivery / base.per_delivery for result, base in zip(runs, results["chat-server"], strict=True)
        )
        for name, runs in results.items()
    }
    out_of_order = sum(result.out_of_order for runs in results.values() for result in runs)
    return {**asdict(shape), "servers": servers, "ratios": ratios, "disorder": out_of_order}


def measure_idle_memory(name: str) -> float:
    """Return the resident memory of one idle connection in KiB, measured on a new server."""

    async def measure_connection() -> float:
        counters, clients = LoadCounters(), list[LoadClient]()
        with run_server(name) as server:
            idle_bytes = server.resident_bytes()
            for number in range(IDLE_CONNECTIONS):
                clients.append(await connect_client(server.url, counters, f"room {number // 50}", f"m{number}"))
            await asyncio.sleep(3)
            cost = (server.resident_bytes() - idle_bytes) / IDLE_CONNECTIONS / 1024
            for client in clients:
                client.close()
        return cost

    return uvloop.run(measure_connection())


def format_table(rows: list[ResultRow], memory_by_server: dict[str, float]) -> str:
    """Return the results as a Markdown table.

    Args:
        rows: Results of `summarize`.
        memory_by_server: KiB per idle connection by server name, chat-server first.
    """
    names = list(memory_by_server)
    lines = [
        "| rooms | members | senders | " + " | ".join(f"{name} µs" for name in names) + " | "
        "" + " | ".join(f"{name} ÷ chat-server" for name in names[1:]) + " | p99 ms: " + " / ".join(names) + " |",
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
        "Memory of an idle connection: " + ", ".join(f"{name} {kib:.0f} KiB" for name, kib in memory_by_server.items()),
    ]
    return "\n".join(lines) + "\n"


def describe_machine() -> dict[str, str]:
    """Return date, CPU, operating system and Python version of the measurement."""
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
    """Parse the command line, run all measurements and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    mpl.use("Agg")
    pin_to_load_core()
    names = available_servers()
    rows = [summarize(shape, compare_servers(shape, names, args.seconds, args.rounds)) for shape in build_shapes()]
    memory_by_server = {name: measure_idle_memory(name) for name in names}
    args.out.mkdir(parents=True, exist_ok=True)
    results = {"machine": describe_machine(), "deliveries": rows, "kib_per_connection": memory_by_server}
    (args.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (args.out / "results.md").write_text(format_table(rows, memory_by_server))
    draw_plots(rows, args.out)
    print(format_table(rows, memory_by_server))


if __name__ == "__main__":
    main()
