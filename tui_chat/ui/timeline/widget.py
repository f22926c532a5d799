"""The timeline: everything that was said in a room, of which a window is in view."""

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
    """Shows a list of lines and keeps the reader's place in it.

    Messages posted: `OlderWanted`, `GapWanted`, `Picked`, `Chosen`, `RetryWanted`,
    `LinkClicked`, `AtBottom` (module `messages`).

    Attributes:
        new_below: Messages of others that came while the reader was farther up and are still below the view.
        picked: Key of the line under the cursor, None while nothing is picked.
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
    FOCUS_ON_CLICK = False  # reading and selecting do not take the keyboard from the composer

    new_message_count: reactive[int] = reactive(0, repaint=False)

    def __init__(
        self,
        *,
        strings: TimelineStrings | None = None,
        tz: tzinfo | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        """An empty timeline.

        Args:
            words: What it says; in the language in use if None.
            zone: Whose calendar and clock; None is this computer's.
            name: As for every widget.
            id: As for every widget.
            classes: As for every widget.
        """
        super().__init__(strings=strings, tz=tz, name=name, id=id, classes=classes)
        self._was_following = True
        self._new_messages = NewMessageCounter()
        self._older_requested_at: str | None = None
        self._requested_gaps: set[tuple[int, int]] = set()

    def set_lines(self, lines: Iterable[Line], position: ScrollPosition | None = None) -> None:
        """Show another list, such as another room; nothing of it is new.

        Args:
            lines: All of it, oldest first.
            at: Where to begin reading; the bottom if None.
        """
        line_list = lines if isinstance(lines, CompressedList) else CompressedList(lines)
        self._new_messages.mark_all_seen(line_list)
        super().set_lines(line_list, position)

    def reset_requests(self) -> None:
        """What was asked for did not come: `OlderWanted` and `GapWanted` may be said again on the next move."""
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
        from_above = index - visible_range.start > visible_range.stop - 1 - index
        self.post_message(GapRequested(gap.key, gap.after, gap.before, from_above=from_above))

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

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """Open an address or a gap, retry; two clicks select a word, three the message."""
        event.prevent_default()  # of a widget's own: select everything in it
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

    # Selection

    def export_text(self, max_lines: int) -> str:
        """The last `most` lines up to the last one in view, as they are copied."""
        stop = self._viewport.visible_range.stop
        lines = self._viewport.lines[max(0, stop - max_lines) : stop]
        return copy_selection(lines, SELECT_ALL, 0, self._time_format.format_time) or ""

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as written: no wrapping, and time and nickname with whole lines only."""
        text = copy_selection(self._viewport.lines, selection, self._line_number_offset, self._time_format.format_time)
        return None if text is None else (text, "\n")

    def _adjust_selection(self, change: Splice) -> None:
        """Keep the numbers of selected lines over a change, or drop a selection that the change goes through."""
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
        """Draw the selection as it is now."""
        self.refresh()
