"""The switcher: type some letters of a room's name, Enter goes there."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_chat.session import words
from tui_chat.session.language import tr
from tui_chat.session.switching import RoomCandidate
from tui_chat.ui import keys
from tui_chat.ui.steady import steady
from tui_chat.ui.widgets.line_input import LineInput

SHOWN_MAX = 200
"""Rooms that are offered at once; letters find the others."""

ASK_AFTER = 0.25
"""Seconds without a key after which the server is asked for rooms with this name."""


class Switcher(ModalScreen[str | None]):
    """Ends with the name of the room to go to, None for none."""

    CSS_PATH = "switcher.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.SWITCHER)]
    AUTO_FOCUS = "Input"

    def __init__(
        self, choose: Callable[[str], Sequence[RoomCandidate]], ask: Callable[[str], None], typed: str = ""
    ) -> None:
        """Make it.

        Args:
            choose: What to offer for what was typed.
            ask: Asks the server for rooms with this in their names; `update` when they are known.
            typed: What stands there at first.
        """
        super().__init__()
        self._choose = choose
        self._ask = ask
        self._typed = typed
        self._choices: list[RoomCandidate] = []
        self._asking: Timer | None = None

    def compose(self) -> ComposeResult:
        """What is typed, and the rooms under it."""
        with Vertical(id="switcher"):
            yield LineInput(self._typed, tr(words.SWITCH_HINT))
            yield OptionList(markup=False, compact=True)

    def on_mount(self) -> None:
        """Everything is offered at first."""
        card = self.query_one("#switcher")
        card.border_title = Content(tr(words.SWITCH_TITLE))
        card.border_subtitle = Content(tr(words.SWITCH_FOOTER))
        self.query_one(OptionList).can_focus = False
        self._ask("")
        self.update()

    def update(self) -> None:
        """Other rooms are known now, or something else was typed."""
        found = self.query(OptionList)
        if not found:
            return
        shown = found.first()
        highlighted = self._highlighted()
        width = max(20, shown.size.width or 60)
        self._choices = list(self._choose(self.query_one(Input).value))[:SHOWN_MAX]
        shown.set_options(Option(_row(choice, width)) for choice in self._choices)
        kept = next((at for at, choice in enumerate(self._choices) if choice.name == highlighted), 0)
        shown.highlighted = kept if self._choices else None

    def on_resize(self) -> None:
        """The rows take the new width."""
        self.call_after_refresh(self.update)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        shown = self.query_one(OptionList)
        shown.highlighted = None
        self.update()
        if self._asking is not None:
            self._asking.stop()
        if event.value.strip():
            self._asking = self.set_timer(ASK_AFTER, lambda: self._ask(event.value.strip()))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_go()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index].name)

    def action_move(self, by: int) -> None:
        """The room that many rows below, around the end."""
        shown = self.query_one(OptionList)
        if self._choices:
            shown.highlighted = ((shown.highlighted or 0) + by) % len(self._choices)

    def action_go(self) -> None:
        """Go to the room that is marked."""
        self.dismiss(self._highlighted())

    def action_close(self) -> None:
        """Stay where you are."""
        self.dismiss(None)

    def _highlighted(self) -> str | None:
        at = self.query_one(OptionList).highlighted
        return self._choices[at].name if at is not None and at < len(self._choices) else None


def _row(choice: RoomCandidate, width: int) -> Content:
    view, summary = choice.view, choice.summary
    number = f"{choice.position}" if 0 < choice.position < 10 else ""
    if view is not None:
        right = f"{'@' if view.mention_count else ''}{view.unread_count:,}" if view.unread_count else ""
        topic = view.topic
    elif summary is not None:
        right, topic = words.member_count(summary.members), summary.topic
    else:
        right, topic = tr(words.NEW_ROOM), ""
    name = Content(choice.name)
    for at in choice.matched_indices:
        name = name.stylize("underline", at, at + 1)
    if view is not None and view.unread_count:
        name = name.stylize("bold")
    room = max(4, width - cell_len(right) - 5)
    left = Content.assemble(name, ("  " + " ".join(topic.split()), "$text-muted")) if topic else name
    left = steady(left).truncate(room, ellipsis=True)
    gap = " " * max(1, width - 3 - left.cell_length - cell_len(right))
    marked = view is not None and bool(view.mention_count)
    return Content.assemble(
        (f"{number:>2} ", "$text-muted"), left, gap, (right, "bold $accent" if marked else "$text-muted")
    )
