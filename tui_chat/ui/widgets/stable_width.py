"""Text of other people beside other things in one row: drawn so that every terminal gives it the same cells.

What a terminal makes of joined emoji, flags and selectors differs; one cell more or
less, and all that stands to the right moves. So they are drawn as in the timeline
(`timeline/clusters.py`), before anything is measured.
"""

from textual.content import Content, Span
from wcwidth import iter_graphemes

from tui_chat.ui.timeline.grapheme_cells import render_cluster


def with_stable_width(content: Content) -> Content:
    """The same, with its styles, in characters of whose width all terminals agree."""
    text = content.plain
    if text.isascii():
        return content
    glyphs: list[str] = []
    offsets: list[int] = []  # of each character of the text, where its picture stands
    length = 0
    for cluster in iter_graphemes(text):
        glyph = cluster if cluster in "\n\t" else render_cluster(cluster)[0]
        offsets += [length] * len(cluster)
        glyphs.append(glyph)
        length += len(glyph)
    offsets.append(length)
    spans = [Span(offsets[span.start], offsets[min(span.end, len(text))], span.style) for span in content.spans]
    return Content("".join(glyphs), spans=spans)
