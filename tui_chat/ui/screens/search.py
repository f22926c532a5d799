"""Message search dialog with results in reverse chronological order, initially from all rooms."""

from collections.abc import Awaitable, Callable
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import Worker

from tui_chat.client.search_page import SearchPage, SearchSource
from tui_chat.protocol.errors import ChatError
from tui_chat.session import error_text
from tui_chat.session.i18n import mark, tr
from tui_chat.session.search_state import SearchHit, SearchPageRequest, SearchState
from tui_chat.session.strings import app as app_strings, search as search_strings
from tui_chat.ui.app_services import app_services, report_worker_error
from tui_chat.ui.input.keys import KeyScope, textual_bindings
from tui_chat.ui.screens.list_dialog import ListDialog
from tui_chat.ui.timeline.decoration import TimeFormat
from tui_chat.ui.widgets.line_input import LineInput
from tui_chat.ui.widgets.stable_width import with_stable_width

SEARCH_DELAY = 0.4  # seconds without input before the search starts

PREFETCH_DISTANCE = 4  # distance from the last hit at which the next page is requested


class SearchScreen(ListDialog[SearchHit]):
    """Dialog that returns the selected hit, None if cancelled.

    Args:
        fetch_page: Fetches a page of results.
        is_open: Returns whether a room is open.
        find_title: Returns the display name of a room.
        current_room: Current room, the target of a search in one room; None if there is none.
        initial_query: Query to search immediately, empty for none.
    """

    CSS_PATH = "search.tcss"
    BINDINGS = textual_bindings(KeyScope.MESSAGE_SEARCH)
    AUTO_FOCUS = "Input"

    def __init__(
        self,
        fetch_page: Callable[[SearchPageRequest], Awaitable[SearchPage]],
        is_open: Callable[[str], bool],
        find_title: Callable[[str], str],
        current_room: str | None,
        initial_query: str = "",
    ) -> None:
        super().__init__()
        self._fetch_page = fetch_page
        self._is_open = is_open
        self._find_title = find_title
        self._current_room = current_room
        self._initial_query = initial_query
        self._scope_room: str | None = None
        self._search_state = SearchState()
        self._hit_to_confirm: SearchHit | None = None
        self._rendered_count = 0

    def compose(self) -> ComposeResult:
        """Yield a frame with query input, hit list and status line from top to bottom."""
        with Vertical(id="search"):
            yield LineInput(self._initial_query, tr("words, or a single Chinese character"))
            yield OptionList(markup=False, compact=True)
            yield Static("", id="status", markup=False)

    def on_mount(self) -> None:
        """Set the titles and search for the initial query."""
        self.set_up(mark("Search"), KeyScope.MESSAGE_SEARCH, "#search")
        self._start_search(self._initial_query)

    # Requests

    @on(Input.Changed)
    def _handle_input_changed(self, event: Input.Changed) -> None:
        """Search for a changed query after `SEARCH_DELAY`."""
        self.debounce(
            SEARCH_DELAY,
            partial(self._start_search, event.value) if self._current_query() != event.value.strip() else None,
        )

    @on(Input.Submitted)
    def _handle_input_submitted(self, event: Input.Submitted) -> None:
        """Search for a changed query immediately; otherwise select the highlighted hit (`action_go`)."""
        if self._current_query() != event.value.strip():
            self._start_search(event.value)
        else:
            self.action_go()

    def action_toggle_scope(self) -> None:
        """Toggle between all rooms and the current room, if any, and restart the search with the typed query."""
        self._scope_room = self._current_room if self._scope_room is None else None
        self._start_search(self.query_one(Input).value)

    def _current_query(self) -> str:
        return self._search_state.request.query if self._search_state.request is not None else ""

    def _start_search(self, query: str) -> None:
        """Start a search in place of an earlier one; a blank query only clears the results."""
        self.debounce(0, None)
        self._hit_to_confirm = None
        self._start_fetch(self._search_state.start(query, self._scope_room))
        self._draw_results()

    def _start_fetch(self, request: SearchPageRequest | None) -> None:
        """Fetch pages in the background, in place of an earlier request. No effect for None."""
        if request is not None:
            self.run_worker(self._load_pages(request), group="search", exclusive=True, exit_on_error=False)

    async def _load_pages(self, request: SearchPageRequest | None) -> None:
        """Fetch a page, and the next ones as far as `SearchState` requests them; draw after each response.

        A `ChatError` is shown in the status line of the dialog. Any other exception is shown as internal error and
        raised.
        """
        while request is not None:
            try:
                page = await self._fetch_page(request)
            except ChatError as error:
                is_cursor_invalid = error.reason == "cursor_invalid"
                self._search_state.fail(request, error_text.describe(error), is_cursor_invalid=is_cursor_invalid)
                request = None
            except Exception:
                self._search_state.fail(request, tr(app_strings.INTERNAL_ERROR))
                self._draw_results()
                raise
            else:
                request = self._search_state.apply_page(request, page)
            self._draw_results()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Log and show an unexpected error of a request."""
        report_worker_error(self, event)

    # Selection

    @on(OptionList.OptionSelected)
    def _handle_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.option_list.highlighted = event.option_index
        self.action_go()

    @on(OptionList.OptionHighlighted)
    def _handle_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Discard a pending confirmation of another hit, and load more hits near the end of the list."""
        if self._hit_to_confirm is not None and self._hit_to_confirm != self._highlighted_hit():
            self._hit_to_confirm = None
            self._draw_results()
        if event.option_index >= len(self._search_state.hits) - PREFETCH_DISTANCE and event.option_index > 0:
            self._load_more()

    def action_move(self, offset: int) -> None:
        """Move the highlight by `offset` hits without wrap-around. Past the last hit, only load the next page."""
        option_list, count = self.option_list, len(self._search_state.hits)
        index = -1 if option_list.highlighted is None else option_list.highlighted
        if index + offset >= count:
            self._load_more()
        elif index + offset >= 0:
            option_list.highlighted = index + offset

    def action_page(self, pages: int) -> None:
        """Move the highlight by `pages` pages, at most to the first or last hit; load further results at the end."""
        option_list, count = self.option_list, len(self._search_state.hits)
        if count:
            offset = pages * max(1, option_list.size.height // 2 - 1)
            option_list.highlighted = min(count - 1, max(0, self.highlighted_index + offset))
        if pages > 0 and self.highlighted_index >= count - 1:
            self._load_more()

    def _load_more(self) -> None:
        """Fetch the next page, if `SearchState.load_more` returns a request, and draw."""
        self._start_fetch(self._search_state.load_more())
        self._draw_results()

    def action_go(self) -> None:
        """Close the dialog with the highlighted hit as result. No effect without one.

        A hit in a room that is not open needs a second call as confirmation, without a move of the highlight between.
        """
        hit = self._highlighted_hit()
        if hit is None:
            return
        if not self._is_open(hit.room) and self._hit_to_confirm != hit:
            self._hit_to_confirm = hit
            self._draw_results()
        else:
            self.dismiss(hit)

    def _highlighted_hit(self) -> SearchHit | None:
        return self.highlighted_row(self._search_state.hits)

    # Drawing

    def _draw_results(self) -> None:
        """Add the new hits to the list, or rebuild the list after a new search, and update the status line."""
        if not self.is_mounted:
            return
        option_list, hits = self.option_list, self._search_state.hits
        if len(hits) < self._rendered_count or not hits:
            option_list.clear_options()
            self._rendered_count = 0
        time_format = TimeFormat(
            style="24h" if app_services(self).settings.clock == "none" else app_services(self).settings.clock
        )
        option_list.add_options(
            Option(_hit_rows(hit, self._find_title(hit.room), time_format, self._is_open(hit.room)))
            for hit in hits[self._rendered_count :]
        )
        if hits and not self._rendered_count:
            option_list.highlighted = 0
        self._rendered_count = len(hits)
        self.query_one("#status", Static).update(with_stable_width(Content(self._status_text())))

    def _status_text(self) -> str:
        """Return scope, progress or problem, number of hits and limits of the search; first a pending confirmation."""
        state = self._search_state
        if self._hit_to_confirm is not None:
            room = self._find_title(self._hit_to_confirm.room)
            return tr("You are not in {room}. Press Enter again to join.", room=room)
        scope_room = self._scope_room
        scope = tr("in {room}", room=self._find_title(scope_room)) if scope_room is not None else tr("in all rooms")
        if state.request is None:
            return f"{scope} · {tr('Finds messages that contain all words.')}"
        has_count = state.source is not None and not state.problem and (state.hits or not state.is_loading)
        parts = (
            scope,
            state.problem or (tr("searching…") if state.is_loading else ""),
            search_strings.result_count(len(state.hits), state.has_more) if has_count else "",
            tr("offline: searched the local history only") if state.source is SearchSource.LOCAL else "",
            tr("older messages are still being indexed") if state.is_incomplete else "",
        )
        return " · ".join(filter(None, parts))


def _hit_rows(hit: SearchHit, room_title: str, time_format: TimeFormat, is_open: bool) -> Content:
    """Return a row with time, room and author, and a row with the excerpt and its highlighted matches."""
    line = Content(hit.excerpt)
    for start, end in hit.match_ranges:
        line = line.stylize("bold underline $accent", start, end)
    return with_stable_width(
        Content.assemble(
            (f"{time_format.local_date(hit.ts).isoformat()} {time_format.format_time(hit.ts)} · ", "$text-muted"),
            (room_title, "$primary"),
            (" · ", "$text-muted"),
            f"* {hit.nick}" if hit.is_action else hit.nick,
            ("" if is_open else f" · {tr('not joined')}", "$text-muted italic"),
            "\n  ",
            line,
        )
    )
