"""Nickname colours with sufficient contrast.

- Stability: the colour is a function of the case-folded nickname and the palette.
- Contrast: the ratio to the background is at least the minimum of the theme, by default `MIN_CONTRAST`
  (WCAG 2.2, 1.4.3).
- Redundancy: no information is conveyed by colour alone.
"""

from collections.abc import Sequence
from zlib import crc32

from textual.color import BLACK, WHITE, Color

MIN_CONTRAST = 4.5

DARK_THEME_COLORS = (
    "#ff8f8f", "#f5a26b", "#e0b34f", "#b9c356", "#86cf72", "#5ed3a3",
    "#56cfd1", "#6fc1f7", "#97b2ff", "#bda4ff", "#e394f2", "#ff8cc3",
)  # fmt: skip
LIGHT_THEME_COLORS = (
    "#b3261e", "#a34100", "#855800", "#5f6600", "#2f7013", "#00704a",
    "#006e70", "#00669e", "#3557c4", "#6a45c2", "#8f34a3", "#ad2169",
)  # fmt: skip
ANSI_COLORS = ("red", "green", "yellow", "blue", "magenta", "cyan")


def nick_color(nick: str, colors: Sequence[str]) -> str:
    """Return the entry of `colors` for a nickname, case-insensitively."""
    return colors[crc32(nick.casefold().encode("utf-8", "replace")) % len(colors)]


def contrast_ratio(first: Color, second: Color) -> float:
    """Return the WCAG 2.2 contrast ratio of two opaque colours, in the range 1 to 21."""
    darker_luminance, lighter_luminance = sorted((_relative_luminance(first), _relative_luminance(second)))
    return (lighter_luminance + 0.05) / (darker_luminance + 0.05)


def ensure_contrast(hex_color: str, background: Color, min_contrast: float = MIN_CONTRAST) -> str:
    """Blend a colour towards black or white, no further than `min_contrast` requires.

    The direction is the one with the higher contrast to `background`. A colour with enough contrast stays unchanged.

    Args:
        hex_color: Colour to adjust, as `#rrggbb`.
        background: Opaque background colour.
        min_contrast: Contrast ratio to reach.

    Returns:
        Adjusted colour as `#rrggbb`; black or white if no blend reaches the ratio.
    """
    color = Color.parse(hex_color)
    extreme = max(WHITE, BLACK, key=lambda candidate: contrast_ratio(candidate, background))
    blends = (color.blend(extreme, step / 20) for step in range(21))
    return next((blend for blend in blends if contrast_ratio(blend, background) >= min_contrast), extreme).hex6


def _relative_luminance(color: Color) -> float:
    """Return the WCAG 2.2 relative luminance of a colour, in the range 0 to 1."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
