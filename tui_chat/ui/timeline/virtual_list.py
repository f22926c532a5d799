"""A window on a list of lines that keeps its place: drawing and scrolling.

Rule 1  One widget draws all lines (Textual's line API); work and memory follow
        what is in view, never the length of the list.
Rule 2  The list changes by `show`, `splice`, `splice_many` and `clear` only, and
        each of them moves the view at most once.
Rule 3  `Viewport` knows the place; `scroll_y` and `virtual_size` follow it. A
        scroll that comes from elsewhere (keys, wheel, scrollbar) is given to
        `Viewport` first.
Rule 4  No scrolling is animated: heights above the view become exact while one
        scrolls, so a row to aim for would move.
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

_STRIP_CACHE_SIZE = 320  # few: every strip is some thirty objects for the garbage collector to walk
_WHEEL_ROWS = 3  # rows
_MAX_EXACT_SCROLL_VIEWS = 4  # views; farther moves are by estimate


@dataclass(frozen=True, slots=True)
class ScrollPosition:
    """A place in a timeline, to come back to.

    Attributes:
        key: The line that is kept on its row, None to follow the bottom.
        row: That row of the view.
        ts: When that line was said, in case it is gone.
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
    """Shows a list of lines and keeps the reader's place in it.

    Attributes:
        picked: Key of the line under the cursor, None while nothing is picked.
    """

    cursor_key: var[str | None] = var(None, init=False)

    def __init__(
        self,
        *,
        strings: TimelineStrings | None = None,
        tz: tzinfo | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        """Shows nothing yet.

        Args:
            words: What it says; in the language in use if None.
            zone: Whose calendar and clock; None is this computer's.
            name: As for every widget.
            id: As for every widget.
            classes: As for every widget.
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
        self._line_number_offset: int = 0  # a line's number in selections is its index and this

    # What it shows

    @property
    def lines(self) -> CompressedList:
        """The lines, oldest first."""
        return self._viewport.lines

    @property
    def is_at_bottom(self) -> bool:
        """The newest line is in view, and new lines are followed."""
        return self._viewport.is_following

    def set_lines(self, lines: Iterable[Line], position: ScrollPosition | None = None) -> None:
        """Show another list, such as another room.

        Args:
            lines: All of it, oldest first.
            at: Where to begin reading; the bottom if None.
        """
        self._reset_view()
        viewport = self._viewport
        viewport.reset(lines)
        if position is not None and position.key is not None:
            self._restore_position(position)
        self._sync_view()

    def set_columns(self, time_style: TimeStyle, nick_width: int) -> None:
        """Write times like this, and nicknames in that many cells (0: as the width allows); the place is kept.

        The words are those of the language that is in use now.
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
        """Show nothing."""
        self.set_lines(())

    def splice(self, change: Splice) -> None:
        """Apply one change."""
        self.splice_many((change,))

    def splice_many(self, changes: Iterable[Splice]) -> None:
        """Apply changes one after the other, and then draw once.

        Raises:
            IndexError: A change is not within the list.
        """
        viewport = self._viewport
        for change in changes:
            # Keys are for lines that come again changed; a mere cut need not look at what goes.
            replaced = viewport.lines[change.index : change.index + change.removed] if change.lines else ()
            replaced_keys = [line.key for line in replaced]
            viewport.splice(change)
            self._on_splice_applied(change, replaced_keys)
        self._sync_view()

    def get_scroll_position(self) -> ScrollPosition:
        """The present place, for `show`."""
        anchor = self._viewport.anchor
        if self._viewport.is_following or anchor is None:
            return ScrollPosition(None)
        line = self._viewport.lines[anchor.index]
        return ScrollPosition(line.key, anchor.row, line.ts if isinstance(line, MessageLine | NoticeLine) else 0)

    def scroll_to_key(self, key: str) -> bool:
        """Bring a line into view, a third down from the top; False if there is no such line."""
        index = self._index_of(key)
        if index is None:
            return False
        self._viewport.place_line(index, self._viewport.height // 3)
        self._sync_view()
        return True

    # Moving

    def action_to_bottom(self) -> None:
        """Go to the newest line and follow it."""
        self._viewport.follow_bottom()
        self._sync_view()

    def action_to_top(self) -> None:
        """Go to the oldest line that is here."""
        if self._viewport.lines:
            self._viewport.scroll_to(0)
            self._sync_view()

    def action_scroll_end(self) -> None:
        """Go to the newest line and follow it."""
        self.action_to_bottom()

    def action_scroll_home(self) -> None:
        """Go to the oldest line that is here."""
        self.action_to_top()

    def action_page_up(self) -> None:
        """One view up, less a row."""
        self._scroll_rows(-max(1, self._viewport.height - 1))

    def action_page_down(self) -> None:
        """One view down, less a row."""
        self._scroll_rows(max(1, self._viewport.height - 1))

    def action_scroll_up(self) -> None:
        """One row up."""
        self._scroll_rows(-1)

    def action_scroll_down(self) -> None:
        """One row down."""
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
        """Every scroll of Textual's own ends here; see rule 4."""
        return super()._scroll_to(
            x, y, animate=False, force=force, on_complete=on_complete, release_anchor=release_anchor
        )

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take a scroll that came from elsewhere, such as the scrollbar, as a wish for a place."""
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

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One row of the view."""
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
        """Take the styles anew, as after a change of theme."""
        super().notify_style_update()
        self._invalidate_rendering()

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        # Textual cuts scroll_y to the new size here; that is nobody's wish for another place.
        self._syncing_scroll = True
        try:
            return super()._size_updated(size, virtual_size, container_size, layout)
        finally:
            self._syncing_scroll = False

    def on_resize(self) -> None:
        """Lay out for the new size and keep the place."""
        self._sync_view()

    def _invalidate_rendering(self) -> None:
        # A new painter is made when it is needed: the styles of the parts come after those of the widget.
        self._renderer = None
        self._strip_cache.clear()

    def _get_renderer(self) -> LineRenderer:
        if self._renderer is None:
            self._renderer = LineRenderer(self._line_layouts.geometry, build_styles(self), self._strings)
        return self._renderer

    def _line_at(self, y: int) -> tuple[int, int] | None:
        """The index of the line on row `y` of the widget, and which of its rows that is."""
        visible_rows = self._viewport.visible_rows
        row = y - (self._viewport.height - len(visible_rows))
        return visible_rows[row] if 0 <= row < len(visible_rows) else None

    # Keeping the place

    def _sync_view(self) -> None:
        """Bring view, scroll position and everything that follows from them into agreement."""
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
                # Not through the reactive: a longer list needs another scrollbar, not another layout of the screen.
                self.set_reactive(cast("Reactive[Size]", Widget.virtual_size), content_size)
                self._scroll_update(content_size)
            self._synced_scroll_y = viewport.rows_above
            self.scroll_target_y = self.scroll_y = self._synced_scroll_y
        finally:
            self._syncing_scroll = False
        self.refresh()
        self._on_view_synced()

    def _top_character(self) -> tuple[int, int] | None:
        """Of a line that fills the view: its index and the character on the first row; None if one begins in view."""
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
        """The view is at rest again."""

    def _on_splice_applied(self, change: Splice, replaced_keys: Sequence[str]) -> None:
        """A change was applied; where it brought lines, those with the `old` keys went."""

    def _restore_position(self, position: ScrollPosition) -> None:
        lines = self._viewport.lines
        index = self._index_of(position.key) if position.key is not None else None
        if index is None:
            index = bisect_left(range(len(lines)), position.ts, key=lambda place: _next_timestamp(lines, place))
        if index < len(lines):
            self._viewport.place_line(index, position.row)

    def _index_of(self, key: str) -> int | None:
        return self._viewport.lines.index_of(key)

    def _reset_view(self) -> None:
        """Another list comes: keep nothing of this one."""
        self._line_layouts.clear()
        self._strip_cache.clear()
        self._line_number_offset = 0
        self.cursor_key = None


def _next_timestamp(lines: Sequence[Line], index: int) -> int:
    """When the line, or the next one that has a time, was said."""
    for line in islice(lines, index, None):
        if isinstance(line, MessageLine | NoticeLine):
            return line.ts
    return 1 << 62
