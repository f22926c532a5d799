"""What a reaction may be: one emoji, or a short word such as `+1`, `lol` or `赞`.

Rule 1  An emoji is one as UTS #51 writes it (section 1.4.9, ED-9 to ED-17): a picture
        with its presentation, skin tone or tags, several of them joined, a keycap or
        a flag. New ones pass as soon as their code points are known or reserved.
Rule 2  A word is what a name could be (`tui_chat.protocol.names`), without spaces and of
        few columns: enough to nod, too little for a sentence, and never invisible.
Rule 3  What is taken away may be any short line: older versions took those.
"""

import re

from wcwidth import table_grapheme, wcswidth

from tui_chat.protocol.errors import BadRequest, TooLong
from tui_chat.protocol.limits import REACTION_CODE_POINTS, REACTION_COLUMNS
from tui_chat.protocol.names import NICKNAME_PROFILE
from tui_chat.protocol.sanitize import sanitize_line

_PICTOGRAPH = "[{}]".format(
    "".join(f"{chr(first)}-{chr(last)}" for first, last in table_grapheme.EXTENDED_PICTOGRAPHIC if last > 0x7F)
)
_MODIFIERS = "[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_EMOJI_ELEMENT = f"{_PICTOGRAPH}{_MODIFIERS}"
_EMOJI_SEQUENCE = re.compile(
    f"{_EMOJI_ELEMENT}(?:\u200d{_EMOJI_ELEMENT})*|[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}"
)
_RULE_MESSAGE = f"a reaction is one emoji, or a word of at most {REACTION_COLUMNS} columns"
_FORBIDDEN_IN_WORD = re.compile(
    f"{_PICTOGRAPH}|[\U0001f1e6-\U0001f1ff]"  # parts of emoji
    "|[\u20dd-\u20e0\u20e2-\u20e4]"  # marks that enclose what stands before them
    "|[\u115f\u1160\u2800\u3164\uffa0]"  # letters and signs that are drawn as nothing
)


def validate_reaction(text: str, *, on: bool = True) -> str:
    """A reaction as it is kept: cleaned, and as the rules want it.

    Args:
        text: As it came.
        on: It is put there, not taken away.

    Raises:
        BadRequest: It is empty, or neither an emoji nor a short word.
        TooLong: More than `REACTION_CODE_POINTS` are left of it.
    """
    text = sanitize_line(text)
    if not text:
        raise BadRequest("a reaction cannot be empty")
    if len(text) > REACTION_CODE_POINTS:
        raise TooLong(_RULE_MESSAGE)
    if not on or _EMOJI_SEQUENCE.fullmatch(text):
        return text
    word = _normalize_word(text)
    if word is None:
        raise BadRequest(_RULE_MESSAGE)
    return word


def _normalize_word(text: str) -> str | None:
    if _FORBIDDEN_IN_WORD.search(text):
        return None
    try:
        word = NICKNAME_PROFILE.enforce(text)
    except UnicodeEncodeError:
        return None
    return word if " " not in word and 0 < wcswidth(word) <= REACTION_COLUMNS else None
