"""Text with a cell width on which all terminals agree.

Terminals disagree on the width of joined emoji, flags and variation selectors. One cell of difference would shift the
rest of the row. Text from other people is therefore converted, as in the timeline (`timeline/grapheme_cells.py`),
before its width is measured.
"""

from itertools import accumulate

from textual.content import Content, Span
from wcwidth import iter_graphemes

from tui_chat.ui.timeline.grapheme_cells import render_cluster


def with_stable_width(content: Content) -> Content:
    """Return styled content with all grapheme clusters replaced by glyphs of unambiguous width.

    Newlines, tabs and styles are kept.
    """
    text = content.plain
    if text.isascii():
        return content
    clusters = list(iter_graphemes(text))
    glyphs = [cluster if cluster in "\n\t" else render_cluster(cluster)[0] for cluster in clusters]
    glyph_starts = accumulate(map(len, glyphs), initial=0)
    # Offset of the glyph of each source character, and the end.
    offsets = [start for cluster, start in zip((*clusters, "$"), glyph_starts, strict=True) for _ in cluster]
    return Content(
        "".join(glyphs),
        spans=[Span(offsets[span.start], offsets[min(span.end, len(text))], span.style) for span in content.spans],
    )
