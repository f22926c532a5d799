"""Terminal emulation of text with zero-width characters."""

from functools import cache

import pyte
from wcwidth import wcwidth


class PyteScreen(pyte.Screen):
    """pyte screen that skips zero-width characters, because pyte drops the text after some combining marks."""

    def draw(self, data: str) -> None:
        """Draw the characters that occupy cells."""
        super().draw(strip_zero_width(data))


@cache
def strip_zero_width(text: str) -> str:
    """Remove all characters without a cell, except control characters."""
    return "".join(character for character in text if character < " " or wcwidth(character) > 0)
