"""Line wrapping of text into terminal rows.

- Rows: a row contains complete grapheme clusters and fits into `width` cells.
- Completeness: rows keep the text order. Newlines and the blanks at a break are the sole omissions.
- Break points: after blanks; next to a wide character (CJK) unless the adjacent punctuation forbids a break; inside a
  word that exceeds a complete row.
- Termination: a text yields at least one row, and each iteration consumes input.
"""

from collections.abc import Iterator

from wcwidth import iter_graphemes

from tui_chat.ui.timeline.grapheme_cells import TAB_SIZE, render_cluster

_NO_BREAK_BEFORE = frozenset(
    "!),.:;?]}¢°’”†‡›℃∶、。〃々〆〉》」』】〕〗〙〛〜〞〟ぁぃぅぇぉっゃゅょァィゥェォッャュョー！＂％），．：；？］｝～…—·％"
)
_NO_BREAK_AFTER = frozenset("([{£¥‘“‹〈《「『【〔〖〘〚〝（［｛￡￥＄＃")
_BLANKS = frozenset(" \t\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\u3000")
_ELLIPSIS = "…"

TextSpan = tuple[int, int]


def fit_cluster(cluster: str, column: int, width: int) -> tuple[str, int]:
    """Return the glyph of a grapheme cluster and its width in cells, limited to a row of `width` cells.

    A tab at `column`, counted from 0, expands to the next tab stop. A cluster wider than the row becomes an ellipsis.
    The remaining space of the row is not checked.
    """
    if cluster == "\t":
        cells = min(TAB_SIZE - column % TAB_SIZE, width)
        return " " * cells, cells
    glyph, cells = render_cluster(cluster)
    return (glyph, cells) if cells <= width else (_ELLIPSIS, 1)


def wrap_text(text: str, width: int) -> list[TextSpan]:
    """Return the rows of sanitized text as half-open character ranges (start, end), for a `width` of at least 1 cell.

    A newline starts the next row and belongs to no row. Empty text has one empty row.
    """
    rows: list[TextSpan] = []
    start = 0
    for line in text.split("\n"):
        if len(line) <= width and line.isascii() and "\t" not in line:
            rows.append((start, start + len(line)))
        else:
            rows.extend((start + row_start, start + row_end) for row_start, row_end in _wrap_line(line, width))
        start += len(line) + 1
    return rows


def _wrap_line(line: str, width: int) -> Iterator[TextSpan]:
    """Yield the rows of a line without newlines, at least one."""
    row_start = 0
    fit_end = 0  # end of the row without a break point
    column = 0
    # End of the row, start of the next row, column of that start.
    break_point: tuple[int, int, int] | None = None
    position = 0
    blank_start: int | None = 0
    previous, previous_is_wide = "", False
    for cluster in iter_graphemes(line):
        cells = 1 if len(cluster) == 1 and " " <= cluster <= "~" else fit_cluster(cluster, column, width)[1]
        if cluster in _BLANKS:
            if blank_start is None:
                blank_start = position
            column += cells
            if blank_start > row_start:
                break_point = (blank_start, position + len(cluster), column)
        else:
            is_wide = cells > 1
            touches_wide = (is_wide or previous_is_wide) and cells > 0 and position > row_start
            if (
                blank_start is None
                and touches_wide
                and cluster[0] not in _NO_BREAK_BEFORE
                and previous not in _NO_BREAK_AFTER
            ):
                break_point = (position, position, column)
            blank_start = None
            if column + cells > width:
                if break_point is not None:
                    yield row_start, min(break_point[0], fit_end)
                    row_start, column = break_point[1], column - break_point[2]
                    break_point, fit_end = None, position
                if column + cells > width and position > row_start:
                    yield row_start, min(position, fit_end)
                    row_start, column, fit_end = position, 0, position
            column += cells
            previous, previous_is_wide = cluster, is_wide
        position += len(cluster)
        if column <= width:
            fit_end = position
    yield row_start, fit_end
