"""The colour of a nickname.

Rule 1  It depends on the nickname alone, so a person has one colour everywhere and always.
Rule 2  Its contrast to the background is at least what the theme asks for, `CONTRAST` (WCAG 2.2, 1.4.3) or more.
Rule 3  Colour never says anything that is not also said in letters.
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
    """The one of `shades` for a nickname, whatever its case."""
    return colors[crc32(nick.casefold().encode("utf-8", "replace")) % len(colors)]


def contrast_ratio(first: Color, second: Color) -> float:
    """The contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker_luminance, lighter_luminance = sorted((_relative_luminance(first), _relative_luminance(second)))
    return (lighter_luminance + 0.05) / (darker_luminance + 0.05)


def ensure_contrast(hex_color: str, background: Color, min_contrast: float = MIN_CONTRAST) -> str:
    """The shade, moved towards black or white as far as it must to be read on the background.

    Args:
        shade: As `#rrggbb`.
        background: Opaque.
        least: The contrast ratio to reach.

    Returns:
        A colour as `#rrggbb`.
    """
    color = Color.parse(hex_color)
    extreme = max(WHITE, BLACK, key=lambda end: contrast_ratio(end, background))
    for step in range(21):
        blended = color.blend(extreme, step / 20)
        if contrast_ratio(blended, background) >= min_contrast:
            return blended.hex6
    return extreme.hex6


def _relative_luminance(color: Color) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
