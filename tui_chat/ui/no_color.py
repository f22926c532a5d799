"""Output without colours (https://no-color.org): not one colour sequence leaves the program.

What was told by a ground of its own (selected text, say) is reversed instead; bold,
underline, italic and links stay.
"""

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter


class WithoutColor(LineFilter):
    """Takes the colours out of finished lines."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments without colours."""
        return [
            Segment(text, None if style is None else _without_color(style), control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _without_color(style: Style) -> Style:
    plain = style.without_color
    if style.link:
        # Rich gives a new id to each copy, which would make each piece of a wrapped link one of its own.
        plain._link_id = style._link_id  # pyright: ignore[reportPrivateUsage]
    grounded = style.bgcolor is not None and not style.bgcolor.is_default
    return plain + Style(reverse=True) if grounded and not style.reverse else plain
