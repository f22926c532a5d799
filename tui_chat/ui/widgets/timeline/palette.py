"""The colour of a nickname.

Rule 1  It depends on the nickname alone, so a person has one colour everywhere and always.
Rule 2  Each has a contrast of at least 4.5 (WCAG 2.2, 1.4.3) on the backgrounds
        it is meant for: up to #2b2f36 for the dark theme, from #eef0f3 for the light.
Rule 3  Colour never says anything that is not also said in letters.
"""

from zlib import crc32

DARK = (
    "#ff8f8f", "#f5a26b", "#e0b34f", "#b9c356", "#86cf72", "#5ed3a3",
    "#56cfd1", "#6fc1f7", "#97b2ff", "#bda4ff", "#e394f2", "#ff8cc3",
)  # fmt: skip
LIGHT = (
    "#b3261e", "#a34100", "#855800", "#5f6600", "#2f7013", "#00704a",
    "#006e70", "#00669e", "#3557c4", "#6a45c2", "#8f34a3", "#ad2169",
)  # fmt: skip
ANSI = ("red", "green", "yellow", "blue", "magenta", "cyan")


def nick_color(nick: str, palette: tuple[str, ...]) -> str:
    """The palette's colour for a nickname, whatever its case."""
    return palette[crc32(nick.casefold().encode("utf-8", "replace")) % len(palette)]
