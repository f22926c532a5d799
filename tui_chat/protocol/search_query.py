"""Search semantics, shared by the server index and the local search of the client.

- Conjunction: a query is a list of terms separated by spaces; a message matches if all terms match.
- Folding: case and character width are ignored (case folding, NFKC).
- Word boundaries: a term that starts with a letter or digit matches literally at the start of a word, any other term
  anywhere. The last word of a term may be a prefix of a longer word, except for words of one or two letters.
- Scripts without spaces (`tui_chat.protocol.scripts`): each character starts a word.
- Index terms: the term hashes of a query are a subset of the term hashes of each matching message. The converse is
  false, so `SearchQuery.matches` decides about each candidate of an index.

A term hash covers one or two characters of a script without spaces, one symbol such as an emoji, or a word prefix of
three or five letters. Hashes are 24-bit checksums, so leftovers of deleted messages in an index file are not readable.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from functools import lru_cache
from operator import add
from zlib import crc32

from tui_chat.protocol.scripts import UNSPACED_SCRIPTS

_PUNCTUATION = "\u2000-\u206f\u3000-\u303f\ufe00-\ufe0f"
_WORD_CHARACTER = rf"[^\W_{UNSPACED_SCRIPTS}]"
_TOKEN = re.compile(rf"([{UNSPACED_SCRIPTS}]+)|({_WORD_CHARACTER}+)|([^\w\s\x00-\xff{_PUNCTUATION}])")
_ASCII_WORD = re.compile("[0-9a-z]+")
_STARTS_WITH_WORD_CHARACTER = re.compile(_WORD_CHARACTER)
_SHORT_FINAL_WORD = re.compile(rf"(?<!{_WORD_CHARACTER}){_WORD_CHARACTER}{{1,2}}\Z")

_PREFIX_LENGTH, _LONG_PREFIX_LENGTH = 3, 5
"""Prefix lengths of hashed words, in letters; a shorter word is hashed as a whole."""

_HASH_MASK = 0xFFFFFF

MAX_QUERY_HASHES = 24
"""Maximum number of term hashes in an index lookup; more hashes cost time without fewer candidates."""


class SearchQuery:
    """Parsed search query.

    Attributes:
        term_hashes: Up to `MAX_QUERY_HASHES` hashes common to all matching messages; empty for a query without a
            letter, a digit and a symbol such as an emoji.
    """

    def __init__(self, text: str) -> None:
        terms = list(dict.fromkeys(fold(text).split()))
        hashes = dict.fromkeys(term_hash for term in terms for term_hash in _hash_folded(term, single_characters=False))
        self.term_hashes = frozenset(list(hashes)[:MAX_QUERY_HASHES])
        self._patterns = [_compile_term(term) for term in terms]

    def matches(self, text: str) -> bool:
        """Return whether all terms match in a message text by the rules of the module; an empty query matches nothing.

        `tea` matches `Teapot` and `"tea"`, but not `steam`.
        """
        folded = fold(text)
        return bool(self._patterns) and all(pattern.search(folded) for pattern in self._patterns)

    def find_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of all terms in a text, for highlighting.

        The text need not match. A span covers whole letters with their marks, even if only a part of the folded letter
        matches.

        Returns:
            Ascending half-open ranges `[start, end)` in code points of `text`, neither overlapping nor adjacent.
        """
        folded, offsets = _fold_with_offsets(text)
        spans: list[tuple[int, int]] = []
        for pattern in self._patterns:
            for match in pattern.finditer(folded):
                start = bisect_left(offsets, offsets[bisect_right(offsets, match.start()) - 1])
                end = bisect_right(offsets, match.end() - 1)
                spans.append((start, end))
        return _merge_spans(sorted(spans))


def fold(text: str) -> str:
    """Return a text in its comparison form, without differences of case and width; accents remain.

    The length may change.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def hash_terms(text: str) -> set[int]:
    """Return the term hashes under which a message is indexed, each in the range 0 to 2²⁴ - 1.

    Text without words and symbols has no hashes.
    """
    return _hash_folded(fold(text), single_characters=True)


def _hash_folded(folded: str, *, single_characters: bool) -> set[int]:
    """Return the term hashes of a folded text.

    Args:
        folded: Result of `fold`.
        single_characters: Also hash every character of runs in scripts without spaces; otherwise only the pairs of
            neighbors, and a run of one character.
    """
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
    """Return the hash of at most three letters; for a word of at least five, also that of the first five."""
    prefix_hash = _hash_token(word[:_PREFIX_LENGTH])
    return (prefix_hash,) if len(word) < _LONG_PREFIX_LENGTH else (prefix_hash, _hash_token(word[:_LONG_PREFIX_LENGTH]))


@lru_cache(maxsize=1 << 13)
def _hash_token(token: str) -> int:
    return crc32(token.encode()) & _HASH_MASK


def _compile_term(term: str) -> re.Pattern[str]:
    """Return a pattern of a folded term at the start of a word; a short final word must be a whole word."""
    left_boundary = f"(?<!{_WORD_CHARACTER})" if _STARTS_WITH_WORD_CHARACTER.match(term) else ""
    right_boundary = f"(?!{_WORD_CHARACTER})" if _SHORT_FINAL_WORD.search(term) else ""
    return re.compile(left_boundary + re.escape(term) + right_boundary)


def _fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Return the result of `fold`, and the offset into it for each code point of `text`, in ascending order.

    Code points that fold as a unit, such as a letter with its combining marks, share one offset.
    """
    if text.isascii():
        return fold(text), list(range(len(text)))
    offsets: list[int] = []
    pieces: list[str] = []
    length = start = 0
    for index in range(1, len(text) + 1):
        if index < len(text) and _combines(text[index]):
            continue
        piece = fold(text[start:index])
        offsets += [length] * (index - start)
        pieces.append(piece)
        length += len(piece)
        start = index
    return "".join(pieces), offsets


@lru_cache(maxsize=1 << 13)
def _combines(character: str) -> bool:
    """Return whether a character can fold as a unit with the preceding one, such as a mark or a Hangul vowel."""
    folded = unicodedata.normalize("NFKC", character)
    return unicodedata.category(folded[0]).startswith("M") or "\u1160" <= folded[0] <= "\u11ff"


def _merge_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge overlapping and adjacent half-open ranges, which are sorted."""
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
