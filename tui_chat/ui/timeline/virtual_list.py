"""Virtual list of lines: rendering and scrolling.

- Cost: rendering uses Textual's line API instead of a widget per line. Time and memory depend on the visible rows and
  not on the length of the list.
- Changes: only `set_lines`, `splice`, `splice_many` and `clear` modify the list, each with a single view update.
- Scroll position: `Viewport` is the source of the position; `scroll_y` and `virtual_size` follow. External scrolling
  (keys, wheel, scrollbar) is applied to `Viewport` first.
- No animation: measuring lines above the view during a scroll would move the target row of an animation.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from typing import cast

from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.reactive import Reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.types import AnimationLevel, CallbackType
from textual.widget import Widget

from tui_chat.session.compressed_list import CompressedList
from tui_chat.session.lines import Line, MessageLine, NoticeLine, Splice
from tui_chat.ui.timeline.decoration import TimeFormat, TimeStyle
from tui_chat.ui.timeline.layout import LineLayout, estimate_rows
from tui_chat.ui.timeline.layout_cache import LayoutCache
from tui_chat.ui.timeline.line_renderer import LineRenderer
from tui_chat.ui.timeline.strings import TimelineStrings
from tui_chat.ui.timeline.styles import build_styles
from tui_chat.ui.timeline.text_selection import get_selected_range
from tui_chat.ui.timeline.viewport import Viewport

_STRIP_CACHE_SIZE = 320  # small: a strip has about thirty objects for the garbage collector
_WHEEL_ROWS = 3
_MAX_EXACT_SCROLL_VIEWS = 4  # in view heights; longer scrolls use estimated heights


@dataclass(frozen=True, slots=True)
class ScrollPosition:
    """Saved scroll position of a timeline.

    Attributes:
        key: Key of the anchor line; None follows the bottom.
        row: View row of the anchor line.
        ts: Timestamp of the anchor line, the fallback after its removal.
    """

    key: str | None
    row: int = 0
    ts: int = 0


@dataclass(frozen=True, slots=True)
class _CachedStrip:
    layout: LineLayout
    line_number: int
    has_cursor: bool
    strip: Strip


class VirtualList(ScrollView):
    """Scrollable list of lines with a stable scroll position.

    Attributes:
        cursor_key: Key of the line under the message cursor; None without a cursor.
    """

    cursor_key: var[str | None] = var(None, init=False)

    def __init__(
        self,
        *,
        strings: TimelineStrings | None = None,
        tz: tzinfo | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - name required by Textual
        classes: str | None = None,
    ) -> None:
        """Create a list without lines.

        Args:
            strings: Labels and texts; None uses the active language.
            tz: Time zone of dates and times; None uses the local time zone.
            name: Name of the widget.
            id: CSS id of the widget.
            classes: CSS classes of the widget, separated by spaces.
        """
        super().__init__(name=name, id=id, classes=classes, can_focus=True)
        self._custom_strings = strings
        self._strings = strings or TimelineStrings()
        self._time_format = TimeFormat(tz)
        self._line_layouts = LayoutCache(lambda: self._viewport.lines, self._strings, self._time_format)
        self._viewport = Viewport(
            self._line_layouts.get_extent, lambda line: estimate_rows(line, self._line_layouts.geometry)
        )
        self._strip_cache: LRUCache[tuple[str, int], _CachedStrip] = LRUCache(_STRIP_CACHE_SIZE)
        self._renderer: LineRenderer | None = None
        self._synced_scroll_y = 0
        self._syncing_scroll = False
        self._line_number_offset: int = 0  # selection line number minus list index

    @property
    def lines(self) -> CompressedList:
        """Lines of the list, oldest first."""
        return self._viewport.lines

    @property
    def is_at_bottom(self) -> bool:
        """True in follow mode, with the newest line in view."""
        return self._viewport.is_following

    def set_lines(self, lines: Iterable[Line], position: ScrollPosition | None = None) -> None:
        """Replace the list and remove the message cursor.

        A position whose line is missing is restored by its timestamp.

        Args:
            lines: New lines, oldest first.
            position: Scroll position to restore; None follows the bottom.
        """
        self._reset_view()
        viewport = self._viewport
        viewport.reset(lines)
        if position is not None and position.key is not None:
            self._restore_position(position)
        self._sync_view()

    def set_columns(self, time_style: TimeStyle, nick_width: int) -> None:
        """Set the time style and the nickname width, and reload the texts of the active language.

        The scroll position is preserved.

        Args:
            time_style: Notation of the time of day.
            nick_width: Cells of the nickname column; 0 derives the number from the total width.
        """
        self._strings = self._custom_strings or TimelineStrings()
        self._time_format = TimeFormat(self._time_format.tz, time_style)
        top_character = self._top_character()
        self._line_layouts.set_columns(self._time_format, nick_width, self._strings)
        self._invalidate_rendering()
        if top_character is not None:
            self._restore_top_character(*top_character)
        self._sync_view()

    def clear(self) -> None:
        """Remove all lines."""
        self.set_lines(())

    def splice(self, change: Splice) -> None:
        """Apply one splice."""
        self.splice_many((change,))

    def splice_many(self, changes: Iterable[Splice]) -> None:
        """Apply splices in order, with a single view update at the end.

        After an `IndexError`, the earlier splices stay applied and the view is not updated.

        Raises:
            IndexError: A splice exceeds the list.
        """
        viewport = self._viewport
        for change in changes:
            # Keys match removed lines with their replacements; a pure deletion has none.
            replaced = viewport.lines[change.index : change.index + change.removed] if change.lines else ()
            replaced_keys = [line.key for line in replaced]
            viewport.splice(change)
            self._on_splice_applied(change, replaced_keys)
        self._sync_view()

    def get_scroll_position(self) -> ScrollPosition:
        """Return the current scroll position, for `set_lines`."""
        anchor = self._viewport.anchor
        if self._viewport.is_following or anchor is None:
            return ScrollPosition(None)
        line = self._viewport.lines[anchor.index]
        return ScrollPosition(line.key, anchor.row, line.ts if isinstance(line, MessageLine | NoticeLine) else 0)

    def scroll_to_key(self, key: str) -> bool:
        """Scroll a line to one third of the view height; the cursor stays.

        Returns:
            True if the list contains the key.
        """
        index = self._index_of(key)
        if index is None:
            return False
        self._viewport.place_line(index, self._viewport.height // 3)
        self._sync_view()
        return True

    def action_to_bottom(self) -> None:
        """Scroll to the newest line and enable follow mode."""
        self._viewport.follow_bottom()
        self._sync_view()

    def action_to_top(self) -> None:
        """Scroll to the oldest loaded line."""
        if self._viewport.lines:
            self._viewport.scroll_to(0)
            self._sync_view()

    def action_scroll_end(self) -> None:
        """Scroll to the newest line and enable follow mode."""
        self.action_to_bottom()

    def action_scroll_home(self) -> None:
        """Scroll to the oldest loaded line."""
        self.action_to_top()

    def action_page_up(self) -> None:
        """Scroll up by one page minus one row."""
        self._scroll_rows(-max(1, self._viewport.height - 1))

    def action_page_down(self) -> None:
        """Scroll down by one page minus one row."""
        self._scroll_rows(max(1, self._viewport.height - 1))

    def action_scroll_up(self) -> None:
        """Scroll up by one row."""
        self._scroll_rows(-1)

    def action_scroll_down(self) -> None:
        """Scroll down by one row."""
        self._scroll_rows(1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll_rows(-_WHEEL_ROWS)
        event.stop().prevent_default()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll_rows(_WHEEL_ROWS)
        event.stop().prevent_default()

    def _scroll_rows(self, rows: int) -> None:
        if rows and not (rows > 0 and self._viewport.is_following):
            self._viewport.scroll_by(rows)
            self._sync_view()

    def _scroll_to(
        self,
        x: float | None = None,
        y: float | None = None,
        *,
        animate: bool = True,
        speed: float | None = None,
        duration: float | None = None,
        easing: object = None,
        force: bool = False,
        on_complete: CallbackType | None = None,
        level: AnimationLevel = "basic",
        release_anchor: bool = True,
    ) -> bool:
        """Disable the animation of scrolls that Textual starts (invariant "No animation")."""
        return super()._scroll_to(
            x, y, animate=False, force=force, on_complete=on_complete, release_anchor=release_anchor
        )

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Apply external scrolling, for example by the scrollbar, to the viewport."""
        super().watch_scroll_y(old_value, new_value)
        if self._syncing_scroll:
            return
        target_y = round(new_value)
        rows = target_y - self._synced_scroll_y
        if not rows:
            return
        if abs(rows) <= _MAX_EXACT_SCROLL_VIEWS * self._viewport.height:
            self._viewport.scroll_by(rows)
        elif target_y >= self.max_scroll_y:
            self._viewport.follow_bottom()
        else:
            self._viewport.scroll_to(target_y)
        self._sync_view()

    def render_line(self, y: int) -> Strip:
        """Return the strip of view row `y`."""
        hit = self._line_at(y)
        width = self.size.width
        renderer = self._get_renderer()
        if hit is None:
            return Strip.blank(width, renderer.background)
        index, row = hit
        line = self._viewport.lines[index]
        layout = self._line_layouts.get(index)
        line_number = index + self._line_number_offset
        has_cursor = line.key == self.cursor_key
        selection = self.text_selection
        selected_range = get_selected_range(selection, line_number) if selection is not None else None
        if selected_range is not None:
            strip = renderer.render_row(
                layout, row, line_number, has_cursor, selected_range.snap_to_clusters(layout.text)
            )
            return strip.adjust_cell_length(width, renderer.background)
        cache_key = (line.key, row)
        cached = self._strip_cache.get(cache_key)
        if (
            cached is None
            or cached.layout is not layout
            or cached.line_number != line_number
            or cached.has_cursor != has_cursor
        ):
            cached = _CachedStrip(
                layout, line_number, has_cursor, renderer.render_row(layout, row, line_number, has_cursor, None)
            )
            self._strip_cache[cache_key] = cached
        return cached.strip.adjust_cell_length(width, renderer.background)

    def notify_style_update(self) -> None:
        """Discard rendered rows after a change of theme."""
        super().notify_style_update()
        self._invalidate_rendering()

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        # Textual clamps `scroll_y` to the new size here, which is no scroll request.
        self._syncing_scroll = True
        try:
            return super()._size_updated(size, virtual_size, container_size, layout)
        finally:
            self._syncing_scroll = False

    def on_resize(self) -> None:
        """Lay out the lines for the new size."""
        self._sync_view()

    def _invalidate_rendering(self) -> None:
        # The next use creates a renderer: component styles change later than the widget style.
        self._renderer = None
        self._strip_cache.clear()

    def _get_renderer(self) -> LineRenderer:
        if self._renderer is None:
            self._renderer = LineRenderer(self._line_layouts.geometry, build_styles(self), self._strings)
        return self._renderer

    def _line_at(self, y: int) -> tuple[int, int] | None:
        """Return (line index, row inside the line) at view row `y`, or None for an empty row."""
        visible_rows = self._viewport.visible_rows
        row = y - (self._viewport.height - len(visible_rows))
        return visible_rows[row] if 0 <= row < len(visible_rows) else None

    def _sync_view(self) -> None:
        """Synchronize layouts, viewport and scroll position, then redraw."""
        size = self.scrollable_content_region.size
        if not (size.width and size.height):
            return
        viewport = self._viewport
        top_character = self._top_character()
        if self._line_layouts.resize(size.width):
            self._invalidate_rendering()
            if top_character is not None:
                self._restore_top_character(*top_character)
        viewport.height = size.height
        viewport.update()
        self._syncing_scroll = True
        try:
            content_size = Size(size.width, viewport.total_rows)
            if content_size != self.virtual_size:
                # Bypass the reactive: a longer list affects the scrollbar but not the screen layout.
                self.set_reactive(cast("Reactive[Size]", Widget.virtual_size), content_size)
                self._scroll_update(content_size)
            self._synced_scroll_y = viewport.rows_above
            self.scroll_target_y = self.scroll_y = self._synced_scroll_y
        finally:
            self._syncing_scroll = False
        self.refresh()
        self._on_view_synced()

    def _top_character(self) -> tuple[int, int] | None:
        """Return (line index, index of the top-left character) while one line fills the view.

        None in follow mode, for an empty view, or if a line starts in the view.
        """
        anchor = self._viewport.anchor
        if anchor is None or anchor.row >= 0 or self._viewport.is_following or not self._viewport.visible_rows:
            return None
        index, row = self._viewport.visible_rows[0]
        return index, self._line_layouts.get(index).rows[row].start

    def _restore_top_character(self, index: int, character: int) -> None:
        layout = self._line_layouts.get(index)
        candidate_rows = [
            row_index
            for row_index, row in enumerate(layout.rows)
            if row_index >= layout.leading_rows and row.start <= character
        ]
        self._viewport.place_line(index, layout.leading_rows - candidate_rows[-1])

    def _on_view_synced(self) -> None:
        """Handle the end of a view update; hook for subclasses."""

    def _on_splice_applied(self, change: Splice, replaced_keys: Sequence[str]) -> None:
        """Handle an applied splice; hook for subclasses.

        Args:
            change: The applied splice.
            replaced_keys: Keys of the removed lines; empty for a pure deletion.
        """

    def _restore_position(self, position: ScrollPosition) -> None:
        lines = self._viewport.lines
        index = self._index_of(position.key) if position.key is not None else None
        if index is None:
            index = bisect_left(range(len(lines)), position.ts, key=lambda candidate: _next_timestamp(lines, candidate))
        if index < len(lines):
            self._viewport.place_line(index, position.row)

    def _index_of(self, key: str) -> int | None:
        return self._viewport.lines.index_of(key)

    def _reset_view(self) -> None:
        """Discard all state of the current list."""
        self._line_layouts.clear()
        self._strip_cache.clear()
        self._line_number_offset = 0
        self.cursor_key = None


def _next_timestamp(lines: Sequence[Line], index: int) -> int:
    """Return the timestamp of the first dated line at or after `index`, or a maximum if none exists."""
    for line in islice(lines, index, None):
        if isinstance(line, MessageLine | NoticeLine):
            return line.ts
    return 1 << 62
