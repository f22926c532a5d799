"""Output without colours (https://no-color.org): not one colour sequence leaves the program.

What was told by a ground of its own (selected text, say) is reversed instead; bold,
underline, italic and links stay.
"""

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter


class NoColorFilter(LineFilter):
    """Takes the colours out of finished lines."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments without colours."""
        return [
            Segment(text, None if style is None else _strip_color(style), control) for text, style, control in segments
        ]


@lru_cache(4096)
def _strip_color(style: Style) -> Style:
    colorless = style.without_color
    if style.link:
        # Rich gives a new id to each copy, which would make each piece of a wrapped link one of its own.
        colorless._link_id = style._link_id  # pyright: ignore[reportPrivateUsage]
    has_background = style.bgcolor is not None and not style.bgcolor.is_default
    return colorless + Style(reverse=True) if has_background and not style.reverse else colorless
