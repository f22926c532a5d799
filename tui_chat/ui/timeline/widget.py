"""Timeline widget: virtual list with message cursor, text selection and mouse actions."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.selection import SELECT_ALL, Selection

from tui_chat.session.compressed_list import CompressedList
from tui_chat.session.lines import GapLine, Line, MessageLine, Splice
from tui_chat.ui.timeline.layout import RowKind
from tui_chat.ui.timeline.message_cursor import MessageCursorView
from tui_chat.ui.timeline.messages import (
    FollowChanged,
    GapRequested,
    LinkClicked,
    MessageActivated,
    OlderMessagesRequested,
    RetryRequested,
)
from tui_chat.ui.timeline.new_message_counter import NewMessageCounter
from tui_chat.ui.timeline.strings import TimelineStrings
from tui_chat.ui.timeline.styles import TIMELINE_COMPONENTS
from tui_chat.ui.timeline.text_selection import copy_selection, select_line, select_word_at, splice_crosses_selection
from tui_chat.ui.timeline.virtual_list import ScrollPosition


class Timeline(MessageCursorView):
    """Scrollable list of the lines of a room.

    Posts `OlderMessagesRequested`, `GapRequested`, `CursorMoved`, `MessageActivated`, `RetryRequested`, `LinkClicked`
    and `FollowChanged` (module `messages`).

    Attributes:
        new_message_count: Number of unseen messages of other members below the view.
        cursor_key: Key of the line under the message cursor; None without a cursor.
    """

    DEFAULT_CSS = Path(__file__).with_name("timeline.tcss").read_text(encoding="utf-8")
    COMPONENT_CLASSES: ClassVar[set[str]] = TIMELINE_COMPONENTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("enter", "select_cursor", "Choose", show=False),
        Binding("escape", "hide_cursor", "Leave", show=False),
        Binding("home,alt+home,g", "to_top", "Top", show=False),
        Binding("end,alt+end,G", "to_bottom", "Bottom", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]
    FOCUS_ON_CLICK = False  # the composer keeps the focus during reading and selection

    new_message_count: reactive[int] = reactive(0, repaint=False)

    def __init__(
        self,
        *,
        strings: TimelineStrings | None = None,
        tz: tzinfo | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - name required by Textual
        classes: str | None = None,
    ) -> None:
        """Create a timeline without lines.

        Args:
            strings: Labels and texts; None uses the active language.
            tz: Time zone of dates and times; None uses the local time zone.
            name: Name of the widget.
            id: CSS id of the widget.
            classes: CSS classes of the widget, separated by spaces.
        """
        super().__init__(strings=strings, tz=tz, name=name, id=id, classes=classes)
        self._was_following = True
        self._new_messages = NewMessageCounter()
        self._older_requested_at: str | None = None
        self._requested_gaps: set[tuple[int, int]] = set()

    def set_lines(self, lines: Iterable[Line], position: ScrollPosition | None = None) -> None:
        """Replace the list and mark all its messages as seen.

        The text selection is cleared, and requests for history and gaps may repeat.

        Args:
            lines: New lines, oldest first.
            position: Scroll position to restore; None follows the bottom.
        """
        line_list = lines if isinstance(lines, CompressedList) else CompressedList(lines)
        self._new_messages.mark_all_seen(line_list)
        super().set_lines(line_list, position)

    def reset_requests(self) -> None:
        """Permit repeated `OlderMessagesRequested` and `GapRequested` messages, after a failed request."""
        self._older_requested_at = None
        self._requested_gaps.clear()

    def _on_splice_applied(self, change: Splice, replaced_keys: Sequence[str]) -> None:
        super()._on_splice_applied(change, replaced_keys)
        self._adjust_selection(change)
        if not self._viewport.is_following:
            self._new_messages.add_lines(change.lines, set(replaced_keys))

    def _on_view_synced(self) -> None:
        super()._on_view_synced()
        viewport = self._viewport
        if viewport.is_following != self._was_following:
            self._was_following = viewport.is_following
            self.post_message(FollowChanged(viewport.is_following))
        if viewport.is_following:
            self._new_messages.mark_all_seen(viewport.lines)
        else:
            self._new_messages.mark_seen_before(viewport.lines, viewport.visible_range.stop)
        self.new_message_count = self._new_messages.count
        if not viewport.visible_rows:
            return
        top = viewport.lines[0]
        if (
            viewport.rows_above <= viewport.height
            and self._older_requested_at != top.key
            and not isinstance(top, GapLine)
        ):
            self._older_requested_at = top.key
            self.post_message(OlderMessagesRequested())
        for index in viewport.visible_range:
            line = viewport.lines[index]
            if isinstance(line, GapLine) and (line.after, line.before) not in self._requested_gaps:
                self._request_gap(line, index)

    def _request_gap(self, gap: GapLine, index: int) -> None:
        self._requested_gaps.add((gap.after, gap.before))
        visible_range = self._viewport.visible_range
        oldest_first = index - visible_range.start > visible_range.stop - 1 - index
        self.post_message(GapRequested(gap.key, gap.after, gap.before, oldest_first=oldest_first))

    def _activate_line(self, line: Line) -> None:
        if isinstance(line, GapLine):
            self._request_gap(line, self._cursor_index or 0)
        else:
            super()._activate_line(line)

    def _reset_view(self) -> None:
        super()._reset_view()
        self._older_requested_at = None
        self._requested_gaps.clear()
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

    def on_click(self, event: events.Click) -> None:
        """Open a link, load a gap, jump to a quote or retry a message.

        A double click selects a word and a triple click a message. While the cursor is visible, other clicks on a
        message move the cursor.
        """
        event.prevent_default()  # Textual would select the whole widget
        hit = self._line_at(event.y)
        if hit is None:
            return
        index, row = hit
        line = self._viewport.lines[index]
        if event.chain > 1:
            self._select_at(event, index)
        elif event.style.link:
            self.post_message(LinkClicked(event.style.link))
        elif isinstance(line, GapLine):
            self._request_gap(line, index)
        elif self._line_layouts.get(index).rows[row].kind is RowKind.QUOTE:
            self.post_message(MessageActivated(line.key))
        elif self._line_layouts.get(index).rows[row].kind is RowKind.DELIVERY_ERROR:
            self.post_message(RetryRequested(line.key))
        elif self.cursor_key is not None and isinstance(line, MessageLine):
            self._set_cursor_index(index)

    def _select_at(self, event: events.Click, index: int) -> None:
        _, offset = self.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)
        layout, line_number = self._line_layouts.get(index), index + self._line_number_offset
        if offset is not None and offset.y == line_number:
            selection = (
                select_word_at(layout, line_number, offset.x) if event.chain == 2 else select_line(layout, line_number)
            )
            self.screen.selections = {self: selection}

    def export_text(self, max_lines: int) -> str:
        """Return up to `max_lines` lines that end at the bottom of the view, in the format of copied text."""
        stop = self._viewport.visible_range.stop
        lines = self._viewport.lines[max(0, stop - max_lines) : stop]
        return copy_selection(lines, SELECT_ALL, 0, self._time_format.format_time) or ""

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected original text; completely selected messages include time and nickname."""
        text = copy_selection(self._viewport.lines, selection, self._line_number_offset, self._time_format.format_time)
        return None if text is None else (text, "\n")

    def _adjust_selection(self, change: Splice) -> None:
        """Shift the selection after a splice; clear a selection that the splice crosses."""
        shift = len(change.lines) - change.removed
        if not shift:
            return
        first_index = self._viewport.visible_range.start
        selection = self.text_selection if self.is_attached else None
        if selection is not None:
            if splice_crosses_selection(selection, self._line_number_offset, change):
                self.screen.clear_selection()
            first_index = 0 if selection.start is None else selection.start.y - self._line_number_offset
        if change.index <= first_index:
            self._line_number_offset -= shift

    def selection_updated(self, selection: Selection | None) -> None:
        """Redraw the changed selection."""
        self.refresh()
