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

_UNSPACED_SCRIPTS = (
    "\u0e00-\u0fff"  # Thai, Lao, Tibetan
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # Kana, Bopomofo, 々 and 〇
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_PUNCTUATION = "\u2000-\u206f\u3000-\u303f\ufe00-\ufe0f"
_WORD_CHARACTER = rf"[^\W_{_UNSPACED_SCRIPTS}]"
_TOKEN = re.compile(rf"([{_UNSPACED_SCRIPTS}]+)|({_WORD_CHARACTER}+)|([^\w\s\x00-\xff{_PUNCTUATION}])")
_ASCII_WORD = re.compile("[0-9a-z]+")
_STARTS_WITH_WORD_CHARACTER = re.compile(_WORD_CHARACTER)
_SHORT_FINAL_WORD = re.compile(rf"(?<!{_WORD_CHARACTER}){_WORD_CHARACTER}{{1,2}}\Z")

_PREFIX_LENGTH, _LONG_PREFIX_LENGTH = 3, 5
"""Letters of a word that a number stands for; a shorter word has the number of the whole."""

_HASH_MASK = 0xFFFFFF

MAX_QUERY_HASHES = 24
"""So many numbers of a query are looked up; more would only cost time."""


class SearchQuery:
    """What somebody looks for.

    Args:
        text: As it was typed.

    Attributes:
        numbers: Those that every message found has; none when the query is all punctuation.
        empty: There is nothing to look for.
    """

    def __init__(self, text: str) -> None:
        terms = list(dict.fromkeys(fold(text).split()))
        hashes = dict.fromkeys(term_hash for term in terms for term_hash in _hash_folded(term, single_characters=False))
        self.term_hashes = frozenset(list(hashes)[:MAX_QUERY_HASHES])
        self.is_empty = not terms
        self._patterns = [_compile_term(term) for term in terms]

    def matches(self, text: str) -> bool:
        """Whether a message reads so that it is found."""
        if self.is_empty:
            return False
        folded = fold(text)
        return all(pattern.search(folded) for pattern in self._patterns)

    def find_spans(self, text: str) -> list[tuple[int, int]]:
        """Where the terms stand in a text that is found: [start, end) in code points, ascending, apart."""
        folded, offsets = _fold_with_offsets(text)
        spans: list[tuple[int, int]] = []
        for pattern in self._patterns:
            for match in pattern.finditer(folded):
                start = bisect_right(offsets, match.start()) - 1
                end = bisect_right(offsets, match.end() - 1)
                spans.append((start, end))
        return _merge_spans(sorted(spans))


def fold(text: str) -> str:
    """The text as it is compared: without differences of case and width."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def hash_terms(text: str) -> set[int]:
    """What a message is indexed by, each from 0 to 2²⁴ - 1."""
    return _hash_folded(fold(text), single_characters=True)


def _hash_folded(folded: str, *, single_characters: bool) -> set[int]:
    """The numbers of a text; `alone`: also of each single character of a script without spaces."""
    hashes: set[int] = set()
    if folded.isascii():
        hashes.update(*map(_hash_word, _ASCII_WORD.findall(folded)))
        return hashes
    for run, word, symbol in _TOKEN.findall(folded):
        if word:
            hashes.update(_hash_word(word))
        elif symbol:
            hashes.add(_hash_token(symbol))
        else:
            if single_characters or len(run) == 1:
                hashes.update(map(_hash_token, run))
            hashes.update(map(_hash_token, map(add, run, run[1:])))
    return hashes


@lru_cache(maxsize=1 << 13)
def _hash_word(word: str) -> tuple[int, ...]:
    prefix_hash = _hash_token(word[:_PREFIX_LENGTH])
    return (prefix_hash,) if len(word) < _LONG_PREFIX_LENGTH else (prefix_hash, _hash_token(word[:_LONG_PREFIX_LENGTH]))


@lru_cache(maxsize=1 << 13)
def _hash_token(token: str) -> int:
    return crc32(token.encode()) & _HASH_MASK


def _compile_term(term: str) -> re.Pattern[str]:
    left_boundary = f"(?<!{_WORD_CHARACTER})" if _STARTS_WITH_WORD_CHARACTER.match(term) else ""
    right_boundary = f"(?!{_WORD_CHARACTER})" if _SHORT_FINAL_WORD.search(term) else ""
    return re.compile(left_boundary + re.escape(term) + right_boundary)


def _fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each code point of `text` where in it what became of it begins.

    What folds together (a letter and its combining marks) begins at one place.
    """
    folded = fold(text)
    if len(folded) == len(text):
        return folded, list(range(len(text)))
    offsets: list[int] = []
    pieces: list[str] = []
    length = start = 0
    for index in range(1, len(text) + 1):
        if index < len(text) and unicodedata.combining(text[index]):
            continue
        piece = fold(text[start:index])
        offsets += [length] * (index - start)
        pieces.append(piece)
        length += len(piece)
        start = index
    return "".join(pieces), offsets


def _merge_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
