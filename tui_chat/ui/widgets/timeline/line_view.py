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

from tui_chat.session.lines import Line, MessageLine, NoticeLine, Splice
from tui_chat.session.long_list import CompressedList
from tui_chat.ui.widgets.timeline.decoration import Clock, ClockStyle
from tui_chat.ui.widgets.timeline.drawing import Painter
from tui_chat.ui.widgets.timeline.layout import LineLayout, estimate
from tui_chat.ui.widgets.timeline.layouts import Layouts
from tui_chat.ui.widgets.timeline.look import styles_of
from tui_chat.ui.widgets.timeline.selecting import selected_part
from tui_chat.ui.widgets.timeline.viewport import Viewport
from tui_chat.ui.widgets.timeline.words import TimelineWords

_STRIPS = 320  # few: every strip is some thirty objects for the garbage collector to walk
_WHEEL = 3  # rows
_STEPS = 4  # views; farther moves are by estimate


@dataclass(frozen=True, slots=True)
class Position:
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
class _Drawn:
    layout: LineLayout
    place: int
    picked: bool
    strip: Strip


class LineView(ScrollView):
    """Shows a list of lines and keeps the reader's place in it.

    Attributes:
        picked: Key of the line under the cursor, None while nothing is picked.
    """

    picked: var[str | None] = var(None, init=False)

    def __init__(
        self,
        *,
        words: TimelineWords | None = None,
        zone: tzinfo | None = None,
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
        self._given_words = words
        self._words = words or TimelineWords()
        self._clock = Clock(zone)
        self._layouts = Layouts(lambda: self._view.lines, self._words, self._clock)
        self._view = Viewport(self._layouts.extent, lambda line: estimate(line, self._layouts.geometry))
        self._strips: LRUCache[tuple[str, int], _Drawn] = LRUCache(_STRIPS)
        self._painter: Painter | None = None
        self._settled_y = 0
        self._settling = False
        self._origin: int = 0  # a line's number in selections is its index and this

    # What it shows

    @property
    def lines(self) -> CompressedList:
        """The lines, oldest first."""
        return self._view.lines

    @property
    def at_bottom(self) -> bool:
        """The newest line is in view, and new lines are followed."""
        return self._view.following

    def show(self, lines: Iterable[Line], at: Position | None = None) -> None:
        """Show another list, such as another room.

        Args:
            lines: All of it, oldest first.
            at: Where to begin reading; the bottom if None.
        """
        self._forget()
        view = self._view
        view.reset(lines)
        if at is not None and at.key is not None:
            self._go_back(at)
        self._settle()

    def set_columns(self, clock: ClockStyle, nick_width: int) -> None:
        """Write times like this, and nicknames in that many cells (0: as the width allows); the place is kept.

        The words are those of the language that is in use now.
        """
        self._words = self._given_words or TimelineWords()
        self._clock = Clock(self._clock.zone, clock)
        inside = self._inside()
        self._layouts.set_columns(self._clock, nick_width, self._words)
        self._forget_looks()
        if inside is not None:
            self._stay_inside(*inside)
        self._settle()

    def clear(self) -> None:
        """Show nothing."""
        self.show(())

    def splice(self, change: Splice) -> None:
        """Apply one change."""
        self.splice_many((change,))

    def splice_many(self, changes: Iterable[Splice]) -> None:
        """Apply changes one after the other, and then draw once.

        Raises:
            IndexError: A change is not within the list.
        """
        view = self._view
        for change in changes:
            # Keys are for lines that come again changed; a mere cut need not look at what goes.
            gone = view.lines[change.index : change.index + change.removed] if change.lines else ()
            old = [line.key for line in gone]
            view.splice(change)
            self._changed(change, old)
        self._settle()

    def position(self) -> Position:
        """The present place, for `show`."""
        anchor = self._view.anchor
        if self._view.following or anchor is None:
            return Position(None)
        line = self._view.lines[anchor.index]
        return Position(line.key, anchor.row, line.ts if isinstance(line, MessageLine | NoticeLine) else 0)

    def scroll_to_key(self, key: str) -> bool:
        """Bring a line into view, a third down from the top; False if there is no such line."""
        index = self._index_of(key)
        if index is None:
            return False
        self._view.place(index, self._view.height // 3)
        self._settle()
        return True

    # Moving

    def action_to_bottom(self) -> None:
        """Go to the newest line and follow it."""
        self._view.follow()
        self._settle()

    def action_to_top(self) -> None:
        """Go to the oldest line that is here."""
        if self._view.lines:
            self._view.scroll_to(0)
            self._settle()

    def action_scroll_end(self) -> None:
        """Go to the newest line and follow it."""
        self.action_to_bottom()

    def action_scroll_home(self) -> None:
        """Go to the oldest line that is here."""
        self.action_to_top()

    def action_page_up(self) -> None:
        """One view up, less a row."""
        self._move(-max(1, self._view.height - 1))

    def action_page_down(self) -> None:
        """One view down, less a row."""
        self._move(max(1, self._view.height - 1))

    def action_scroll_up(self) -> None:
        """One row up."""
        self._move(-1)

    def action_scroll_down(self) -> None:
        """One row down."""
        self._move(1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._move(-_WHEEL)
        event.stop().prevent_default()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._move(_WHEEL)
        event.stop().prevent_default()

    def _move(self, rows: int) -> None:
        if rows and not (rows > 0 and self._view.following):
            self._view.scroll_by(rows)
            self._settle()

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
        if self._settling:
            return
        wanted = round(new_value)
        rows = wanted - self._settled_y
        if not rows:
            return
        if abs(rows) <= _STEPS * self._view.height:
            self._view.scroll_by(rows)
        elif wanted >= self.max_scroll_y:
            self._view.follow()
        else:
            self._view.scroll_to(wanted)
        self._settle()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One row of the view."""
        hit = self._hit(y)
        width = self.size.width
        painter = self._current_painter()
        if hit is None:
            return Strip.blank(width, painter.background)
        index, row = hit
        line = self._view.lines[index]
        layout = self._layouts.of(index)
        place = index + self._origin
        picked = line.key == self.picked
        selection = self.text_selection
        part = selected_part(selection, place) if selection is not None else None
        if part is not None:
            strip = painter.paint(layout, row, place, picked, part.span(layout.text))
            return strip.adjust_cell_length(width, painter.background)
        cache_key = (line.key, row)
        drawn = self._strips.get(cache_key)
        if drawn is None or drawn.layout is not layout or drawn.place != place or drawn.picked != picked:
            drawn = _Drawn(layout, place, picked, painter.paint(layout, row, place, picked, None))
            self._strips[cache_key] = drawn
        return drawn.strip.adjust_cell_length(width, painter.background)

    def notify_style_update(self) -> None:
        """Take the styles anew, as after a change of theme."""
        super().notify_style_update()
        self._forget_looks()

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        # Textual cuts scroll_y to the new size here; that is nobody's wish for another place.
        self._settling = True
        try:
            return super()._size_updated(size, virtual_size, container_size, layout)
        finally:
            self._settling = False

    def on_resize(self) -> None:
        """Lay out for the new size and keep the place."""
        self._settle()

    def _forget_looks(self) -> None:
        # A new painter is made when it is needed: the styles of the parts come after those of the widget.
        self._painter = None
        self._strips.clear()

    def _current_painter(self) -> Painter:
        if self._painter is None:
            self._painter = Painter(self._layouts.geometry, styles_of(self), self._words)
        return self._painter

    def _hit(self, y: int) -> tuple[int, int] | None:
        """The index of the line on row `y` of the widget, and which of its rows that is."""
        window = self._view.window
        row = y - (self._view.height - len(window))
        return window[row] if 0 <= row < len(window) else None

    # Keeping the place

    def _settle(self) -> None:
        """Bring view, scroll position and everything that follows from them into agreement."""
        size = self.scrollable_content_region.size
        if not (size.width and size.height):
            return
        view = self._view
        inside = self._inside()
        if self._layouts.resize(size.width):
            self._forget_looks()
            if inside is not None:
                self._stay_inside(*inside)
        view.height = size.height
        view.settle()
        self._settling = True
        try:
            whole = Size(size.width, view.rows)
            if whole != self.virtual_size:
                # Not through the reactive: a longer list needs another scrollbar, not another layout of the screen.
                self.set_reactive(cast("Reactive[Size]", Widget.virtual_size), whole)
                self._scroll_update(whole)
            self._settled_y = view.above
            self.scroll_target_y = self.scroll_y = self._settled_y
        finally:
            self._settling = False
        self.refresh()
        self._settled()

    def _inside(self) -> tuple[int, int] | None:
        """Of a line that fills the view: its index and the character on the first row; None if one begins in view."""
        anchor = self._view.anchor
        if anchor is None or anchor.row >= 0 or self._view.following or not self._view.window:
            return None
        index, row = self._view.window[0]
        return index, self._layouts.of(index).rows[row].start

    def _stay_inside(self, index: int, character: int) -> None:
        layout = self._layouts.of(index)
        rows = [number for number, row in enumerate(layout.rows) if number >= layout.lead and row.start <= character]
        self._view.place(index, layout.lead - rows[-1])

    def _settled(self) -> None:
        """The view is at rest again."""

    def _changed(self, change: Splice, old: Sequence[str]) -> None:
        """A change was applied; where it brought lines, those with the `old` keys went."""

    def _go_back(self, at: Position) -> None:
        lines = self._view.lines
        index = self._index_of(at.key) if at.key is not None else None
        if index is None:
            index = bisect_left(range(len(lines)), at.ts, key=lambda place: _ts_from(lines, place))
        if index < len(lines):
            self._view.place(index, at.row)

    def _index_of(self, key: str) -> int | None:
        return self._view.lines.index_of(key)

    def _forget(self) -> None:
        """Another list comes: keep nothing of this one."""
        self._layouts.clear()
        self._strips.clear()
        self._origin = 0
        self.picked = None


def _ts_from(lines: Sequence[Line], index: int) -> int:
    """When the line, or the next one that has a time, was said."""
    for line in islice(lines, index, None):
        if isinstance(line, MessageLine | NoticeLine):
            return line.ts
    return 1 << 62
