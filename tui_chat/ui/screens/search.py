"""Searching what was said: a field, and what was found under it, newest first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from server.protocol.errors import ChatError
from tui_chat.client.results import SearchPage, SearchSource
from tui_chat.session import refusals, search_words
from tui_chat.session.language import tr
from tui_chat.session.searching import SearchHit, SearchPageRequest, SearchState
from tui_chat.ui import keys
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.steady import steady
from tui_chat.ui.widgets.line_input import LineInput
from tui_chat.ui.widgets.timeline.decoration import TimeFormat

SEARCH_AFTER = 0.4
"""Seconds without a key after which it is searched for what stands there."""

NEAR_END = 4
"""Hits before the last one at which the next page is asked for."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where to go.

    Attributes:
        room: The room's name.
        seq: The message.
    """

    room: str
    seq: int


class SearchScreen(ModalScreen[Chosen | None]):
    """Ends with the place to go to, None for staying."""

    CSS_PATH = "search.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.SEARCH)]
    AUTO_FOCUS = "Input"

    def __init__(
        self,
        ask: Callable[[SearchPageRequest], Awaitable[SearchPage]],
        is_open: Callable[[str], bool],
        here: str | None,
        typed: str = "",
    ) -> None:
        """Make it.

        Args:
            ask: Gives the page that a question asks for.
            is_open: Whether a room of this name is open.
            here: The room that is shown, which can be searched alone.
            typed: What to look for at once.
        """
        super().__init__()
        self._ask = ask
        self._is_open = is_open
        self._here = here
        self._typed = typed
        self._room: str | None = None
        self._search = SearchState()
        self._warned: SearchHit | None = None
        self._timer: Timer | None = None
        self._drawn = 0

    def compose(self) -> ComposeResult:
        """What is looked for, what was found, how it stands."""
        with Vertical(id="search"):
            yield LineInput(self._typed, tr(search_words.SEARCH_HINT))
            yield OptionList(markup=False, compact=True)
            yield Static("", id="state", markup=False)

    def on_mount(self) -> None:
        """What was given is searched for at once."""
        card = self.query_one("#search")
        card.border_title = Content(tr(search_words.SEARCH_TITLE))
        card.border_subtitle = Content(tr(search_words.SEARCH_FOOTER))
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).cursor_position = len(self._typed)
        self._begin(self._typed)

    # Asking.

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self._asked() != event.value.strip():
            self._timer = self.set_timer(SEARCH_AFTER, lambda: self._begin(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._asked() != event.value.strip():
            self._begin(event.value)
        else:
            self.action_go()

    def action_scope(self) -> None:
        """This room alone, or all."""
        self._room = self._here if self._room is None else None
        self._begin(self.query_one(Input).value)

    def _asked(self) -> str:
        return self._search.request.query if self._search.request is not None else ""

    def _begin(self, typed: str) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._warned = None
        self._fetch(self._search.start(typed, self._room))
        self._draw()

    def _fetch(self, question: SearchPageRequest | None) -> None:
        if question is not None:
            self.run_worker(self._answer(question), group="search", exclusive=True, exit_on_error=False)

    async def _answer(self, question: SearchPageRequest) -> None:
        asked: SearchPageRequest | None = question
        while asked is not None:
            try:
                found = await self._ask(asked)
            except ChatError as refusal:
                self._search.fail(asked, refusals.describe(refusal))
                asked = None
            else:
                asked = self._search.apply_page(asked, found)
            self._draw()

    # Choosing.

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.option_list.highlighted = event.option_index
        self.action_go()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index >= len(self._search.hits) - NEAR_END and event.option_index > 0:
            self._more()

    def action_move(self, by: int) -> None:
        """The hit that many places below; at the end, more of them."""
        shown, count = self.query_one(OptionList), len(self._search.hits)
        at = -1 if shown.highlighted is None else shown.highlighted
        if at + by >= count:
            self._more()
        elif at + by >= 0:
            shown.highlighted = at + by

    def action_page(self, by: int) -> None:
        """A page of hits further down."""
        shown, count = self.query_one(OptionList), len(self._search.hits)
        rows = max(1, shown.size.height // 2 - 1)
        if count:
            shown.highlighted = min(count - 1, max(0, (shown.highlighted or 0) + by * rows))
        if by > 0 and (shown.highlighted or 0) >= count - 1:
            self._more()

    def _more(self) -> None:
        self._fetch(self._search.load_more())
        self._draw()

    def action_go(self) -> None:
        """Go to where the chosen message was said; twice, when the room is not open."""
        at = self.query_one(OptionList).highlighted
        if at is None or at >= len(self._search.hits):
            return
        hit = self._search.hits[at]
        if not self._is_open(hit.room) and self._warned != hit:
            self._warned = hit
            self._draw()
        else:
            self.dismiss(Chosen(hit.room, hit.seq))

    def action_close(self) -> None:
        """Stay where you were."""
        self.dismiss(None)

    # Drawing.

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        shown, hits = self.query_one(OptionList), self._search.hits
        if len(hits) < self._drawn or not hits:
            shown.clear_options()
            self._drawn = 0
        clock = TimeFormat(
            style="24h" if settings_app(self).settings.clock == "none" else settings_app(self).settings.clock
        )
        shown.add_options(Option(_rows(hit, clock, self._is_open(hit.room))) for hit in hits[self._drawn :])
        if hits and not self._drawn:
            shown.highlighted = 0
        self._drawn = len(hits)
        self.query_one("#state", Static).update(steady(Content(self._state())))

    def _state(self) -> str:
        search = self._search
        if self._warned is not None:
            return search_words.confirm_join(self._warned.room)
        said = [search_words.search_scope(self._room)]
        if search.request is None:
            return " · ".join([*said, tr(search_words.SEARCH_HELP)])
        if search.problem:
            said.append(search.problem)
        elif search.is_loading:
            said.append(tr(search_words.SEARCHING))
        if search.source is not None and not search.problem and (search.hits or not search.is_loading):
            said.append(search_words.result_count(len(search.hits), search.has_more))
        if search.source is SearchSource.LOCAL:
            said.append(tr(search_words.SEARCHED_LOCALLY))
        if search.is_incomplete:
            said.append(tr(search_words.SEARCH_INCOMPLETE))
        return " · ".join(said)


def _rows(hit: SearchHit, clock: TimeFormat, is_open: bool) -> Content:
    about = f"{clock.local_date(hit.ts).isoformat()} {clock.format_time(hit.ts)} · "
    line = Content(hit.excerpt)
    for start, end in hit.match_ranges:
        line = line.stylize("bold underline $accent", start, end)
    shown = Content.assemble(
        (about, "$text-muted"),
        (hit.room, "$primary"),
        (" · ", "$text-muted"),
        f"* {hit.nick}" if hit.is_action else hit.nick,
        ("" if is_open else f" · {tr(search_words.ROOM_NOT_OPEN)}", "$text-muted italic"),
        "\n  ",
        line,
    )
    return steady(shown)
