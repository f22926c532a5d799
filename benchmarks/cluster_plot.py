"""Line chart of the growth of a cluster, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 200, 30, 40  # margins
_COLORS = ("#1f77b4", "#aec7e8", "#d62728", "#ff9896")


@dataclass(frozen=True, slots=True)
class GrowthSeries:
    """One line of the chart.

    Attributes:
        label: Text of the legend.
        points: Numbers of servers, and values per message.
    """

    label: str
    points: Sequence[tuple[int, float]]


def draw_growth(series: Sequence[GrowthSeries]) -> str:
    """Return an SVG document with the values per chat message by the number of servers; requires one point."""
    nodes = sorted({node_count for line in series for node_count, _ in line.points})
    limit = max(1.0, 1.1 * max(value for line in series for _, value in line.points))

    def x_of(node_count: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * node_count / nodes[-1]

    def y_of(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * max(value, 0.0) / limit

    bottom = _HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="18">per chat message</text>',
        f'<text x="{_WIDTH - _RIGHT - 40}" y="{_HEIGHT - 8}">servers</text>',
        f'<path d="M{_LEFT} {_TOP}V{bottom}H{_WIDTH - _RIGHT}" fill="none" stroke="black"/>',
    ]
    parts += [f'<text x="{x_of(count):.0f}" y="{bottom + 16}" text-anchor="middle">{count}</text>' for count in nodes]
    for step in range(5):
        value = limit * step / 4
        parts.append(f'<text x="{_LEFT - 6}" y="{y_of(value) + 4:.0f}" text-anchor="end">{value:.2f}</text>')
    for number, (line, color) in enumerate(zip(series, _COLORS, strict=False)):
        points = " ".join(f"{x_of(node_count):.1f},{y_of(value):.1f}" for node_count, value in line.points)
        label_y = _TOP + 20 * number + 10
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>',
            f'<rect x="{_WIDTH - _RIGHT + 10}" y="{label_y - 9}" width="10" height="10" fill="{color}"/>',
            f'<text x="{_WIDTH - _RIGHT + 26}" y="{label_y}">{line.label}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
