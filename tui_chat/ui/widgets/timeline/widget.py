"""The timeline: everything that was said in a room, of which a window is in view.

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
from pathlib import Path
from typing import ClassVar, cast

from rich.style import Style
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.reactive import Reactive, reactive, var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui_chat.session.lines import GapLine, Line, MessageLine, NoticeLine, Splice
from tui_chat.ui.widgets.timeline import palette
from tui_chat.ui.widgets.timeline.decoration import Decoration, clock, decorate
from tui_chat.ui.widgets.timeline.drawing import Painter, Styles
from tui_chat.ui.widgets.timeline.layout import Geometry, LineLayout, RowKind, estimate, lay_out
from tui_chat.ui.widgets.timeline.messages import (
    AtBottom,
    Chosen,
    GapWanted,
    LinkClicked,
    OlderWanted,
    Picked,
    RetryWanted,
)
from tui_chat.ui.widgets.timeline.selecting import copied, selected_part
from tui_chat.ui.widgets.timeline.viewport import Extent, Viewport
from tui_chat.ui.widgets.timeline.words import TimelineWords

_LAYOUTS = 2048
_STRIPS = 1024
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


class Timeline(ScrollView):
    """Shows a list of lines and keeps the reader's place in it.

    Messages posted: `OlderWanted`, `GapWanted`, `Picked`, `Chosen`, `RetryWanted`,
    `LinkClicked`, `AtBottom` (module `messages`).

    Attributes:
        new_below: Messages of others that came while the reader was farther up and are still below the view.
        picked: Key of the line under the cursor, None while nothing is picked.
    """

    DEFAULT_CSS = Path(__file__).with_name("timeline.tcss").read_text(encoding="utf-8")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"timeline--{part}"
        for part in (
            "time", "notice", "rule", "gap", "unread", "link", "mention", "mentioned",
            "sent", "pending", "failed", "aside", "cursor",
        )
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "pick_up", "Up", show=False),
        Binding("down,j", "pick_down", "Down", show=False),
        Binding("enter", "choose", "Choose", show=False),
        Binding("escape", "leave", "Leave", show=False),
        Binding("home,alt+home,g", "to_top", "Top", show=False),
        Binding("end,alt+end,G", "to_bottom", "Bottom", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]
    FOCUS_ON_CLICK = False  # reading and selecting do not take the keyboard from the composer

    new_below: reactive[int] = reactive(0, repaint=False)
    picked: var[str | None] = var(None)

    def __init__(
        self,
        *,
        words: TimelineWords | None = None,
        zone: tzinfo | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        """An empty timeline.

        Args:
            words: What it says, and in which language; English if None.
            zone: Whose calendar and clock; None is this computer's.
            name: As for every widget.
            id: As for every widget.
            classes: As for every widget.
        """
        super().__init__(name=name, id=id, classes=classes, can_focus=True)
        self._words = words or TimelineWords()
        self._zone = zone
        self._geometry = Geometry.of(80)
        self._view = Viewport(self._extent, lambda line: estimate(line, self._geometry))
        self._layouts: LRUCache[str, LineLayout] = LRUCache(_LAYOUTS)
        self._strips: LRUCache[tuple[str, int], _Drawn] = LRUCache(_STRIPS)
        self._painter: Painter | None = None
        self._settled_y = 0
        self._settling = False
        self._origin = 0  # a line's number in selections is its index and this
        self._at_bottom = True
        self._seen_seq = 0
        self._older_asked_at: str | None = None
        self._gaps_asked: set[tuple[int, int]] = set()

    # What it shows

    @property
    def lines(self) -> Sequence[Line]:
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
        view.reset(list(lines))
        self._mark_seen()
        if at is not None and at.key is not None:
            self._go_back(at)
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
        picked = self._index_of_picked()
        for change in changes:
            self._keep_selection(change)
            old = self._view.lines[change.index : change.index + change.removed]
            self._view.splice(change)
            picked = self._moved_cursor(picked, change, old)
            if not self._view.following:
                self._count_new(change, old)
        self._set_picked(picked)
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
        if self._view.height > 0:
            self._view.place(index, self._view.height // 3)
            self._settle()
        return True

    def ask_again(self) -> None:
        """What was asked for did not come: `OlderWanted` and `GapWanted` may be said again on the next move."""
        self._older_asked_at = None
        self._gaps_asked.clear()

    @property
    def _program(self) -> App[object]:
        return self.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - Textual leaves out what its run returns

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
        self._move(-round(self._program.scroll_sensitivity_y))
        event.stop()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._move(round(self._program.scroll_sensitivity_y))
        event.stop()

    def _move(self, rows: int) -> None:
        if rows and not (rows > 0 and self._view.following):
            self._view.scroll_by(rows)
            self._settle()

    def scroll_to(  # the animations of Textual end on a row that may have moved (rule 4)
        self, x: float | None = None, y: float | None = None, *, animate: bool = True, **options: object
    ) -> None:
        """Scroll to a row, at once."""
        if y is not None:
            self.scroll_y = y

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

    # Picking

    def action_pick(self) -> None:
        """Put the cursor on the last message in view."""
        visible = self._view.visible
        self._pick_from(visible.stop - 1, -1)

    def action_pick_up(self) -> None:
        """The cursor to the message above, or one row up while nothing is picked."""
        self._pick_step(-1)

    def action_pick_down(self) -> None:
        """The cursor to the message below, or one row down while nothing is picked."""
        self._pick_step(1)

    def action_choose(self) -> None:
        """Load the gap under the cursor, or tell that a message was chosen."""
        index = self._index_of_picked()
        if index is None:
            return
        line = self._view.lines[index]
        if isinstance(line, GapLine):
            self._want_gap(line)
        else:
            self.post_message(Chosen(line.key))

    def action_leave(self) -> None:
        """Take the cursor away; without one, go to the bottom."""
        if self.picked is None:
            self.action_to_bottom()
        else:
            self.picked = None

    def pick(self, key: str | None) -> bool:
        """Put the cursor on a line and bring it into view, or take it away; False if there is no such line."""
        if key is None:
            self.picked = None
            return True
        index = self._index_of(key)
        if index is None:
            return False
        self._pick_at(index)
        return True

    def watch_picked(self, picked: str | None) -> None:
        """Draw the cursor where it is now."""
        self.refresh()
        self.post_message(Picked(picked))

    def _pick_step(self, step: int) -> None:
        index = self._index_of_picked()
        if index is None:
            self._move(step)
        else:
            self._pick_from(index + step, step)

    def _pick_from(self, index: int, step: int) -> None:
        lines = self._view.lines
        while 0 <= index < len(lines):
            if isinstance(lines[index], MessageLine | GapLine):
                self._pick_at(index)
                return
            index += step

    def _pick_at(self, index: int) -> None:
        view = self._view
        self.picked = view.lines[index].key
        if view.height <= 0:
            return
        extent = self._extent(index)
        place = next((placed for placed in view.placed if placed.index == index), None)
        first = place.row - extent.lead if place is not None else None
        if first is not None and first >= 0 and first + extent.rows <= view.height:
            return
        above = index < view.visible.start or (first is not None and first < 0)
        top = 0 if above or extent.rows >= view.height else view.height - extent.rows
        view.place(index, top + extent.lead)
        self._settle()

    def _index_of_picked(self) -> int | None:
        return None if self.picked is None else self._index_of(self.picked)

    def _moved_cursor(self, picked: int | None, change: Splice, old: Sequence[Line]) -> int | None:
        if picked is None or picked < change.index:
            return picked
        if picked >= change.index + change.removed:
            return picked + len(change.lines) - change.removed
        key = old[picked - change.index].key
        for place, line in enumerate(change.lines):
            if line.key == key:
                return change.index + place
        return min(change.index, len(self._view.lines) - 1)

    def _set_picked(self, index: int | None) -> None:
        if self.picked is None:
            return
        line = self._view.lines[index] if index is not None and index >= 0 else None
        self.picked = line.key if isinstance(line, MessageLine | GapLine) else None

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """Open what was clicked: an address, a gap, a message that was not sent."""
        hit = self._hit(event.y)
        if hit is None:
            return
        index, row = hit
        line = self._view.lines[index]
        kind = self._layout(index).rows[row].kind
        if event.style.link:
            self.post_message(LinkClicked(event.style.link))
        elif isinstance(line, GapLine):
            self._want_gap(line)
        elif kind is RowKind.PROBLEM:
            self.post_message(RetryWanted(line.key))
        elif self.picked is not None and isinstance(line, MessageLine):
            self._pick_at(index)

    def _hit(self, y: int) -> tuple[int, int] | None:
        window = self._view.window
        row = y - (self._view.height - len(window))
        return window[row] if 0 <= row < len(window) else None

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as written: no wrapping, and time and nickname with whole lines only."""
        lines = self._view.lines
        first = 0 if selection.start is None else max(0, selection.start.y - self._origin)
        last = len(lines) - 1 if selection.end is None else min(len(lines) - 1, selection.end.y - self._origin)
        alone = first == last
        parts: list[str] = []
        for index in range(first, last + 1):
            part = selected_part(selection, index + self._origin)
            if part is None:
                continue
            line = lines[index]
            layout = lay_out(line, Decoration(), self._geometry, self._words)
            time = clock(line.ts, self._zone) if isinstance(line, MessageLine | NoticeLine) else ""
            text = copied(layout, time, part, alone)
            if text is not None:
                parts.append(text)
        return ("\n".join(parts), "\n") if parts else None

    def _keep_selection(self, change: Splice) -> None:
        """Keep the numbers of selected lines over a change, or drop a selection that the change goes through."""
        shift = len(change.lines) - change.removed
        if not shift:
            return
        selection = self.text_selection if self.is_attached else None
        first = self._view.visible.start
        if selection is not None:
            start = 0 if selection.start is None else selection.start.y - self._origin
            end = len(self._view.lines) if selection.end is None else selection.end.y - self._origin
            if start < change.index + change.removed and change.index <= end:
                self.screen.clear_selection()
            first = start
        if change.index <= first:
            self._origin -= shift

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection as it is now."""
        self.refresh()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One row of the view."""
        hit = self._hit(y)
        painter = self._painter
        width = self.size.width
        if hit is None or painter is None:
            return Strip.blank(width, self.rich_style)
        index, row = hit
        line = self._view.lines[index]
        layout = self._layout(index)
        place = index + self._origin
        picked = line.key == self.picked
        selection = self.text_selection
        part = selected_part(selection, place) if selection is not None else None
        if part is not None:
            return painter.paint(layout, row, place, picked, part.span).adjust_cell_length(width, self.rich_style)
        cache_key = (line.key, row)
        drawn = self._strips.get(cache_key)
        if drawn is None or drawn.layout is not layout or drawn.place != place or drawn.picked != picked:
            drawn = _Drawn(layout, place, picked, painter.paint(layout, row, place, picked, None))
            self._strips[cache_key] = drawn
        return drawn.strip.adjust_cell_length(width, self.rich_style)

    def notify_style_update(self) -> None:
        """Take the styles anew, as after a change of theme."""
        super().notify_style_update()
        self._painter = None
        self._strips.clear()
        if self.is_attached and self._view.height > 0:
            self._painter = Painter(self._geometry, self._styles(), self._words)

    def on_resize(self) -> None:
        """Lay out for the new size and keep the place."""
        self._settle()

    def _styles(self) -> Styles:
        def part(name: str) -> Style:
            name = f"timeline--{name}"
            text_style = self.get_component_styles(name).text_style
            return text_style + Style.from_color(self.get_component_rich_style(name).color)

        def over(name: str) -> Style:
            return background + Style.from_color(None, self.get_component_rich_style(f"timeline--{name}").bgcolor)

        background = self.rich_style
        shades = self._nick_shades()
        names = {shade: Style(color=shade, bold=True) for shade in shades}
        return Styles(
            text=background,
            cursor=over("cursor"),
            mentioned=over("mentioned"),
            time=part("time"),
            notice=part("notice"),
            rule=part("rule"),
            gap=part("gap"),
            unread=part("unread"),
            link=part("link"),
            mention=part("mention"),
            sent=part("sent"),
            pending=part("pending"),
            failed=part("failed"),
            aside=part("aside"),
            selection=self.screen.get_component_rich_style("screen--selection"),
            nick=lambda nick: names[palette.nick_color(nick, shades)],
        )

    def _nick_shades(self) -> Sequence[str]:
        program = self._program
        if program.native_ansi_color or program.console.color_system in {"standard", "windows"}:
            return palette.ANSI
        background = self.background_colors[1]
        shades = palette.DARK if program.current_theme.dark else palette.LIGHT
        return [palette.readable(shade, background) for shade in shades]

    def _layout(self, index: int) -> LineLayout:
        lines = self._view.lines
        line = lines[index]
        decoration = decorate(lines, index, self._zone)
        layout = self._layouts.get(line.key)
        if layout is None or layout.line is not line or layout.decoration != decoration:
            layout = lay_out(line, decoration, self._geometry, self._words)
            self._layouts[line.key] = layout
        return layout

    def _extent(self, index: int) -> Extent:
        layout = self._layout(index)
        return Extent(len(layout.rows), layout.lead)

    # Keeping the place

    def _settle(self) -> None:
        """Bring view, scroll position and everything that follows from them into agreement."""
        size = self.scrollable_content_region.size
        if not (size.width and size.height):
            return
        if self._painter is None or size.width != self._geometry.width:
            if size.width != self._geometry.width:
                self._geometry = Geometry.of(size.width)
                self._layouts.clear()
            self._strips.clear()
            self._painter = Painter(self._geometry, self._styles(), self._words)
        view = self._view
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
        self._tell()

    def _tell(self) -> None:
        view = self._view
        if view.following != self._at_bottom:
            self._at_bottom = view.following
            self.post_message(AtBottom(view.following))
            if not view.following:
                self._mark_seen()
        self._count_down()
        if not view.window:
            return
        top = view.lines[0]
        if view.above <= view.height and self._older_asked_at != top.key and not isinstance(top, GapLine):
            self._older_asked_at = top.key
            self.post_message(OlderWanted())
        for index in view.visible:
            line = view.lines[index]
            if isinstance(line, GapLine) and (line.after, line.before) not in self._gaps_asked:
                self._want_gap(line)

    def _want_gap(self, gap: GapLine) -> None:
        self._gaps_asked.add((gap.after, gap.before))
        self.post_message(GapWanted(gap.key, gap.after, gap.before))

    def _mark_seen(self) -> None:
        """Everything that is here now is not new."""
        self._seen_seq = next(
            (line.seq for line in reversed(self._view.lines) if isinstance(line, MessageLine) and line.seq is not None),
            0,
        )

    def _count_new(self, change: Splice, old: Sequence[Line]) -> None:
        known = {line.key for line in old}
        self.new_below += sum(1 for line in change.lines if self._is_new(line) and line.key not in known)

    def _is_new(self, line: Line) -> bool:
        return isinstance(line, MessageLine) and not line.own and line.seq is not None and line.seq > self._seen_seq

    def _count_down(self) -> None:
        """Leave out of the count what has come into view."""
        view = self._view
        if view.following:
            self.new_below = 0
            return
        if not self.new_below:
            return
        last = view.visible.stop - 1
        below = 0
        for index in range(len(view.lines) - 1, last, -1):
            line = view.lines[index]
            below += self._is_new(line)
            if isinstance(line, MessageLine) and line.seq is not None and line.seq <= self._seen_seq:
                break
        self.new_below = below

    def _go_back(self, at: Position) -> None:
        lines = self._view.lines
        index = self._index_of(at.key) if at.key is not None else None
        if index is None:
            index = bisect_left(range(len(lines)), at.ts, key=lambda place: _ts_from(lines, place))
        if index < len(lines):
            self._view.place(index, at.row)

    def _index_of(self, key: str) -> int | None:
        return next((index for index, line in enumerate(self._view.lines) if line.key == key), None)

    def _forget(self) -> None:
        self._layouts.clear()
        self._strips.clear()
        self._older_asked_at = None
        self._gaps_asked.clear()
        self._origin = 0
        self.picked = None
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()


def _ts_from(lines: Sequence[Line], index: int) -> int:
    """When the line, or the next one that has a time, was said."""
    for line in lines[index:]:
        if isinstance(line, MessageLine | NoticeLine):
            return line.ts
    return 1 << 62
