"""Renderer of layout rows as Textual strips.

- Safety: text of other people becomes plain segments in predefined styles. Markup and control sequences in the text
  have no effect.
- Width: each strip is padded or cropped to the timeline width.
- Selection offsets: segments carry a character offset into the text of their line, or a negative offset in front of the
  text (`PREFIX_OFFSET`). A selection that starts on the time or the nickname therefore includes both.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from zlib import crc32

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from wcwidth import iter_graphemes

from tui_chat.session.i18n import tr
from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine
from tui_chat.ui.images.image_layout import ImageBox
from tui_chat.ui.images.pictures import Picture
from tui_chat.ui.timeline.grapheme_cells import render_cluster
from tui_chat.ui.timeline.layout import (
    LayoutRow,
    LineLayout,
    RowKind,
    TimelineGeometry,
    format_full_date,
    format_gap,
)
from tui_chat.ui.timeline.styles import TimelineStyles
from tui_chat.ui.timeline.wrapping import fit_cluster

MAX_REACTION_NAMES = 3  # maximum number of nicknames beside a reaction

PREFIX_OFFSET = -10_000

SelectedSpan = tuple[int, int]


@dataclass(slots=True)
class _RowBuilder:
    """Builder of the segments of one row, from left to right."""

    background: Style
    line_number: int
    selected_span: SelectedSpan | None
    segments: list[Segment] = field(default_factory=list[Segment])
    cells: int = 0

    def append(
        self, text: str, cells: int, style: Style | None = None, offset: int | None = None, url: str = ""
    ) -> None:
        """Append text on the row background.

        Args:
            text: Text to draw.
            cells: Width of `text` in cells.
            style: Style on top of the background; None for the bare background.
            offset: Selection offset of the text; None for text without one.
            url: Hyperlink target; empty for no hyperlink.
        """
        if text:
            style = self.background if style is None else self.background + style
            if offset is not None:
                style += Style.from_meta({"offset": (offset, self.line_number)})
            if url:
                style = _with_hyperlink(style, url)
            self.segments.append(Segment(text, style))
            self.cells += cells


class LineRenderer:
    """Renderer with fixed geometry and styles.

    An image without a picture is drawn as `…` in its first cell and blanks in the others.
    """

    def __init__(
        self,
        geometry: TimelineGeometry,
        styles: TimelineStyles,
        find_picture: Callable[[ImageBox], Picture | None] = lambda box: None,
    ) -> None:
        self._geometry = geometry
        self._find_picture = find_picture
        self._styles = styles
        self.background = styles.text  # of empty cells

    def render_row(
        self, layout: LineLayout, row_index: int, line_number: int, has_cursor: bool, selected_span: SelectedSpan | None
    ) -> Strip:
        """Return the strip of one row.

        Args:
            layout: Layout of the line.
            row_index: Index in `layout.rows`.
            line_number: Line number in selection coordinates.
            has_cursor: True if the line is under the cursor, which a date row does not show.
            selected_span: Half-open range of the selected characters; None without a selection.
        """
        row = layout.rows[row_index]
        styles = self._styles
        has_cursor = has_cursor and row.kind is not RowKind.DATE
        builder = _RowBuilder(
            styles.cursor if has_cursor else styles.mentioned if _is_mention(layout.line, row) else styles.text,
            line_number,
            selected_span,
        )
        # The cursor column shows the cursor without color.
        is_below_text = row.kind in {RowKind.IMAGE, RowKind.REACTIONS, RowKind.DELIVERY_ERROR}
        builder.append("▌" if has_cursor else " ", 1, None, len(layout.text) if is_below_text else PREFIX_OFFSET)
        match row.kind:
            case RowKind.DATE:
                date = layout.decoration.day
                self._append_separator(builder, format_full_date(date) if date else "", styles.rule)
            case RowKind.GAP:
                missing_count = layout.line.missing_count if isinstance(layout.line, GapLine) else 0
                self._append_separator(builder, format_gap(missing_count), styles.gap)
            case RowKind.UNREAD_MARKER:
                self._append_separator(builder, tr("new"), styles.unread, full_width=True)
            case RowKind.NICK:
                self._append_nick_row(builder, layout)
            case RowKind.QUOTE:
                self._append_quote(builder, layout)
            case RowKind.IMAGE:
                self._append_images(builder, layout, row_index - layout.image_start)
            case RowKind.REACTIONS:
                self._append_reactions(builder, layout)
            case _:
                self._append_prefix(builder, layout, row)
                self._append_text(builder, layout, row)
        width = self._geometry.width
        if row.start == row.end and row.kind in {RowKind.TEXT, RowKind.NOTICE}:
            # A row without segments has no offset, and a selection could not locate the line.
            builder.append(" ", 1, None, row.end)
        builder.append(" " * (width - builder.cells), width - builder.cells)
        return Strip(builder.segments, builder.cells).adjust_cell_length(width, builder.background)

    def has_all_pictures(self, layout: LineLayout) -> bool:
        """Return whether `find_picture` returns a picture for each image of a line; True without images."""
        return all(self._find_picture(box) is not None for box in layout.images)

    def _append_separator(self, builder: _RowBuilder, label: str, style: Style, full_width: bool = False) -> None:
        """Append a truncated label with two dashes on each side, or with dashes up to both edges for `full_width`."""
        width, start = self._geometry.width, self._geometry.text_start
        text, cells = truncate_to_width(label, max(0, width - start - 5))
        left_dashes = start - 1 if full_width else 2
        builder.append(" " * (start - 1 - left_dashes), start - 1 - left_dashes, None, PREFIX_OFFSET)
        builder.append("─" * left_dashes, left_dashes, style, PREFIX_OFFSET)
        builder.append(f" {text} ", cells + 2, style, PREFIX_OFFSET)
        right_dashes = max(0, width - builder.cells - 1) if full_width else 2
        builder.append("─" * right_dashes, right_dashes, style, PREFIX_OFFSET)

    def _append_nick_row(self, builder: _RowBuilder, layout: LineLayout) -> None:
        """Append nickname and time of a message in a narrow timeline."""
        nick, cells = truncate_to_width(layout.nick_label, self._geometry.nick_width)
        builder.append(nick, cells, self._styles.nick_style(layout.sender_nick), PREFIX_OFFSET)
        time = layout.decoration.time
        builder.append(f"  {time}", len(time) + 2, self._styles.time, PREFIX_OFFSET)

    def _append_quote(self, builder: _RowBuilder, layout: LineLayout) -> None:
        """Append the quoted message, truncated to one row."""
        start = self._geometry.text_start
        text, cells = truncate_to_width(layout.quote or tr("an earlier message"), self._geometry.text_width)
        builder.append(" " * (start - 3), start - 3, None, PREFIX_OFFSET)
        builder.append("╭ ", 2, self._styles.rule, PREFIX_OFFSET)
        builder.append(text, cells, self._styles.secondary, PREFIX_OFFSET)

    def _append_images(self, builder: _RowBuilder, layout: LineLayout, image_row: int) -> None:
        """Append one row of the images: half blocks, or blank cells below terminal graphics and before the load."""
        for box in layout.images:
            if box.row <= image_row < box.row + box.rows:
                padding = self._geometry.text_start + box.column - builder.cells
                builder.append(" " * padding, padding)
                picture = self._find_picture(box)
                if picture is not None and picture.segments:
                    builder.segments.extend(picture.segments[image_row - box.row])
                    builder.cells += box.columns
                else:
                    is_loading = picture is None and image_row == box.row
                    builder.append("…" if is_loading else " ", 1, self._styles.secondary)
                    builder.append(" " * (box.columns - 1), box.columns - 1)

    def _append_reactions(self, builder: _RowBuilder, layout: LineLayout) -> None:
        """Append the reactions with counts and up to `MAX_REACTION_NAMES` nicknames, those of the user in brackets.

        Parts beyond the text width are cut.
        """
        styles, start = self._styles, self._geometry.text_start
        builder.append(" " * (start - 2), start - 2)
        remaining_cells = self._geometry.text_width
        for reaction in layout.reactions:
            label = (
                f"[{reaction.emoji} {reaction.count:,}]"
                if reaction.is_own
                else f" {reaction.emoji} {reaction.count:,} "
            )
            names = ", ".join(reaction.names[:MAX_REACTION_NAMES])
            more = ", …" if reaction.count > MAX_REACTION_NAMES else ""
            names_text = f"{' ' * reaction.is_own}{names}{more} " if names else ""
            for part, style in (
                (label, styles.mention if reaction.is_own else styles.notice),
                (names_text, styles.secondary),
            ):
                text, cells = truncate_to_width(part, remaining_cells)
                builder.append(text, cells, style)
                remaining_cells -= cells

    def _append_prefix(self, builder: _RowBuilder, layout: LineLayout, row: LayoutRow) -> None:
        """Append the columns to the left of the text: blanks, and in the first row time, nickname and status mark.

        A notice and a grouped message have no nickname; neither has a narrow timeline.
        """
        styles, geometry = self._styles, self._geometry
        is_first_row = row.is_first and row.kind is not RowKind.DELIVERY_ERROR
        start = geometry.notice_start if row.kind is RowKind.NOTICE else geometry.text_start
        time_width = geometry.time_width
        if is_first_row and time_width and start > time_width + 1:
            builder.append(f"{layout.decoration.time:>{time_width}} ", time_width + 1, styles.time, PREFIX_OFFSET)
        if is_first_row and row.kind is RowKind.TEXT and not geometry.is_narrow and not layout.decoration.is_grouped:
            nick, cells = truncate_to_width(layout.nick_label, geometry.nick_width)
            padding = geometry.nick_width - cells
            builder.append(" " * padding, padding, None, PREFIX_OFFSET)
            builder.append(nick, cells, styles.nick_style(layout.sender_nick), PREFIX_OFFSET)
        status_mark, style = self._status_mark(layout.line, row)
        padding = start - builder.cells - 2
        offset = PREFIX_OFFSET if is_first_row else None
        builder.append(" " * padding, padding, None, offset)
        builder.append(status_mark, 1, style, offset)
        builder.append(" ", 1, None, -1 if is_first_row else None)

    def _status_mark(self, line: Line, row: LayoutRow) -> tuple[str, Style]:
        """Return the sign of the delivery state, mention or notice, only in the first row; otherwise a blank."""
        styles = self._styles
        if not row.is_first or row.kind is RowKind.DELIVERY_ERROR:
            return " ", Style.null()
        if not isinstance(line, MessageLine):
            return "·", styles.notice
        if line.delivery is DeliveryState.PENDING:
            return "…", styles.pending
        if line.delivery is not DeliveryState.SENT:
            return "✗" if line.delivery is DeliveryState.FAILED else "?", styles.failed
        if line.is_own:
            return "✓", styles.sent
        return ("@", styles.mention) if line.is_mention else (" ", Style.null())

    def _append_text(self, builder: _RowBuilder, layout: LineLayout, row: LayoutRow) -> None:
        """Append the text of the row."""
        is_error = row.kind is RowKind.DELIVERY_ERROR
        text = (layout.delivery_error if is_error else layout.text)[row.start : row.end]
        width = self._geometry.notice_width if row.kind is RowKind.NOTICE else self._geometry.text_width
        position, start = row.start, builder.cells
        for run_end, style, link in self._styled_runs(layout, row, builder.selected_span):
            for glyphs, cells, length in _glyph_runs(
                text[position - row.start : run_end - row.start], builder.cells - start, width
            ):
                builder.append(glyphs, cells, style, None if is_error else position, link)
                position += length

    def _styled_runs(
        self, layout: LineLayout, row: LayoutRow, selected_span: SelectedSpan | None
    ) -> Iterator[tuple[int, Style, str]]:
        """Yield (end, style, url) of each run of equal style, from left to right."""
        styles, start = self._styles, row.start
        if row.kind is RowKind.DELIVERY_ERROR:
            yield row.end, styles.failed, ""
            return
        base_style = self._base_style(layout.line)
        selected_span = selected_span or (0, 0)
        boundaries = {
            row.end,
            layout.source_length,
            *selected_span,
            *(edge for link in layout.links for edge in (link.start, link.end)),
        }
        for end in sorted(edge for edge in boundaries if row.start < edge <= row.end):
            style = base_style if start < layout.source_length else base_style + styles.secondary
            url = next((link.url for link in layout.links if link.start <= start < link.end), "")
            if url:
                style += styles.link
            if selected_span[0] <= start < selected_span[1]:
                style += styles.selection
            yield end, style, url
            start = end

    def _base_style(self, line: Line) -> Style:
        """Return the style of the text of a line, on top of the row background."""
        if not isinstance(line, MessageLine):
            return self._styles.notice
        return (
            Style.null() if line.is_text_hidden or line.delivery is not DeliveryState.PENDING else self._styles.pending
        )


def _glyph_runs(text: str, column: int, width: int) -> Iterator[tuple[str, int, int]]:
    """Yield (glyphs, cells, length) of consecutive runs of `text`.

    Selection offsets count original characters, so a run is either unchanged text or a single replaced cluster.
    """
    if text.isascii() and "\t" not in text:
        yield text, len(text), len(text)
        return
    fitted: list[tuple[str, str, int]] = []
    for cluster in iter_graphemes(text):
        glyph, cells = fit_cluster(cluster, column, width)
        fitted.append((cluster, glyph, cells))
        column += cells
    for is_unchanged, group in groupby(fitted, key=lambda item: item[0] == item[1]):
        if is_unchanged:
            clusters, _, cell_counts = zip(*group, strict=True)
            run = "".join(clusters)
            yield run, sum(cell_counts), len(run)
        else:
            yield from ((glyph, cells, len(cluster)) for cluster, glyph, cells in group)


def _is_mention(line: Line, row: LayoutRow) -> bool:
    return isinstance(line, MessageLine) and line.is_mention and not line.is_own and row.kind is not RowKind.DATE


def _with_hyperlink(style: Style, url: str) -> Style:
    """Return a copy of `style` with an OSC 8 hyperlink; equal URLs have the same link id."""
    hyperlink_style = style.update_link(url)
    # Rich assigns a random link id per copy, which would split the link at each wrapped row.
    hyperlink_style._link_id = str(crc32(url.encode()))  # pyright: ignore[reportPrivateUsage]
    return hyperlink_style


def truncate_to_width(text: str, width: int) -> tuple[str, int]:
    """Return the glyphs of a single line, truncated to `width` cells with an ellipsis, and their width in cells.

    Text that fits may change too: a tab becomes a space, and other clusters are rendered by `render_cluster`.
    """
    glyphs: list[str] = []
    ends = [0]  # end columns of the glyphs
    for cluster in iter_graphemes(text):
        glyph, cells = (" ", 1) if cluster == "\t" else render_cluster(cluster)
        if ends[-1] + cells > width:
            count = bisect_right(ends, max(0, width - 1)) - 1
            return "".join(glyphs[:count]) + "…" * (width > 0), ends[count] + (width > 0)
        glyphs.append(glyph)
        ends.append(ends[-1] + cells)
    return "".join(glyphs), ends[-1]
