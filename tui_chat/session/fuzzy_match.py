"""Fuzzy matching of a typed query against a name.

- Match: the query letters occur in the name in the same order, independent of case and width.
- Score: adjacent letters and letters at the start of a word count more.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from tui_chat.protocol.search_query import fold

_LETTER_SCORE = 1
_ADJACENT_BONUS = 3  # for a letter directly after the previous match
_WORD_START_BONUS = 4


def query_letters(text: str) -> str:
    """Return the letters of a typed query in case-folded compatibility form (NFKC), without whitespace."""
    return "".join(_fold(unicodedata.normalize("NFKC", text))[0].split())


def match(query: str, text: str) -> tuple[int, tuple[int, ...] | None]:
    """Return the score and the ascending indices in `text` of the best match; (0, None) without a match.

    The query is a result of `query_letters`; an empty one matches every text with score 0 and no indices. Time:
    O(len(query)² · len(text)).
    """
    if not query:
        return 0, ()
    letters, text_indices = _fold(text)
    # best[j]: score and indices for the query prefix with its last letter at j.
    best: list[tuple[int, tuple[int, ...]] | None] = [
        (_letter_score(letters, index), (index,)) if letter == query[0] else None
        for index, letter in enumerate(letters)
    ]
    for query_letter in query[1:]:
        next_best: list[tuple[int, tuple[int, ...]] | None] = [None] * len(letters)
        best_before: tuple[int, tuple[int, ...]] | None = None
        for index in range(1, len(letters)):
            adjacent = best[index - 1]
            if (
                index >= 2
                and (earlier := best[index - 2]) is not None
                and (best_before is None or earlier[0] > best_before[0])
            ):
                best_before = earlier
            if letters[index] != query_letter:
                continue
            score = _letter_score(letters, index)
            options = [(adjacent[0] + score + _ADJACENT_BONUS, (*adjacent[1], index))] if adjacent is not None else []
            options += [(best_before[0] + score, (*best_before[1], index))] if best_before is not None else []
            next_best[index] = max(options, key=lambda option: option[0], default=None)
        best = next_best
    completed = [option for option in best if option is not None]
    if not completed:
        return 0, None
    score, matched = max(completed, key=lambda option: option[0])
    return score, tuple(dict.fromkeys(text_indices[index] for index in matched))


@lru_cache(maxsize=4096)
def _fold(text: str) -> tuple[str, tuple[int, ...]]:
    """Return the letters of a text in case-folded compatibility form, and the index in the text for each letter.

    A character can have several letters, for example `ß`.
    """
    folded = [(letter, index) for index, character in enumerate(text) for letter in fold(character)]
    return "".join(letter for letter, _ in folded), tuple(index for _, index in folded)


def _letter_score(letters: Sequence[str], index: int) -> int:
    return _LETTER_SCORE + (_WORD_START_BONUS if index == 0 or not letters[index - 1].isalnum() else 0)
