"""Comparison of names by appearance: skeletons of UTS #39, section 4.

Two names are confusable if a skeleton of one equals a skeleton of the other. The table of `confusable_homoglyphs`
lists each pair of a character and its prototype in both directions. The prototype is the one with more entries; of two
characters that occur in no other pair, the one with the lower code point.
"""

import logging
from functools import cache, lru_cache
from importlib.resources import files
from unicodedata import normalize

from msgspec import MsgspecError, Struct, json

log = logging.getLogger("chat.server")

# Prototypes of the table, which is not read for names in ASCII.
_ASCII_PROTOTYPES = str.maketrans({'"': "''", "%": "º/₀", "0": "O", "1": "l", "I": "l", "`": "'", "m": "rn", "|": "l"})

_LEFT_TO_RIGHT_MARK = "\u200e"  # surrounds right-to-left characters in the table


class _Homoglyph(Struct):
    """Similar text `c` of an entry of the table."""

    c: str


@lru_cache(maxsize=4096)
def get_skeletons(name: str, key: str) -> frozenset[str]:
    """Return the one or two skeletons of a name and of its canonical key, which ignores case.

    Without the table, names with a character outside ASCII are confusable with equal ones only.
    """
    return frozenset(map(_get_skeleton, (name, key)))


def _get_skeleton(name: str) -> str:
    """Return a name with each character replaced by its prototype, in NFD; case is kept."""
    if name.isascii():
        return name.translate(_ASCII_PROTOTYPES)
    return normalize("NFD", normalize("NFD", name).translate(_load_prototypes()))


@cache
def _load_prototypes() -> dict[int, str]:
    """Return the prototypes of all confusable characters by code point.

    The first call reads the table. An unreadable table yields an empty dict, with one log line.
    """
    try:
        table = json.decode(
            files("confusable_homoglyphs").joinpath("confusables.json").read_bytes(), type=dict[str, list[_Homoglyph]]
        )
    except (ImportError, OSError, MsgspecError) as error:
        log.warning("table of confusable characters is unreadable, look-alike names are not marked: %s", error)
        return {}
    similar_by_text = {
        text.strip(_LEFT_TO_RIGHT_MARK): [similar.c.strip(_LEFT_TO_RIGHT_MARK) for similar in entries]
        for text, entries in table.items()
    }
    prototypes: dict[int, str] = {}
    for text, similar in similar_by_text.items():
        prototype = similar[0]
        is_pair = len(similar) == len(similar_by_text[prototype]) == len(prototype) == 1
        if len(text) == len(similar) == 1 and not (is_pair and text < prototype):
            prototypes[ord(text)] = prototype
    return prototypes
