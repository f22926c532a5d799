"""Plot of the growth of a cluster: transactions and bus messages per chat message, by the number of servers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

GrowthPoint = tuple[int, float]
"""Number of servers, and value per chat message."""


def draw_growth(
    transactions: Mapping[str, Sequence[GrowthPoint]], bus_messages: Mapping[str, Sequence[GrowthPoint]], path: Path
) -> None:
    """Write the plot.

    Args:
        transactions: Transactions of PostgreSQL by the name of the bus.
        bus_messages: Messages between the servers by the name of the bus.
        path: Image file; its extension selects the format.
    """
    mpl.use("Agg")
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    titles = ("transactions per message", "bus messages per message")
    for panel, title, lines in zip(panels, titles, (transactions, bus_messages), strict=True):
        for bus, points in lines.items():
            panel.plot(*zip(*points, strict=True), marker="o", label=bus)
        panel.set(xlabel="servers with members of the room", title=title, ylim=(0, None))
        panel.legend()
    figure.savefig(path)  # pyright: ignore[reportUnknownMemberType]
    plt.close(figure)
