"""Terminal glyphs and cell widths of grapheme clusters (UAX #29).

- Stable width: a cluster has the same width in all terminals, as far as possible. Forms with a disputed width are
  replaced: emoji joined by U+200D are drawn side by side, variation selectors and skin tones are removed, a flag
  becomes its two letters, and a character that the width tables disagree on becomes U+FFFD.
- Invisible characters: soft hyphens, joiners, fillers and tags are removed.
- Combining marks: a base has at most `MAX_COMBINING_MARKS`; a mark without a base is drawn on a dotted circle.
- Width limit: a cluster occupies at most `MAX_CLUSTER_CELLS` cells.
- Safety: glyphs contain no control characters.

The replacements affect the display alone; copied text is the original. Known exception to the stable width: spacing
vowel signs of Indic scripts (general category Mc), which cannot be removed.
"""

import re
from functools import lru_cache
from unicodedata import category

from rich.cells import get_character_cell_size
from wcwidth import wcwidth

MAX_COMBINING_MARKS = 4
MAX_CLUSTER_CELLS = 8
TAB_SIZE = 4

_DOTTED_CIRCLE = "\u25cc"
_REPLACEMENT_CHARACTER = "\ufffd"
_REGIONAL_INDICATOR_A = 0x1F1E6
_REGIONAL_INDICATOR = re.compile("[\U0001f1e6-\U0001f1ff]")
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff"
    "\U000e0000-\U000e0fff]"
)


@lru_cache(8192)
def render_cluster(cluster: str) -> tuple[str, int]:
    """Return the glyphs of a grapheme cluster and their width in cells, 0 to `MAX_CLUSTER_CELLS`.

    Invisible characters and excess marks are dropped. A mark without a base character gets a dotted circle.

    Args:
        cluster: A single grapheme cluster, neither tab nor newline.
    """
    if " " <= cluster <= "~" and len(cluster) == 1:
        return cluster, 1
    glyphs: list[str] = []
    cells = mark_count = 0
    for character in cluster:
        if _INVISIBLE.match(character):
            continue
        glyph, width = _render_character(character)
        if width == 0:
            if not glyph or mark_count == MAX_COMBINING_MARKS:
                continue
            if not glyphs:
                glyphs.append(_DOTTED_CIRCLE)
                cells = 1
            mark_count += 1
        else:
            if cells + width > MAX_CLUSTER_CELLS:
                break
            mark_count = 0
        glyphs.append(glyph)
        cells += width
    return "".join(glyphs), cells


def _render_character(character: str) -> tuple[str, int]:
    if _REGIONAL_INDICATOR.match(character):
        return chr(ord("A") + ord(character) - _REGIONAL_INDICATOR_A), 1
    width = wcwidth(character)
    if width < 0 or width != get_character_cell_size(character):
        return _REPLACEMENT_CHARACTER, 1
    if width == 0 and category(character) == "Cf":
        return "", 0
    return character, width
