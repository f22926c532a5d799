"""LRU cache of line layouts at the current width."""

from collections.abc import Callable, Sequence

from textual.cache import LRUCache

from tui_chat.session.lines import Line
from tui_chat.ui.timeline.decoration import TimeFormat, decorate
from tui_chat.ui.timeline.layout import LineLayout, TimelineGeometry, layout_line
from tui_chat.ui.timeline.strings import TimelineStrings
from tui_chat.ui.timeline.viewport import LineExtent

MAX_CACHED_LAYOUTS = 1024


class LayoutCache:
    """Cache of line layouts; a changed line or decoration invalidates the entry.

    Attributes:
        geometry: Column geometry of the cached layouts.
    """

    def __init__(
        self, get_lines: Callable[[], Sequence[Line]], strings: TimelineStrings, time_format: TimeFormat
    ) -> None:
        """Create an empty cache.

        Args:
            get_lines: Returns the current lines of the timeline.
            strings: Labels and texts of the timeline.
            time_format: Format of dates and times.
        """
        self._get_lines = get_lines
        self._strings = strings
        self._time_format = time_format
        self._nick_width = 0
        self._cache: LRUCache[str, LineLayout] = LRUCache(MAX_CACHED_LAYOUTS)
        self.geometry = TimelineGeometry.for_width(80, time_format.width)

    def resize(self, width: int) -> bool:
        """Set the width in cells and drop all layouts after a change.

        Returns:
            True if the width changed.
        """
        if width == self.geometry.width:
            return False
        self.geometry = TimelineGeometry.for_width(width, self._time_format.width, self._nick_width)
        self._cache.clear()
        return True

    def set_columns(self, time_format: TimeFormat, nick_width: int, strings: TimelineStrings) -> None:
        """Set the columns and the texts, and drop all layouts.

        Args:
            time_format: Format of dates and times.
            nick_width: Cells of the nickname column; 0 derives the number from the total width.
            strings: Labels and texts of the timeline.
        """
        self._time_format, self._strings = time_format, strings
        self._nick_width = nick_width
        self.geometry = TimelineGeometry.for_width(self.geometry.width, time_format.width, nick_width)
        self._cache.clear()

    def clear(self) -> None:
        """Drop all layouts, for a different list of lines."""
        self._cache.clear()

    def get(self, index: int) -> LineLayout:
        """Return the layout of `lines[index]`."""
        lines = self._get_lines()
        line = lines[index]
        decoration = decorate(lines, index, self._time_format)
        layout = self._cache.get(line.key)
        if layout is None or layout.line is not line or layout.decoration != decoration:
            layout = layout_line(line, decoration, self.geometry, self._strings)
            self._cache[line.key] = layout
        return layout

    def get_extent(self, index: int) -> LineExtent:
        """Lay out `lines[index]` and return its exact height."""
        layout = self.get(index)
        return LineExtent(len(layout.rows), layout.leading_rows)
