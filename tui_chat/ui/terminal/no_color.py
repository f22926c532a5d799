"""Colour removal for `NO_COLOR` (https://no-color.org).

- No colour sequence reaches the terminal.
- Text with a background colour, such as a selection, is shown in reverse video instead.
- Bold, underline, italic and hyperlinks are preserved.
"""

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter


class NoColorFilter(LineFilter):
    """Line filter that removes all colours."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Strip the colours from all segments."""
        return [
            Segment(text, None if style is None else _strip_color(style), control) for text, style, control in segments
        ]


NO_COLOR_FILTERS: Sequence[LineFilter] = (NoColorFilter(),)


@lru_cache(4096)
def _strip_color(style: Style) -> Style:
    colorless = style.without_color
    if style.link:
        # Rich assigns a new link id to each copy, which would split a wrapped hyperlink into several.
        colorless._link_id = style._link_id  # pyright: ignore[reportPrivateUsage]
    has_background = style.bgcolor is not None and not style.bgcolor.is_default
    return colorless + Style(reverse=True) if has_background and not style.reverse else colorless
