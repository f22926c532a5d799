"""Where a text is broken into rows.

Rule 1  A row holds whole clusters and takes at most the given number of cells.
Rule 2  Rows come in the order of the text and leave out nothing but the line
        breaks and the blanks at which they were broken.
Rule 3  A row is broken after blanks, or beside a wide character (most of
        Chinese and Japanese) where neither neighbour forbids it, or, where a
        word is wider than a row, between any two clusters.
Rule 4  Every text has at least one row, and each step moves forward: no text
        can make this loop.
"""

from collections.abc import Iterator

from wcwidth import iter_graphemes

from tui_chat.ui.widgets.timeline.clusters import drawn, tab_cells

_NOT_FIRST = frozenset(
    "!),.:;?]}¢°’”†‡›℃∶、。〃々〆〉》」』】〕〗〙〛〜〞〟ぁぃぅぇぉっゃゅょァィゥェォッャュョー！＂％），．：；？］｝～…—·％"
)
_NOT_LAST = frozenset("([{£¥‘“‹〈《「『【〔〖〘〚〝（［｛￡￥＄＃")
_BLANKS = frozenset(" \t\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\u3000")
_TOO_WIDE = "…"

Span = tuple[int, int]


def measure(cluster: str, column: int, width: int) -> tuple[str, int]:
    """What is drawn for a cluster, and its width in cells.

    Args:
        cluster: One user-perceived character; a tab goes to the next stop.
        column: The column of its row on which it begins, from 0.
        width: Cells a row has; a cluster wider than that is drawn as an ellipsis.
    """
    if cluster == "\t":
        cells = min(tab_cells(column), width)
        return " " * cells, cells
    picture, cells = drawn(cluster)
    return (picture, cells) if cells <= width else (_TOO_WIDE, 1)


def wrap(text: str, width: int) -> list[Span]:
    """The rows of a text as (start, end) in characters.

    Args:
        text: Cleaned; newlines end a row.
        width: Cells a row has, at least 1.
    """
    rows: list[Span] = []
    start = 0
    for line in text.split("\n"):
        if len(line) <= width and line.isascii() and "\t" not in line:
            rows.append((start, start + len(line)))
        else:
            rows.extend((start + first, start + last) for first, last in _wrap_line(line, width))
        start += len(line) + 1
    return rows


def _wrap_line(line: str, width: int) -> Iterator[Span]:
    row = 0  # where the row begins
    fits = 0  # where the row ends if it ends by being full
    column = 0
    rest: tuple[int, int, int] | None = None  # a break: where the row would end, where the next begins, column there
    position = 0
    blank_from: int | None = 0
    before, before_wide = "", False
    for cluster in iter_graphemes(line):
        cells = 1 if len(cluster) == 1 and " " <= cluster <= "~" else measure(cluster, column, width)[1]
        if cluster in _BLANKS:
            if blank_from is None:
                blank_from = position
            column += cells
            if blank_from > row:
                rest = (blank_from, position + len(cluster), column)
        else:
            wide = cells > 1
            beside_wide = (wide or before_wide) and cells > 0 and position > row
            if blank_from is None and beside_wide and cluster[0] not in _NOT_FIRST and before not in _NOT_LAST:
                rest = (position, position, column)
            blank_from = None
            if column + cells > width:
                if rest is not None:
                    yield row, min(rest[0], fits)
                    row, column = rest[1], column - rest[2]
                    rest, fits = None, position
                if column + cells > width and position > row:
                    yield row, min(position, fits)
                    row, column, fits = position, 0, position
            column += cells
            before, before_wide = cluster, wide
        position += len(cluster)
        if column <= width:
            fits = position
    yield row, fits
