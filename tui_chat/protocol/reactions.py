"""Validation of reactions: an emoji or a word such as `+1`, `lol` or `赞`.

- Emoji: the grammar of UTS #51 (section 1.4.9), which includes presentation selectors, skin tones, tags, joined
  sequences, keycaps and flags. Reserved code points are accepted, so future emoji are valid.
- Words: characters of names (`tui_chat.protocol.names`) without spaces and emoji, visible and at most
  `REACTION_COLUMNS` wide.
- Removal: any sanitized line, so that a stored reaction can be removed after a change of these rules.
"""

import re
from contextlib import suppress

from wcwidth import wcswidth

from tui_chat.protocol.errors import BadRequest, TooLong
from tui_chat.protocol.limits import REACTION_CODE_POINTS, REACTION_COLUMNS
from tui_chat.protocol.names import EMOJI_ELEMENT, NICKNAME_PROFILE, PICTOGRAPH
from tui_chat.protocol.sanitize import sanitize_line

_EMOJI_SEQUENCE = re.compile(
    f"{EMOJI_ELEMENT}(?:\u200d{EMOJI_ELEMENT})*|[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}"
)
_FORBIDDEN_IN_WORD = re.compile(
    f"{PICTOGRAPH}|[\U0001f1e6-\U0001f1ff]"  # parts of emoji
    "|[\u20dd-\u20e0\u20e2-\u20e4]"  # enclosing marks
    "|[\u115f\u1160\u2800\u3164\uffa0]"  # letters and symbols without a visible glyph
)


def validate_reaction(text: str, *, on: bool = True) -> str:
    """Return a reaction in its stored form.

    A word is returned in compatibility form with its case; an emoji and the reaction of a removal are only sanitized.

    Args:
        on: Addition of the reaction; False for a removal.

    Raises:
        BadRequest: The sanitized reaction is empty or matches neither rule, or the text contains a lone surrogate.
        TooLong: The sanitized reaction exceeds `REACTION_CODE_POINTS`.
    """
    text = sanitize_line(text)
    if not text:
        raise BadRequest("reaction_empty")
    if len(text) > REACTION_CODE_POINTS:
        raise TooLong("reaction_too_long", limit=REACTION_COLUMNS)
    if not on or _EMOJI_SEQUENCE.fullmatch(text):
        return text
    with suppress(UnicodeEncodeError):
        word = NICKNAME_PROFILE.enforce(text)
        if not _FORBIDDEN_IN_WORD.search(text) and " " not in word and 0 < wcswidth(word) <= REACTION_COLUMNS:
            return word
    raise BadRequest("reaction_invalid", limit=REACTION_COLUMNS)
