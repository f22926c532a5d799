"""Whether a text names somebody: what a mention is, decided in one place."""

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def _mention_pattern(nick: str) -> re.Pattern[str]:
    # Scripts without spaces put a name right beside other letters, so only an edge that is
    # a letter or digit of a spaced script asks for a boundary: "ann" is not in "channel",
    # and is in "ann你好".
    before = r"(?<![0-9A-Za-z_\u00c0-\u024f\u0370-\u058f])" if _needs_word_boundary(nick[0]) else ""
    after = r"(?![0-9A-Za-z_\u00c0-\u024f\u0370-\u058f])" if _needs_word_boundary(nick[-1]) else ""
    return re.compile(before + re.escape(nick.casefold()) + after)


def _needs_word_boundary(character: str) -> bool:
    return bool(re.match(r"[0-9A-Za-z_\u00c0-\u024f\u0370-\u058f]", character))


def is_mentioned(text: str, nick: str) -> bool:
    """Whether `text` names `nick`: as a word of its own, in any case, with or without `@`."""
    return bool(nick) and _mention_pattern(nick).search(text.casefold()) is not None
