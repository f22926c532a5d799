"""The lines around the talk: the header above it, and what happens between it and the composer."""

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from tui_chat.client.events import Closed, Connecting, ConnectionState, Offline, Online
from tui_chat.session import words
from tui_chat.session.completion import Completion
from tui_chat.session.language import tr
from tui_chat.ui.steady import steady

LABEL_CELLS = 32
"""Columns that a candidate may have in the list of candidates."""


class Header(Widget):
    """Room and topic at the left, how the connection is at the right."""

    DEFAULT_CSS = "Header { height: 1; text-wrap: nowrap; }"

    def __init__(self) -> None:
        super().__init__()
        self._room = ""
        self._topic = ""
        self._others = ""
        self._state: ConnectionState = Connecting()
        self._retry_in = 0.0
        self._unsent = 0

    def show(self, room: str, topic: str, others: str, state: ConnectionState, *, retry_in: float, unsent: int) -> None:
        """Show all of it.

        Args:
            room: The room's name, empty when there is none.
            topic: What it is about.
            others: What is unread in other rooms, when their list is not in view.
            state: How the connection is.
            retry_in: Seconds until the next attempt, while it is lost.
            unsent: How much waits to be sent.
        """
        self._unsent = unsent
        self._room, self._topic, self._others, self._state, self._retry_in = room, topic, others, state, retry_in
        self.refresh()

    def render(self) -> Content:
        """The line."""
        width = self.content_region.width
        right = self._connection()
        if self._others:
            right = Content.assemble((self._others, "$accent"), "   ", right)
        room = steady(Content.assemble((self._room, "bold $primary"))).truncate(
            max(8, width - right.cell_length - 2), ellipsis=True
        )
        topic = Content.assemble(("  " + self._topic, "$text-muted"))
        left = Content.assemble(room, steady(topic)) if self._topic else room
        left = left.truncate(max(0, width - right.cell_length - 2), ellipsis=True)
        return Content.assemble(left, " " * max(1, width - left.cell_length - right.cell_length), right)

    def _connection(self) -> Content:
        waiting = words.unsent_count(self._unsent)
        match self._state:
            case Online(latency):
                return Content.assemble(("● ", "$success"), (words.online(latency), "$text-muted"))
            case Offline():
                return Content.assemble(("○ ", "$error"), (words.offline(self._retry_in) + waiting, "bold $error"))
            case Connecting() | Closed():
                return Content.assemble(("◌ ", "$warning"), (tr(words.CONNECTING) + waiting, "$warning"))


class StatusLine(Widget):
    """Between timeline and composer: what is wrong, how much is below, who is typing, how long the text is."""

    DEFAULT_CSS = "StatusLine { height: 1; text-wrap: nowrap; }"

    def __init__(self) -> None:
        super().__init__()
        self._problem = ""
        self._told: str = ""
        self._below = 0
        self._typing: Sequence[str] = ()
        self._writing = ""
        self._length = ""
        self._search = ""
        self._completing: Completion | None = None

    def show_candidates(self, completing: Completion | None) -> None:
        """Show what else a completion may become, or nothing more of it."""
        several = completing if completing is not None and len(completing.candidates) > 1 else None
        if several != self._completing:
            self._completing = several
            self.refresh()

    def show_search(self, search: str) -> None:
        """Show what is being searched among what was sent, or nothing more of it."""
        if search != self._search:
            self._search = search
            self.refresh()

    def show_problem(self, problem: str) -> None:
        """Show what is wrong, or nothing more of it and of what was told."""
        if problem != self._problem or self._told:
            self._problem, self._told = problem, ""
            self.refresh()

    def show_told(self, word: str) -> None:
        """Show what was done or is going on, where nothing is wrong, until `show_problem`."""
        if word != self._told or self._problem:
            self._problem, self._told = "", word
            self.refresh()

    def show_writing(self, writing: str) -> None:
        """Show what the text that is being written is for, when it is no plain message."""
        if writing != self._writing:
            self._writing = writing
            self.refresh()

    def show_below(self, count: int) -> None:
        """Show how many lines wait below."""
        self._below = count
        self.refresh()

    def show_typing(self, nicks: Sequence[str]) -> None:
        """Show who is typing."""
        if list(nicks) != list(self._typing):
            self._typing = list(nicks)
            self.refresh()

    def show_length(self, length: str) -> None:
        """Show how long the text is, when that matters."""
        if length != self._length:
            self._length = length
            self.refresh()

    async def on_click(self) -> None:
        """Go to the newest message."""
        if self._below:
            await self.screen.run_action("bottom")

    def render(self) -> Content:
        """The line."""
        width = self.content_region.width
        right = Content.assemble((self._length, "$error")) if self._length else Content("")
        if self._completing is not None:
            left = _candidates(self._completing, width)
        elif self._search:
            left = Content.assemble((self._search, "$accent"))
        elif self._problem:
            left = Content.assemble((self._problem, "$error"))
        elif self._told:
            left = Content.assemble((self._told, "$accent"))
        elif self._writing:
            left = Content.assemble((self._writing, "$accent"))
        elif self._below:
            left = Content.assemble((words.new_messages_below(self._below), "bold $accent"))
        elif self._typing:
            left = Content.assemble((words.typing_indicator(self._typing), "italic $text-muted"))
        else:
            left = Content("")
        left = steady(left).truncate(max(0, width - right.cell_length - 1), ellipsis=True)
        return Content.assemble(left, " " * max(0, width - left.cell_length - right.cell_length), right)


def _candidates(completing: Completion, width: int) -> Content:
    """The candidates in one line, the one that stands there reversed and always in view."""
    labels = [Content(f" {each.label} ").truncate(LABEL_CELLS, ellipsis=True) for each in completing.candidates]
    first = min(completing.index, len(labels) - 1)
    cells = labels[first].cell_length + 2  # room for the signs that there are more
    while first and cells + labels[first - 1].cell_length <= width // 2:
        first -= 1
        cells += labels[first].cell_length
    parts = [Content("‹") if first else Content(" ")]
    for at, label in enumerate(labels[first:], first):
        if sum(part.cell_length for part in parts) + label.cell_length >= width:
            parts.append(Content("›"))
            break
        parts.append(label.stylize("reverse") if at == completing.index else label.stylize("$text-muted"))
    return Content.assemble(*parts)
