"""The timeline: everything that was said in a room, of which a window is in view."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.selection import SELECT_ALL, Selection

from tui_chat.session.lines import GapLine, Line, MessageLine, Splice
from tui_chat.session.long_list import CompressedList
from tui_chat.ui.widgets.timeline.layout import RowKind
from tui_chat.ui.widgets.timeline.line_view import Position
from tui_chat.ui.widgets.timeline.look import COMPONENTS
from tui_chat.ui.widgets.timeline.messages import AtBottom, Chosen, GapWanted, LinkClicked, OlderWanted, RetryWanted
from tui_chat.ui.widgets.timeline.picking import PickingView
from tui_chat.ui.widgets.timeline.selecting import copied, goes_through, whole_text, word_at
from tui_chat.ui.widgets.timeline.unseen import Unseen
from tui_chat.ui.widgets.timeline.words import TimelineWords


class Timeline(PickingView):
    """Shows a list of lines and keeps the reader's place in it.

    Messages posted: `OlderWanted`, `GapWanted`, `Picked`, `Chosen`, `RetryWanted`,
    `LinkClicked`, `AtBottom` (module `messages`).

    Attributes:
        new_below: Messages of others that came while the reader was farther up and are still below the view.
        picked: Key of the line under the cursor, None while nothing is picked.
    """

    DEFAULT_CSS = Path(__file__).with_name("timeline.tcss").read_text(encoding="utf-8")
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
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
            words: What it says; in the language in use if None.
            zone: Whose calendar and clock; None is this computer's.
            name: As for every widget.
            id: As for every widget.
            classes: As for every widget.
        """
        super().__init__(words=words, zone=zone, name=name, id=id, classes=classes)
        self._at_bottom = True
        self._unseen = Unseen()
        self._older_asked_at: str | None = None
        self._gaps_asked: set[tuple[int, int]] = set()

    def show(self, lines: Iterable[Line], at: Position | None = None) -> None:
        """Show another list, such as another room; nothing of it is new.

        Args:
            lines: All of it, oldest first.
            at: Where to begin reading; the bottom if None.
        """
        shown = lines if isinstance(lines, CompressedList) else CompressedList(lines)
        self._unseen.reset(shown)
        super().show(shown, at)

    def ask_again(self) -> None:
        """What was asked for did not come: `OlderWanted` and `GapWanted` may be said again on the next move."""
        self._older_asked_at = None
        self._gaps_asked.clear()

    def _changed(self, change: Splice, old: Sequence[str]) -> None:
        super()._changed(change, old)
        self._keep_selection(change)
        if not self._view.following:
            self._unseen.came(change.lines, set(old))

    def _settled(self) -> None:
        super()._settled()
        view = self._view
        if view.following != self._at_bottom:
            self._at_bottom = view.following
            self.post_message(AtBottom(view.following))
        if view.following:
            self._unseen.reset(view.lines)
        else:
            self._unseen.recount(view.lines, view.visible.stop)
        self.new_below = self._unseen.count
        if not view.window:
            return
        top = view.lines[0]
        if view.above <= view.height and self._older_asked_at != top.key and not isinstance(top, GapLine):
            self._older_asked_at = top.key
            self.post_message(OlderWanted())
        for index in view.visible:
            line = view.lines[index]
            if isinstance(line, GapLine) and (line.after, line.before) not in self._gaps_asked:
                self._want_gap(line, index)

    def _want_gap(self, gap: GapLine, index: int) -> None:
        self._gaps_asked.add((gap.after, gap.before))
        visible = self._view.visible
        from_above = index - visible.start > visible.stop - 1 - index
        self.post_message(GapWanted(gap.key, gap.after, gap.before, from_above=from_above))

    def _choose(self, line: Line) -> None:
        if isinstance(line, GapLine):
            self._want_gap(line, self._cursor or 0)
        else:
            super()._choose(line)

    def _forget(self) -> None:
        super()._forget()
        self._older_asked_at = None
        self._gaps_asked.clear()
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """Open an address or a gap, retry; two clicks select a word, three the message."""
        event.prevent_default()  # of a widget's own: select everything in it
        hit = self._hit(event.y)
        if hit is None:
            return
        index, row = hit
        line = self._view.lines[index]
        if event.chain > 1:
            self._select_at(event, index)
        elif event.style.link:
            self.post_message(LinkClicked(event.style.link))
        elif isinstance(line, GapLine):
            self._want_gap(line, index)
        elif self._layouts.of(index).rows[row].kind is RowKind.QUOTE:
            self.post_message(Chosen(line.key))
        elif self._layouts.of(index).rows[row].kind is RowKind.PROBLEM:
            self.post_message(RetryWanted(line.key))
        elif self.picked is not None and isinstance(line, MessageLine):
            self._pick_at(index)

    def _select_at(self, event: events.Click, index: int) -> None:
        _, offset = self.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)
        layout, place = self._layouts.of(index), index + self._origin
        if offset is not None and offset.y == place:
            chosen = word_at(layout, place, offset.x) if event.chain == 2 else whole_text(layout, place)
            self.screen.selections = {self: chosen}

    # Selection

    def as_text(self, most: int) -> str:
        """The last `most` lines up to the last one in view, as they are copied."""
        stop = self._view.visible.stop
        lines = self._view.lines[max(0, stop - most) : stop]
        return copied(lines, SELECT_ALL, 0, self._clock.time) or ""

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as written: no wrapping, and time and nickname with whole lines only."""
        text = copied(self._view.lines, selection, self._origin, self._clock.time)
        return None if text is None else (text, "\n")

    def _keep_selection(self, change: Splice) -> None:
        """Keep the numbers of selected lines over a change, or drop a selection that the change goes through."""
        shift = len(change.lines) - change.removed
        if not shift:
            return
        first = self._view.visible.start
        selection = self.text_selection if self.is_attached else None
        if selection is not None:
            if goes_through(selection, self._origin, change):
                self.screen.clear_selection()
            first = 0 if selection.start is None else selection.start.y - self._origin
        if change.index <= first:
            self._origin -= shift

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection as it is now."""
        self.refresh()
