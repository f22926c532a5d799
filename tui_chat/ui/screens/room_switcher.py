"""Room switcher: fuzzy search over open and listed rooms."""

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

from tui_chat.session.i18n import tr
from tui_chat.session.room_matcher import RoomCandidate
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.input import keys
from tui_chat.ui.input.key_scopes import KeyScope
from tui_chat.ui.widgets.line_input import LineInput
from tui_chat.ui.widgets.stable_width import with_stable_width

MAX_CHOICES = 200
"""Maximum number of listed rooms. A longer query narrows the list."""

SEARCH_DELAY = 0.25
"""Seconds without input before the server is searched for the query."""


class RoomSwitcher(ModalScreen[str | None]):
    """Dialog that returns the selected room name, None if cancelled."""

    CSS_PATH = "room_switcher.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.textual_bindings(KeyScope.ROOM_SWITCHER)]
    AUTO_FOCUS = "Input"

    def __init__(
        self,
        find_choices: Callable[[str], Sequence[RoomCandidate]],
        request_rooms: Callable[[str], None],
        initial_query: str = "",
    ) -> None:
        """Create the dialog.

        Args:
            find_choices: Returns the ranked rooms for a query.
            request_rooms: Requests the server's rooms for a query. Call `update_choices` after their arrival.
            initial_query: Initial text of the input.
        """
        super().__init__()
        self._find_choices = find_choices
        self._request_rooms = request_rooms
        self._initial_query = initial_query
        self._choices: list[RoomCandidate] = []
        self._request_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the query input and the room list."""
        with Vertical(id="switcher"):
            yield LineInput(self._initial_query, tr(chat_strings.SWITCH_HINT))
            yield OptionList(markup=False, compact=True)

    def on_mount(self) -> None:
        """Set the titles, list all known rooms and request those of the server."""
        card = self.query_one("#switcher")
        card.border_title = Content(tr(chat_strings.SWITCH_TITLE))
        card.border_subtitle = Content(tr(chat_strings.SWITCH_FOOTER))
        self.query_one(OptionList).can_focus = False
        self._request_rooms("")
        self.update_choices()

    def update_choices(self) -> None:
        """Rebuild the list after a change of query or known rooms, limited to `MAX_CHOICES`.

        The highlight stays on the same room if listed, otherwise moves to the first row.
        """
        option_lists = self.query(OptionList)
        if not option_lists:
            return
        option_list = option_lists.first()
        highlighted = self._highlighted_name()
        width = max(20, option_list.size.width or 60)
        self._choices = list(self._find_choices(self.query_one(Input).value))[:MAX_CHOICES]
        option_list.set_options(Option(_choice_row(choice, width)) for choice in self._choices)
        highlighted_index = next((index for index, choice in enumerate(self._choices) if choice.name == highlighted), 0)
        option_list.highlighted = highlighted_index if self._choices else None

    def on_resize(self) -> None:
        """Rebuild the rows for the new width."""
        self.call_after_refresh(self.update_choices)

    @on(Input.Changed)
    def _handle_input_changed(self, event: Input.Changed) -> None:
        option_list = self.query_one(OptionList)
        option_list.highlighted = None
        self.update_choices()
        if self._request_timer is not None:
            self._request_timer.stop()
        if event.value.strip():
            self._request_timer = self.set_timer(SEARCH_DELAY, lambda: self._request_rooms(event.value.strip()))

    @on(Input.Submitted)
    def _handle_input_submitted(self) -> None:
        self.action_go()

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index].name)

    def action_move(self, offset: int) -> None:
        """Move the highlight by `offset` rows, with wrap-around."""
        option_list = self.query_one(OptionList)
        if self._choices:
            option_list.highlighted = ((option_list.highlighted or 0) + offset) % len(self._choices)

    def action_go(self) -> None:
        """Return the highlighted room."""
        self.dismiss(self._highlighted_name())

    def action_close(self) -> None:
        """Cancel the dialog."""
        self.dismiss(None)

    def _highlighted_name(self) -> str | None:
        index = self.query_one(OptionList).highlighted
        return self._choices[index].name if index is not None and index < len(self._choices) else None


def _choice_row(choice: RoomCandidate, width: int) -> Content:
    view, summary = choice.view, choice.summary
    number = f"{choice.position}" if 0 < choice.position < 10 else ""
    if view is not None:
        right = f"{'@' if view.mention_count else ''}{view.unread_count:,}" if view.unread_count else ""
        topic = view.topic
    elif summary is not None:
        right, topic = chat_strings.member_count(summary.members), summary.topic
    else:
        right, topic = tr(chat_strings.NEW_ROOM), ""
    name = Content(choice.name)
    for index in choice.matched_indices:
        name = name.stylize("underline", index, index + 1)
    if view is not None and view.unread_count:
        name = name.stylize("bold")
    left_width = max(4, width - cell_len(right) - 5)
    left = Content.assemble(name, ("  " + " ".join(topic.split()), "$text-muted")) if topic else name
    left = with_stable_width(left).truncate(left_width, ellipsis=True)
    gap = " " * max(1, width - 3 - left.cell_length - cell_len(right))
    has_mentions = view is not None and bool(view.mention_count)
    return Content.assemble(
        (f"{number:>2} ", "$text-muted"), left, gap, (right, "bold $accent" if has_mentions else "$text-muted")
    )
