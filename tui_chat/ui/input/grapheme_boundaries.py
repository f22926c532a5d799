"""Cursor positions between grapheme clusters (UAX #29)."""

from wcwidth import grapheme_boundary_before, iter_graphemes


def cluster_start(text: str, index: int) -> int:
    """Return the last boundary at or before `index`."""
    return grapheme_boundary_before(text, index + 1) if 0 < index < len(text) else index


def cluster_end(text: str, index: int) -> int:
    """Return the first boundary at or after `index`."""
    start = cluster_start(text, index)
    return index if start == index else start + len(next(iter_graphemes(text, start)))


def next_boundary(text: str, index: int) -> int:
    """Return the first boundary after `index`, the length at the end of the text."""
    return cluster_end(text, min(index + 1, len(text)))
