"""Room switcher: fuzzy search over the open rooms, the closed rooms of the account and the rooms of the server."""

from collections.abc import Callable, Sequence
from functools import partial

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_chat.session.i18n import mark, tr
from tui_chat.session.room_matcher import RoomCandidate
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog, compose_query_frame
from tui_chat.ui.widgets.stable_width import with_stable_width

# Maximum number of listed rooms. A longer query narrows the list.
MAX_CHOICES = 200

SEARCH_DELAY = 0.25  # seconds without input before the server is searched for the query


class RoomSwitcher(ListDialog[str]):
    """Dialog that returns the selected room name, None if cancelled.

    Args:
        find_choices: Returns the ranked rooms for a query.
        request_rooms: Requests the server's rooms for a query. The owner calls `update_choices` after their arrival.
        initial_query: Initial text of the input.
    """

    CSS_PATH = "query_dialog.tcss"
    BINDINGS = textual_bindings(KeyScope.ROOM_SWITCHER)
    AUTO_FOCUS = "Input"

    def __init__(
        self,
        find_choices: Callable[[str], Sequence[RoomCandidate]],
        request_rooms: Callable[[str], None],
        initial_query: str = "",
    ) -> None:
        super().__init__()
        self._find_choices = find_choices
        self._request_rooms = request_rooms
        self._initial_query = initial_query
        self._choices: list[RoomCandidate] = []

    def compose(self) -> ComposeResult:
        """Return a frame with the query input above the room list."""
        return compose_query_frame(tr("part of the room name"), self._initial_query)

    def on_mount(self) -> None:
        """Set the titles, list the known rooms for the initial query and request the rooms of the server."""
        self.set_up(mark("Switch room"), KeyScope.ROOM_SWITCHER, "#frame")
        self._request_rooms("")
        self.update_choices()

    def update_choices(self) -> None:
        """Rebuild the list for the query and the known rooms, limited to `MAX_CHOICES`.

        The highlight stays on the same room if listed, otherwise moves to the first row. No effect before the dialog
        has its list.
        """
        if not self.query(OptionList):
            return
        option_list = self.option_list
        highlighted = self._highlighted_name()
        width = max(20, option_list.size.width or 60)
        self._choices = list(self._find_choices(self.query_one(Input).value))[:MAX_CHOICES]
        option_list.set_options(Option(_choice_row(choice, width)) for choice in self._choices)
        option_list.highlighted = next(
            (index for index, choice in enumerate(self._choices) if choice.room == highlighted),
            0 if self._choices else None,
        )

    def on_resize(self) -> None:
        """Rebuild the rows for the new width."""
        self.call_after_refresh(self.update_choices)

    @on(Input.Changed)
    def _handle_input_changed(self, event: Input.Changed) -> None:
        """List the known rooms, highlight the first one, and request those of the server after `SEARCH_DELAY`."""
        self.option_list.highlighted = None
        self.update_choices()
        query = event.value.strip()
        self.debounce(SEARCH_DELAY, partial(self._request_rooms, query) if query else None)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def action_go(self) -> None:
        """Close the dialog with the name of the highlighted room as result, None without one."""
        self.dismiss(self._highlighted_name())

    def _highlighted_name(self) -> str | None:
        choice = self.highlighted_row(self._choices)
        return choice.room if choice is not None else None


def _choice_row(choice: RoomCandidate, width: int) -> Content:
    """Return position, name with underlined matches, topic, and unread count, member count or `new room`."""
    room, summary = choice.view or choice.closed_room, choice.summary
    if room is not None:
        right = f"{'@' if room.mention_count else ''}{room.unread_count:,}" if room.unread_count else ""
        topic = choice.view.topic if choice.view is not None else ""
    elif summary is not None:
        right, topic = chat_strings.member_count(summary.members), summary.topic
    else:
        right, topic = tr("new room"), ""
    name = Content(choice.name)
    for index in choice.matched_indices:
        name = name.stylize("underline", index, index + 1)
    if room is not None and room.unread_count:
        name = name.stylize("bold")
    left = Content.assemble(name, ("  " + " ".join(topic.split()), "$text-muted")) if topic else name
    left = with_stable_width(left).truncate(max(4, width - cell_len(right) - 5), ellipsis=True)
    return Content.assemble(
        (f"{choice.position if 0 < choice.position < 10 else '':>2} ", "$text-muted"),
        left,
        " " * max(1, width - 3 - left.cell_length - cell_len(right)),
        (right, "bold $accent" if room is not None and room.mention_count else "$text-muted"),
    )
