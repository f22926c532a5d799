"""Virtual list of lines: layouts, columns and scroll position, independent of any widget.

- Cost: lines are laid out on demand; at most `MAX_CACHED_LAYOUTS` layouts remain in memory.
- Updates: after any change, the owner calls `viewport.update()`.
- Layouts: a changed line or decoration invalidates its layout; a change of the columns invalidates all layouts.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from textual.cache import LRUCache
from textual.geometry import Size

from tui_chat.session.lines import Line, MessageLine, NoticeLine
from tui_chat.ui.images.image_layout import MAX_IMAGE_ROWS, ImageLimits
from tui_chat.ui.terminal.graphics import CellSize
from tui_chat.ui.timeline.decoration import TimeFormat, TimeStyle, decorate
from tui_chat.ui.timeline.layout import LayoutRow, LineLayout, RowKind, TimelineGeometry, estimate_rows, layout_line
from tui_chat.ui.timeline.viewport import LineExtent, Viewport

MAX_CACHED_LAYOUTS = 1024


@dataclass(frozen=True, slots=True)
class ScrollPosition:
    """Saved scroll position of a timeline.

    Attributes:
        key: Key of the anchor line; None follows the bottom.
        row: View row of the anchor line.
        ts: Timestamp of the anchor line or the next dated one, the fallback after the removal of the anchor line.
    """

    key: str | None
    row: int = 0
    ts: int = 0


class VirtualList:
    """List of lines with layouts on demand and a stable scroll position, initially empty.

    Args:
        tz: Time zone of dates and times; None uses the local time zone.
    """

    def __init__(self, tz: tzinfo | None = None) -> None:
        self.time_format = TimeFormat(tz)
        self.geometry = TimelineGeometry.for_width(80, self.time_format.width)
        self.viewport = Viewport(self._get_extent, lambda line: estimate_rows(line, self.geometry))
        self._nick_width = 0
        self._image_cell: CellSize | None = None
        self._unavailable_images: frozenset[str] = frozenset()
        self._layouts: LRUCache[str, LineLayout] = LRUCache(MAX_CACHED_LAYOUTS)

    def set_lines(self, lines: Iterable[Line], position: ScrollPosition | None = None) -> None:
        """Replace the list, oldest line first, and restore a scroll position; None follows the bottom.

        A position whose line is missing is restored at the first line with its timestamp or a later one; without such a
        line, the list follows the bottom.
        """
        self._layouts.clear()
        self.viewport.reset(lines)
        if position is None or position.key is None:
            return
        all_lines = self.viewport.lines
        index = all_lines.index_of(position.key)
        if index is None:
            index = bisect_left(
                range(len(all_lines)), position.ts, key=lambda candidate: _next_timestamp(all_lines, candidate)
            )
        if index < len(all_lines):
            self.viewport.place_line(index, position.row)

    def get_scroll_position(self) -> ScrollPosition:
        """Return the current scroll position, for `set_lines`."""
        anchor = self.viewport.anchor
        if self.viewport.is_following or anchor is None:
            return ScrollPosition(None)
        lines = self.viewport.lines
        return ScrollPosition(lines[anchor.index].key, anchor.row, _next_timestamp(lines, anchor.index))

    def resize(self, size: Size) -> bool:
        """Set the size in cells; a new width or image height limit discards all layouts, not the scroll position.

        Returns:
            True if the layouts were discarded.
        """
        self.viewport.height = size.height
        if size.width == self.geometry.width and self._get_image_limits() == self.geometry.images:
            return False
        self._set_geometry(size.width)
        return True

    def set_columns(self, time_style: TimeStyle, nick_width: int) -> None:
        """Set the columns and discard all layouts; the scroll position is preserved.

        A `nick_width` of 0 stands for a share of the total width.
        """
        self.time_format = TimeFormat(self.time_format.tz, time_style)
        self._nick_width = nick_width
        self._set_geometry(self.geometry.width)

    def set_images(self, cell_size: CellSize | None, unavailable: frozenset[str]) -> None:
        """Set the cell size, None to hide all images, and the paths of hidden images.

        A change discards all layouts; the scroll position is preserved.
        """
        self._image_cell, self._unavailable_images = cell_size, unavailable
        if self._get_image_limits() != self.geometry.images:
            self._set_geometry(self.geometry.width)

    def _get_image_limits(self) -> ImageLimits:
        """Return the limits of images: at most a third of the height of the view."""
        if self._image_cell is None:
            return ImageLimits()
        return ImageLimits(min(MAX_IMAGE_ROWS, self.viewport.height // 3), self._image_cell, self._unavailable_images)

    def layout(self, index: int) -> LineLayout:
        """Return the layout of `lines[index]`: the cached one, unless line object or decoration have changed."""
        line = self.viewport.lines[index]
        decoration = decorate(self.viewport.lines, index, self.time_format)
        layout = self._layouts.get(line.key)
        if layout is None or layout.line is not line or layout.decoration != decoration:
            layout = layout_line(line, decoration, self.geometry)
            self._layouts[line.key] = layout
        return layout

    def row_at(self, y: int) -> tuple[int, int] | None:
        """Return (line index, row inside the line) at view row `y`, or None for an empty row.

        A list with fewer rows than the view is at the bottom of the view.
        """
        visible_rows = self.viewport.visible_rows
        row = y - (self.viewport.height - len(visible_rows))
        return visible_rows[row] if 0 <= row < len(visible_rows) else None

    def _get_extent(self, index: int) -> LineExtent:
        layout = self.layout(index)
        return LineExtent(len(layout.rows), layout.leading_rows)

    def _set_geometry(self, width: int) -> None:
        """Set the column geometry; while one line fills the view, its top-left character stays in the top row."""
        viewport, anchor = self.viewport, self.viewport.anchor
        fills_view = anchor is not None and anchor.row < 0 and not viewport.is_following
        index, row = viewport.visible_rows[0] if fills_view and viewport.visible_rows else (None, 0)
        top_character = _text_position(self.layout(index).rows[row]) if index is not None else (False, 0)
        self.geometry = TimelineGeometry.for_width(
            width, self.time_format.width, self._nick_width, self._get_image_limits()
        )
        self._layouts.clear()
        if index is not None:
            layout = self.layout(index)
            text_rows = enumerate(layout.rows[layout.leading_rows :])
            viewport.place_line(
                index, -max(offset for offset, row in text_rows if _text_position(row) <= top_character)
            )


def _text_position(row: LayoutRow) -> tuple[bool, int]:
    """Return a sort key of the first character of a row: in the text, then in the delivery error below."""
    return row.kind is RowKind.DELIVERY_ERROR, row.start


def _next_timestamp(lines: Sequence[Line], index: int) -> int:
    """Return the timestamp of the first dated line at or after `index`, or 2**62 if none exists."""
    following = map(lines.__getitem__, range(index, len(lines)))  # an iteration would decompress the earlier lines
    return next((line.ts for line in following if isinstance(line, MessageLine | NoticeLine)), 1 << 62)
