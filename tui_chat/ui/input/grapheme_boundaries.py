"""Cursor positions between grapheme clusters (UAX #29).

The import of `wcwidth` takes 14 ms, so the first use inside a text imports the module.
"""


def cluster_start(text: str, index: int) -> int:
    """Return the last boundary at or before `index`; an index outside the text is returned unchanged."""
    if not 0 < index < len(text):
        return index
    from wcwidth import grapheme_boundary_before  # noqa: PLC0415 (not needed for the first screen)

    return grapheme_boundary_before(text, index + 1)


def cluster_end(text: str, index: int) -> int:
    """Return the first boundary at or after `index`."""
    start = cluster_start(text, index)
    if start == index:
        return index
    from wcwidth import iter_graphemes  # noqa: PLC0415 (not needed for the first screen)

    return start + len(next(iter_graphemes(text, start)))


def next_boundary(text: str, index: int) -> int:
    """Return the first boundary after `index`, the length at the end of the text."""
    return cluster_end(text, min(index + 1, len(text)))
