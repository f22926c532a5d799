"""What is drawn for each character that a person perceives, and how many cells it takes.

Rule 1  A drawn cluster takes the same number of cells in every terminal, or as
        nearly so as can be had. Where terminals disagree the form is chosen on
        whose width they agree:
        - parts joined by U+200D are drawn side by side, without the joiner;
        - variation selectors are left out, so that the base has its own width;
        - skin tones are left out;
        - a flag is drawn as the two letters it is made of;
        - characters too new for the width tables to agree on are drawn as U+FFFD;
        - what has no picture of its own (soft hyphen, joiners, fillers, tags) is left out.
Rule 2  A mark never lands on a cell outside its text: without a base it stands
        on a dotted circle. No base bears more than `MARKS` marks.
Rule 3  A cluster takes at most `WIDEST` cells, however many parts it has.
Rule 4  Nothing drawn holds a control character.

Only the drawing is changed: what is copied is the text as it was written. The
division into clusters is UAX #29. Spacing vowel signs of Indic scripts (general
category Mc) cannot be left out and are the one known case where terminals differ.
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
    """What is put on the screen for a cluster, and its width in cells (0 to `WIDEST`).

    Args:
        cluster: One user-perceived character, not a tab or newline.
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


def tab_width(column: int) -> int:
    """How many cells a tab takes that begins at `column` (from 0)."""
    return TAB_SIZE - column % TAB_SIZE
