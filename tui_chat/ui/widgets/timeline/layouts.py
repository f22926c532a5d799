"""Lines laid out for the present width, as many as are worth keeping."""

from collections.abc import Callable, Sequence

from textual.cache import LRUCache

from tui_chat.session.lines import Line
from tui_chat.ui.widgets.timeline.decoration import Clock, decorate
from tui_chat.ui.widgets.timeline.layout import Geometry, LineLayout, lay_out
from tui_chat.ui.widgets.timeline.viewport import Extent
from tui_chat.ui.widgets.timeline.words import TimelineWords

KEPT = 1024


class Layouts:
    """The layouts of a list of lines; each is made again when its line or its neighbours have changed.

    Attributes:
        geometry: For which columns.
    """

    def __init__(self, lines: Callable[[], Sequence[Line]], words: TimelineWords, clock: Clock) -> None:
        """Nothing laid out yet.

        Args:
            lines: Gives the list as it is now.
            words: What a timeline says.
            clock: How moments are told.
        """
        self._lines = lines
        self._words = words
        self._clock = clock
        self._nick_width = 0
        self._kept: LRUCache[str, LineLayout] = LRUCache(KEPT)
        self.geometry = Geometry.of(80, clock.width)

    def resize(self, width: int) -> bool:
        """Lay out for that many cells from now on; False if it was so before."""
        if width == self.geometry.width:
            return False
        self.geometry = Geometry.of(width, self._clock.width, self._nick_width)
        self._kept.clear()
        return True

    def set_columns(self, clock: Clock, nick_width: int, words: TimelineWords) -> None:
        """Tell moments so from now on, in that many cells for nicknames (0: as the width allows), in these words."""
        self._clock, self._words = clock, words
        self._nick_width = nick_width
        self.geometry = Geometry.of(self.geometry.width, clock.width, nick_width)
        self._kept.clear()

    def clear(self) -> None:
        """Keep nothing, as when another list is shown."""
        self._kept.clear()

    def of(self, index: int) -> LineLayout:
        """The layout of one line."""
        lines = self._lines()
        line = lines[index]
        decoration = decorate(lines, index, self._clock)
        layout = self._kept.get(line.key)
        if layout is None or layout.line is not line or layout.decoration != decoration:
            layout = lay_out(line, decoration, self.geometry, self._words)
            self._kept[line.key] = layout
        return layout

    def extent(self, index: int) -> Extent:
        """The exact height of one line."""
        layout = self.of(index)
        return Extent(len(layout.rows), layout.lead)
