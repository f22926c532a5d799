"""Plots of what a delivery costs, against the size of the room and the number of senders."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt

SERVER_COLORS = {"chat-server": "#1f6feb", "node": "#6e7781", "bun": "#bf8700"}
SERVER_MARKERS = {"chat-server": "o", "node": "s", "bun": "^"}


def draw_plots(rows: Sequence[dict[str, Any]], directory: Path) -> None:
    """Write `cost.png` and `cost.svg`.

    Args:
        rows: As `benchmarks.run.summary` gives them.
        out: An existing folder.
    """
    figure, (by_size, by_senders) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    size_rows = sorted(
        (row for row in rows if row["senders"] == min(4, row["members"])), key=lambda row: row["members"]
    )
    size_rows = [row for row in size_rows if row["members"] != 3]
    sender_rows = sorted((row for row in rows if row["members"] == 1000), key=lambda row: row["senders"])
    _plot_lines(by_size, size_rows, "members", "members of the room, 4 senders")
    _plot_lines(by_senders, sender_rows, "senders", "senders in a room of 1,000")
    by_size.set_ylabel("µs of server CPU a delivery")
    by_senders.legend(frameon=False)
    for extension in ("png", "svg"):
        figure.savefig(directory / f"cost.{extension}", dpi=150)  # pyright: ignore[reportUnknownMemberType]
    plt.close(figure)


def _plot_lines(axes: Any, rows: Sequence[dict[str, Any]], key: str, label: str) -> None:
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
