"""Lines laid out for the present width, as many as are worth keeping."""

from collections.abc import Callable, Sequence

from textual.cache import LRUCache

from tui_chat.session.lines import Line
from tui_chat.ui.timeline.decoration import TimeFormat, decorate
from tui_chat.ui.timeline.layout import LineLayout, TimelineGeometry, layout_line
from tui_chat.ui.timeline.strings import TimelineStrings
from tui_chat.ui.timeline.viewport import LineExtent

MAX_CACHED_LAYOUTS = 1024


class LayoutCache:
    """The layouts of a list of lines; each is made again when its line or its neighbours have changed.

    Attributes:
        geometry: For which columns.
    """

    def __init__(
        self, get_lines: Callable[[], Sequence[Line]], strings: TimelineStrings, time_format: TimeFormat
    ) -> None:
        """Nothing laid out yet.

        Args:
            lines: Gives the list as it is now.
            words: What a timeline says.
            clock: How moments are told.
        """
        self._get_lines = get_lines
        self._strings = strings
        self._time_format = time_format
        self._nick_width = 0
        self._cache: LRUCache[str, LineLayout] = LRUCache(MAX_CACHED_LAYOUTS)
        self.geometry = TimelineGeometry.for_width(80, time_format.width)

    def resize(self, width: int) -> bool:
        """Lay out for that many cells from now on; False if it was so before."""
        if width == self.geometry.width:
            return False
        self.geometry = TimelineGeometry.for_width(width, self._time_format.width, self._nick_width)
        self._cache.clear()
        return True

    def set_columns(self, time_format: TimeFormat, nick_width: int, strings: TimelineStrings) -> None:
        """Tell moments so from now on, in that many cells for nicknames (0: as the width allows), in these words."""
        self._time_format, self._strings = time_format, strings
        self._nick_width = nick_width
        self.geometry = TimelineGeometry.for_width(self.geometry.width, time_format.width, nick_width)
        self._cache.clear()

    def clear(self) -> None:
        """Keep nothing, as when another list is shown."""
        self._cache.clear()

    def get(self, index: int) -> LineLayout:
        """The layout of one line."""
        lines = self._get_lines()
        line = lines[index]
        decoration = decorate(lines, index, self._time_format)
        layout = self._cache.get(line.key)
        if layout is None or layout.line is not line or layout.decoration != decoration:
            layout = layout_line(line, decoration, self.geometry, self._strings)
            self._cache[line.key] = layout
        return layout

    def get_extent(self, index: int) -> LineExtent:
        """The exact height of one line."""
        layout = self.get(index)
        return LineExtent(len(layout.rows), layout.leading_rows)
