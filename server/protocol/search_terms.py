"""What a search finds: the one rule, for the server's index and for what is kept on a client.

Rule 1  A query is terms between spaces. A message is found when it holds every term.
Rule 2  Case and width do not matter: both are compared folded (case-folded, NFKC).
Rule 3  A term is held where it stands whole, character for character, beginning
        where a word begins. A term's last word may be the beginning of a longer one,
        unless it has only one or two letters.
Rule 4  In scripts that write no spaces between words (Chinese, Japanese, Korean,
        Thai and their kind) a word can begin at every character: one is enough.
Rule 5  The numbers of a query are among the numbers of every message that it
        finds. The reverse is not so: an index gives candidates, and `Query.found_in` decides.

A number stands for one or two characters of a script without spaces, for one
sign such as an emoji, or for the beginning of a word: its first three and its
first five letters. It is a checksum of 24 bits, so an index of numbers can be
searched, and what was deleted cannot be read from what is left of it in a file.
"""

import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from operator import add
from zlib import crc32

_SPACELESS = (
    "\u0e00-\u0fff"  # Thai, Lao, Tibetan
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # Kana, Bopomofo, 々 and 〇
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_PUNCTUATION = "\u2000-\u206f\u3000-\u303f\ufe00-\ufe0f"
_IN_WORD = rf"[^\W_{_SPACELESS}]"
_TOKENS = re.compile(rf"([{_SPACELESS}]+)|({_IN_WORD}+)|([^\w\s\x00-\xff{_PUNCTUATION}])")
_ASCII_WORDS = re.compile("[0-9a-z]+")
_STARTS_IN_WORD = re.compile(_IN_WORD)
_SHORT_ENDING = re.compile(rf"(?<!{_IN_WORD}){_IN_WORD}{{1,2}}\Z")

_BEGINNING, _LONGER_BEGINNING = 3, 5
"""Letters of a word that a number stands for; a shorter word has the number of the whole."""

_NUMBER_BITS = 0xFFFFFF

QUERY_NUMBERS = 24
"""So many numbers of a query are looked up; more would only cost time."""


class Query:
    """What somebody looks for.

    Args:
        text: As it was typed.

    Attributes:
        numbers: Those that every message found has; none when the query is all punctuation.
        empty: There is nothing to look for.
    """

    def __init__(self, text: str) -> None:
        terms = list(dict.fromkeys(fold(text).split()))
        wanted = dict.fromkeys(number for term in terms for number in _numbers(term, alone=False))
        self.numbers = frozenset(list(wanted)[:QUERY_NUMBERS])
        self.empty = not terms
        self._patterns = [_pattern(term) for term in terms]

    def found_in(self, text: str) -> bool:
        """Whether a message reads so that it is found."""
        if self.empty:
            return False
        folded = fold(text)
        return all(pattern.search(folded) for pattern in self._patterns)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where the terms stand in a text that is found: [start, end) in code points, ascending, apart."""
        folded, origins = _folded_with_origins(text)
        spans: list[tuple[int, int]] = []
        for pattern in self._patterns:
            for hit in pattern.finditer(folded):
                start = bisect_right(origins, hit.start()) - 1
                end = bisect_right(origins, hit.end() - 1)
                spans.append((start, end))
        return _joined(sorted(spans))


def fold(text: str) -> str:
    """The text as it is compared: without differences of case and width."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def numbers(text: str) -> set[int]:
    """What a message is indexed by, each from 0 to 2²⁴ - 1."""
    return _numbers(fold(text), alone=True)


def _numbers(folded: str, *, alone: bool) -> set[int]:
    """The numbers of a text; `alone`: also of each single character of a script without spaces."""
    found: set[int] = set()
    if folded.isascii():
        found.update(*map(_of_word, _ASCII_WORDS.findall(folded)))
        return found
    for run, word, sign in _TOKENS.findall(folded):
        if word:
            found.update(_of_word(word))
        elif sign:
            found.add(_number(sign))
        else:
            if alone or len(run) == 1:
                found.update(map(_number, run))
            found.update(map(_number, map(add, run, run[1:])))
    return found


@lru_cache(maxsize=1 << 13)
def _of_word(word: str) -> tuple[int, ...]:
    beginning = _number(word[:_BEGINNING])
    return (beginning,) if len(word) < _LONGER_BEGINNING else (beginning, _number(word[:_LONGER_BEGINNING]))


@lru_cache(maxsize=1 << 13)
def _number(token: str) -> int:
    return crc32(token.encode()) & _NUMBER_BITS


def _pattern(term: str) -> re.Pattern[str]:
    before = f"(?<!{_IN_WORD})" if _STARTS_IN_WORD.match(term) else ""
    after = f"(?!{_IN_WORD})" if _SHORT_ENDING.search(term) else ""
    return re.compile(before + re.escape(term) + after)


def _folded_with_origins(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each code point of `text` where in it what became of it begins.

    What folds together (a letter and its combining marks) begins at one place.
    """
    folded = fold(text)
    if len(folded) == len(text):
        return folded, list(range(len(text)))
    origins: list[int] = []
    pieces: list[str] = []
    length = start = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and unicodedata.combining(text[at]):
            continue
        piece = fold(text[start:at])
        origins += [length] * (at - start)
        pieces.append(piece)
        length += len(piece)
        start = at
    return "".join(pieces), origins


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
