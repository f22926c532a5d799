"""Cache of rendered rows."""

from collections.abc import Callable

from textual.cache import LRUCache
from textual.strip import Strip

from tui_chat.ui.timeline.layout import LineLayout
from tui_chat.ui.timeline.line_renderer import LineRenderer
from tui_chat.ui.timeline.text_selection import SelectedRange

_CACHE_SIZE = 320  # small: a strip has about thirty objects for the garbage collector


class StripCache:
    """Bounded cache of the rendered rows without selected text, except lines with an image that is not loaded."""

    def __init__(self, create_renderer: Callable[[], LineRenderer]) -> None:
        self._create_renderer = create_renderer
        self._renderer: LineRenderer | None = None
        self._strips: LRUCache[tuple[str, int, int, bool], tuple[LineLayout, Strip]] = LRUCache(_CACHE_SIZE)

    def invalidate(self) -> None:
        """Discard the strips and the renderer, after a change of columns or styles."""
        # The next use creates a renderer: component styles change later than the widget style.
        self._renderer = None
        self._strips.clear()

    def render_row(
        self, layout: LineLayout, row: int, line_number: int, has_cursor: bool, selected: SelectedRange | None
    ) -> Strip:
        """Return the strip of one row. Arguments as in `LineRenderer.render_row`."""
        if selected is not None:
            return self.renderer.render_row(
                layout, row, line_number, has_cursor, selected.snap_to_clusters(layout.text)
            )
        key = (layout.line.key, row, line_number, has_cursor)
        cached = self._strips.get(key)
        if cached is None or cached[0] is not layout:
            cached = layout, self.renderer.render_row(layout, row, line_number, has_cursor, None)
            if self.renderer.has_all_pictures(layout):
                self._strips[key] = cached
        return cached[1]

    @property
    def renderer(self) -> LineRenderer:
        """Current renderer."""
        if self._renderer is None:
            self._renderer = self._create_renderer()
        return self._renderer
