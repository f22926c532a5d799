"""Timeline widget: scrolling, keyboard and mouse actions of a virtual list with message cursor and text selection.

- Cost: rendering uses Textual's line API instead of a widget per line.
- Changes: only `set_lines` and `splice_many` modify the list, each with a single view update.
- Scroll position: `Viewport` is the source of the position; `scroll_y` and `virtual_size` follow. External scrolling
  (keys, wheel, scrollbar) is applied to `Viewport` first.
- No animation: measuring lines above the view during a scroll would move the target row of an animation.
"""

from collections.abc import Collection, Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Any, ClassVar, cast

from textual import events
from textual.geometry import Region, Size
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.selection import SELECT_ALL, Selection
from textual.strip import Strip
from textual.widget import Widget

from tui_chat.session.compressed_list import CompressedList
from tui_chat.session.lines import DeletionState, GapLine, Line, MessageLine, Splice
from tui_chat.ui.images.image_store import ImageStore
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.timeline.decoration import TimeStyle
from tui_chat.ui.timeline.history_requests import HistoryRequests
from tui_chat.ui.timeline.layout import RowKind
from tui_chat.ui.timeline.line_renderer import LineRenderer
from tui_chat.ui.timeline.message_cursor import MessageCursor
from tui_chat.ui.timeline.messages import CursorMoved, FollowChanged, LinkClicked, MessageActivated
from tui_chat.ui.timeline.new_message_counter import NewMessageCounter
from tui_chat.ui.timeline.strip_cache import StripCache
from tui_chat.ui.timeline.styles import TIMELINE_COMPONENTS, build_styles
from tui_chat.ui.timeline.text_selection import TextSelection
from tui_chat.ui.timeline.virtual_list import ScrollPosition, VirtualList
from tui_chat.ui.timeline.visible_images import VisibleImages

_WHEEL_ROWS = 3
_MAX_EXACT_SCROLL_VIEWS = 4  # in view heights; longer scrolls use estimated heights


class Timeline(ScrollView, inherit_bindings=False):
    """Scrollable list of the lines of a room, with the key bindings of the message cursor.

    Posts `OlderMessagesRequested`, `GapRequested`, `CursorMoved`, `MessageActivated`, `LinkClicked` and
    `FollowChanged` (module `messages`).

    Args:
        tz: Time zone of dates and times; None uses the local time zone.
        images: Pictures of images in messages, None to show captions only.

    Attributes:
        new_message_count: Number of unseen messages of other members below the view, 0 in follow mode.
    """

    DEFAULT_CSS = Path(__file__).with_name("timeline.tcss").read_text(encoding="utf-8")
    COMPONENT_CLASSES: ClassVar[set[str]] = TIMELINE_COMPONENTS
    BINDINGS = [*textual_bindings(KeyScope.MESSAGE_CURSOR)]  # noqa: RUF012 (declared as in Textual)
    FOCUS_ON_CLICK = False  # the composer keeps the focus during reading and selection

    new_message_count: reactive[int] = reactive(0, repaint=False)

    def __init__(self, *, tz: tzinfo | None = None, images: ImageStore | None = None) -> None:
        super().__init__()
        self._list = VirtualList(tz)
        self._viewport = self._list.viewport
        self._cursor = MessageCursor(self._viewport, lambda key: self.post_message(CursorMoved(key)))
        self._selection = TextSelection()
        self._requests = HistoryRequests(self._viewport, self.post_message)
        self._new_messages = NewMessageCounter()
        self._images = VisibleImages(images, self._list)
        self._strips = StripCache(lambda: LineRenderer(self._list.geometry, build_styles(self), self._images.find))
        self._was_following = True
        self._synced_scroll_y = 0
        self._syncing_scroll = False

    @property
    def lines(self) -> CompressedList:
        """Lines of the timeline, oldest first."""
        return self._viewport.lines

    @property
    def is_at_bottom(self) -> bool:
        """True in follow mode, with the newest line in view."""
        return self._viewport.is_following

    @property
    def cursor_key(self) -> str | None:
        """Key of the selected line; None without a selection."""
        return self._cursor.key

    @property
    def highlighted_key(self) -> str | None:
        """Key of the selected or highlighted line; None if there is none."""
        return None if self._cursor.index is None else self.lines[self._cursor.index].key

    def set_lines(self, lines: Iterable[Line], position: ScrollPosition | None = None) -> None:
        """Replace the list (`VirtualList.set_lines`), and mark all its messages as seen.

        Cursor and text selection are cleared, and requests for history and gaps may repeat.
        """
        self._cursor.hide()
        self._selection = TextSelection()
        self._requests.reset()
        self._clear_selection()
        self._list.set_lines(lines, position)
        self._new_messages.mark_all_seen(self.lines)
        self._sync_view()

    def splice_many(self, changes: Iterable[Splice]) -> None:
        """Apply splices in order, with a single view update at the end.

        Raises:
            IndexError: A splice exceeds the list. The earlier splices stay applied, and the view is not updated.
        """
        for change in changes:
            # Keys match removed lines with their replacements; a pure deletion has none.
            removed = slice(change.index, change.index + change.removed)
            replaced_keys = [line.key for line in self.lines[removed]] if change.lines else []
            self._viewport.splice(change)
            self._cursor.apply_splice(change, replaced_keys)
            if self._selection.apply_splice(
                change, self.text_selection if self.is_attached else None, self._viewport.visible_range.start
            ):
                self._clear_selection()
            if not self.is_at_bottom:
                self._new_messages.add_lines(change.lines, set(replaced_keys))
        self._sync_view()

    def set_columns(self, time_style: TimeStyle, nick_width: int) -> None:
        """Set the columns (`VirtualList.set_columns`), and reload the texts of the active language."""
        self._list.set_columns(time_style, nick_width)
        self._strips.invalidate()
        self._sync_view()

    def update_images(self, loaded: Collection[str] | None = None) -> None:
        """Draw the changes of the image store: the rows of the images with the paths `loaded`, all rows for None."""
        if loaded is not None:
            if regions := self._images.find_regions(loaded, self.size.width):
                self.refresh(*regions)
            return
        self._images.apply_options()
        self._strips.invalidate()
        self._sync_view()

    def get_scroll_position(self) -> ScrollPosition:
        """Return the current scroll position, for `set_lines`."""
        return self._list.get_scroll_position()

    def scroll_to_key(self, key: str) -> bool:
        """Scroll the text of a line to one third of the view height, or as near as the list permits; the cursor stays.

        Follow mode ends unless the last row is in view.

        Returns:
            True if the list contains the key; False without effect.
        """
        if (index := self.lines.index_of(key)) is not None:
            self._viewport.place_line(index, self._viewport.height // 3)
            self._sync_view()
        return index is not None

    def set_cursor(self, key: str | None) -> None:
        """Move the cursor to a message or gap and scroll there. No effect for an unknown key.

        The key of a notice hides the cursor. None hides cursor or highlight without scrolling.
        """
        if key is None:
            self._cursor.hide()
            self.refresh()
        elif (index := self.lines.index_of(key)) is not None:
            self._cursor.move_to(index)
            self._sync_view()

    def highlight(self, key: str) -> None:
        """Highlight a message or gap without scrolling, and end the selection. No effect for an unknown key."""
        if (index := self.lines.index_of(key)) is not None:
            self._cursor.highlight(index)
            self._sync_view()

    def reset_requests(self) -> None:
        """Permit repeated `OlderMessagesRequested` and `GapRequested` messages, after a failed request."""
        self._requests.reset()

    def action_show_cursor(self) -> None:
        """Show the message cursor (`MessageCursor.show`)."""
        self._cursor.show()
        self._sync_view()

    def action_cursor_up(self) -> None:
        """Move the selection to the previous message or gap; scroll up one row without a selection."""
        self._move_cursor(-1)

    def action_cursor_down(self) -> None:
        """Move the selection to the next message or gap; scroll down one row without a selection."""
        self._move_cursor(1)

    def _move_cursor(self, step: int) -> None:
        if self._cursor.move(step):
            self._sync_view()
        else:
            self._scroll_rows(step)

    def action_select_cursor(self) -> None:
        """Post `MessageActivated` or `GapRequested` for the selected line. No effect without a selection."""
        line = self.lines.get(self.cursor_key)
        if isinstance(line, GapLine):
            self._requests.request_gap(line, self._cursor.index or 0)
        elif line is not None:
            self.post_message(MessageActivated(line.key))

    def action_hide_cursor(self) -> None:
        """End the selection; without one, scroll to the bottom and keep a highlight."""
        if self.cursor_key is None:
            self.action_to_bottom()
        else:
            self.set_cursor(None)

    def action_to_bottom(self) -> None:
        """Scroll to the newest line and enable follow mode."""
        self._viewport.is_following = True
        self._sync_view()

    def action_to_top(self) -> None:
        """Scroll to the oldest loaded line and end follow mode, unless all lines fit."""
        self._viewport.scroll_to(0)
        self._sync_view()

    def action_page_up(self) -> None:
        """Scroll up by one page minus one row."""
        self._scroll_rows(-max(1, self._viewport.height - 1))

    def action_page_down(self) -> None:
        """Scroll down by one page minus one row."""
        self._scroll_rows(max(1, self._viewport.height - 1))

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll_rows(-_WHEEL_ROWS)
        event.stop().prevent_default()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll_rows(_WHEEL_ROWS)
        event.stop().prevent_default()

    def _scroll_rows(self, rows: int) -> None:
        self._viewport.scroll_by(rows)
        self._sync_view()

    def on_click(self, event: events.Click) -> None:
        """Post `LinkClicked`, `GapRequested`, or `MessageActivated` on a quote, delivery error or delayed deletion.

        A double click selects the text of a word or hyperlink, a triple click that of a line. While the message cursor
        is visible, other clicks on a message move the cursor there.
        """
        event.prevent_default()  # Textual would select the whole widget
        if (hit := self._list.row_at(event.y)) is None:
            return
        index, row = hit
        line, layout = self.lines[index], self._list.layout(index)
        if event.chain > 1:
            _, offset = self.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)
            if (selection := self._selection.select_at(layout, index, offset, event.chain == 2)) is not None:
                self.screen.selections = {self: selection}
        elif event.style.link:
            self.post_message(LinkClicked(event.style.link))
        elif isinstance(line, GapLine):
            self._requests.request_gap(line, index)
        elif layout.rows[row].kind in {RowKind.QUOTE, RowKind.DELIVERY_ERROR} or (
            isinstance(line, MessageLine) and line.deletion is DeletionState.DELAYED
        ):
            self.post_message(MessageActivated(line.key))
        elif self.cursor_key is not None and isinstance(line, MessageLine):
            self._cursor.move_to(index)
            self._sync_view()

    def export_text(self, max_lines: int) -> str:
        """Return the last visible line and up to `max_lines` - 1 lines above as copied text, "" without lines."""
        stop = self._viewport.visible_range.stop
        lines = self.lines[max(0, stop - max_lines) : stop]
        return self._selection.copy(lines, SELECT_ALL, self._list.time_format.format_time) or ""

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text as in `TextSelection.copy` and the line separator, None for an empty selection."""
        text = self._selection.copy(self.lines, selection, self._list.time_format.format_time)
        return None if text is None else (text, "\n")

    @property
    def text_region(self) -> Region:
        """Region of the rows with lines, at the bottom of the widget, in screen coordinates."""
        region, rows = self.scrollable_content_region, len(self._viewport.visible_rows)
        return Region(region.x, region.bottom - rows, region.width, rows)

    def _clear_selection(self) -> None:
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

    def _scroll_to(
        self, x: float | None = None, y: float | None = None, *, animate: bool = True, **options: Any
    ) -> bool:
        """Disable the animation of scrolls that Textual starts (invariant "No animation")."""
        return super()._scroll_to(x, y, animate=False, **options)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Apply external scrolling to the viewport: exactly up to `_MAX_EXACT_SCROLL_VIEWS`, else by estimates."""
        super().watch_scroll_y(old_value, new_value)
        rows = round(new_value) - self._synced_scroll_y
        if self._syncing_scroll or not rows:
            return
        if abs(rows) <= _MAX_EXACT_SCROLL_VIEWS * self._viewport.height:
            self._viewport.scroll_by(rows)
        elif round(new_value) >= self.max_scroll_y:
            self._viewport.is_following = True
        else:
            self._viewport.scroll_to(round(new_value))
        self._sync_view()

    def render_line(self, y: int) -> Strip:
        """Return the strip of view row `y`."""
        background = self._strips.renderer.background
        if (hit := self._list.row_at(y)) is None:
            return Strip.blank(self.size.width, background)
        index, row = hit
        return self._strips.render_row(
            self._list.layout(index),
            row,
            self._selection.line_number(index),
            index == self._cursor.index,
            self._selection.selected_range(self.text_selection, index),
        ).adjust_cell_length(self.size.width, background)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows of a region, with terminal graphics on top if the region starts at the left edge."""
        strips = super().render_lines(crop)
        return strips if crop.x else self._images.add_graphics(strips, crop.y)

    def notify_style_update(self) -> None:
        """Discard rendered rows after a change of theme."""
        super().notify_style_update()
        self._strips.invalidate()

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

    def _sync_view(self) -> None:
        """Synchronize layouts, viewport, scroll position, cursor, counter and requests. No effect without a size."""
        size, viewport = self.scrollable_content_region.size, self._viewport
        if not (size.width and size.height):
            return
        if self._list.resize(size):
            self._strips.invalidate()
        viewport.update()
        self._syncing_scroll = True
        try:
            content_size = Size(size.width, viewport.total_rows)
            if content_size != self.virtual_size:
                # Bypass the reactive: a longer list affects the scrollbar but not the screen layout.
                self.set_reactive(cast("Reactive[Size]", Widget.virtual_size), content_size)
                self._scroll_update(content_size)
            self._synced_scroll_y = self.scroll_target_y = self.scroll_y = viewport.rows_above
        finally:
            self._syncing_scroll = False
        self._cursor.update_key()
        self.refresh()
        if viewport.is_following != self._was_following:
            self._was_following = viewport.is_following
            self.post_message(FollowChanged(viewport.is_following))
        self.new_message_count = self._new_messages.mark_seen_before(
            self.lines, len(self.lines) if viewport.is_following else viewport.visible_range.stop
        )
        self._requests.request_visible()
        self._images.update()
