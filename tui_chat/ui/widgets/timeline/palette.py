"""The colour of a nickname.

Rule 1  It depends on the nickname alone, so a person has one colour everywhere and always.
Rule 2  Its contrast to the background is at least what the theme asks for, `CONTRAST` (WCAG 2.2, 1.4.3) or more.
Rule 3  Colour never says anything that is not also said in letters.
"""

from collections.abc import Sequence
from zlib import crc32

from textual.color import BLACK, WHITE, Color

CONTRAST = 4.5

DARK = (
    "#ff8f8f", "#f5a26b", "#e0b34f", "#b9c356", "#86cf72", "#5ed3a3",
    "#56cfd1", "#6fc1f7", "#97b2ff", "#bda4ff", "#e394f2", "#ff8cc3",
)  # fmt: skip
LIGHT = (
    "#b3261e", "#a34100", "#855800", "#5f6600", "#2f7013", "#00704a",
    "#006e70", "#00669e", "#3557c4", "#6a45c2", "#8f34a3", "#ad2169",
)  # fmt: skip
ANSI = ("red", "green", "yellow", "blue", "magenta", "cyan")


def nick_color(nick: str, shades: Sequence[str]) -> str:
    """The one of `shades` for a nickname, whatever its case."""
    return shades[crc32(nick.casefold().encode("utf-8", "replace")) % len(shades)]


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(shade: str, background: Color, least: float = CONTRAST) -> str:
    """The shade, moved towards black or white as far as it must to be read on the background.

    Args:
        shade: As `#rrggbb`.
        background: Opaque.
        least: The contrast ratio to reach.

    Returns:
        A colour as `#rrggbb`.
    """
    color = Color.parse(shade)
    away = max(WHITE, BLACK, key=lambda end: contrast(end, background))
    for step in range(21):
        moved = color.blend(away, step / 20)
        if contrast(moved, background) >= least:
            return moved.hex6
    return away.hex6


def _luminance(color: Color) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
