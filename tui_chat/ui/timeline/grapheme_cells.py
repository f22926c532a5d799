"""Terminal glyphs and cell widths of grapheme clusters (UAX #29).

- Stable width: a cluster has the same width in all terminals, as far as possible. Forms with a disputed width are
  replaced: emoji joined by U+200D are drawn side by side, variation selectors and skin tones are removed, a flag
  becomes its two letters, and a character that the width tables disagree on becomes U+FFFD.
- Emoji sequences: after `set_emoji_sequences(True)`, an emoji sequence (UTS #51) is drawn unchanged in two cells. The
  terminal must support these sequences (`terminal/emoji_probe.py`).
- Invisible characters: soft hyphens, joiners, fillers and tags are removed.
- Combining marks: a base has at most `MAX_COMBINING_MARKS`; a mark without a base is drawn on a dotted circle.
- Width limit: a cluster occupies at most `MAX_CLUSTER_CELLS` cells.
- Safety: glyphs contain no control characters.

The replacements affect only the display; copied text is the original. Known exception to the stable width: spacing
vowel signs of Indic scripts (general category Mc), which cannot be removed.
"""

import re
from functools import lru_cache
from unicodedata import category

from rich.cells import cell_len, get_character_cell_size

from tui_chat.protocol.sanitize import DEFAULT_IGNORABLES

MAX_COMBINING_MARKS = 4
MAX_CLUSTER_CELLS = 8
MAX_EMOJI_CODE_POINTS = 12
TAB_SIZE = 4

_DOTTED_CIRCLE = "\u25cc"
_REPLACEMENT_CHARACTER = "\ufffd"
_REGIONAL_INDICATOR_A = 0x1F1E6
_REGIONAL_INDICATOR = re.compile("[\U0001f1e6-\U0001f1ff]")
_EMOJI_ELEMENT = "[^\\s\\x00-\\x7f\u200d\ufe0f][\U0001f3fb-\U0001f3ff]?\ufe0f?"
_EMOJI_SEQUENCE = re.compile(
    f"{_REGIONAL_INDICATOR.pattern}{{2}}|[0-9#*]\ufe0f\u20e3|{_EMOJI_ELEMENT}(?:\u200d{_EMOJI_ELEMENT})*"
)
_EMOJI_SEQUENCE_CELLS = 2
_INVISIBLE = re.compile(f"[{DEFAULT_IGNORABLES}\u2028\u2029\U0001f3fb-\U0001f3ff]")


class _EmojiMode:
    """Rendering of emoji sequences for the terminal of the process."""

    draws_sequences = False


def set_emoji_sequences(enabled: bool) -> None:
    """Set whether an emoji sequence is drawn unchanged in two cells; the caller must lay out all texts again."""
    if enabled != _EmojiMode.draws_sequences:
        _EmojiMode.draws_sequences = enabled
        render_cluster.cache_clear()


def _is_emoji_sequence(cluster: str) -> bool:
    """Return whether a cluster is an emoji sequence with a width that the width tables agree on."""
    from wcwidth import wcswidth  # noqa: PLC0415 (not needed for the first screen)

    return (
        1 < len(cluster) <= MAX_EMOJI_CODE_POINTS
        and category(cluster[0]) in {"So", "Nd", "Po"}
        and _EMOJI_SEQUENCE.fullmatch(cluster) is not None
        and wcswidth(cluster) == cell_len(cluster) == _EMOJI_SEQUENCE_CELLS
    )


@lru_cache(8192)
def render_cluster(cluster: str) -> tuple[str, int]:
    """Return the glyphs of a grapheme cluster other than a tab or newline, and their width in cells.

    Invisible characters, excess marks and characters above the width limit are dropped. A mark without a base character
    gets a dotted circle.
    """
    if " " <= cluster <= "~" and len(cluster) == 1:
        return cluster, 1
    if _EmojiMode.draws_sequences and _is_emoji_sequence(cluster):
        return cluster, _EMOJI_SEQUENCE_CELLS
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
    """Return the glyph of a character and its width.

    A regional indicator gives its letter, a control character or one with a disputed width U+FFFD, and NUL or a format
    character without a width "".
    """
    if _REGIONAL_INDICATOR.match(character):
        return chr(ord("A") + ord(character) - _REGIONAL_INDICATOR_A), 1
    from wcwidth import wcwidth  # noqa: PLC0415 (not needed for the first screen)

    width = wcwidth(character)
    if width < 0 or width != get_character_cell_size(character):
        return _REPLACEMENT_CHARACTER, 1
    if width == 0 and category(character) in {"Cc", "Cf"}:
        return "", 0
    return character, width
