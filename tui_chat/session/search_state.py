"""State of one message search, independent of the screen.

- Stale responses: a response is applied only if its request is the current one.
- Invalid cursor: after the server rejects the cursor, `load_more` starts the search again.
- Empty pages: up to `MAX_EMPTY_PAGES` consecutive empty pages are followed automatically; the next needs `load_more`.
"""

from dataclasses import dataclass, replace

from tui_chat.client.search_page import SearchCursor, SearchPage, SearchSource
from tui_chat.protocol.events import Message
from tui_chat.protocol.sanitize import is_blank
from tui_chat.protocol.search_query import SearchQuery
from tui_chat.session.file_captions import describe_content
from tui_chat.session.lines import action_text

MAX_EMPTY_PAGES = 4
"""Maximum number of consecutive empty pages that are followed automatically."""
CONTEXT_BEFORE_MATCH = 24
"""Characters of context before the first match in a shortened excerpt."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """Message found by a search.

    Attributes:
        ts: Milliseconds since the epoch.
        excerpt: Text and captions in one line, from shortly before the first match to the end; an action without `/me`.
        match_ranges: Half-open character ranges of the matches in `excerpt`.
    """

    room: str
    seq: int
    ts: int
    nick: str
    excerpt: str
    match_ranges: tuple[tuple[int, int], ...]
    is_action: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SearchPageRequest:
    """Request for one page of results.

    Attributes:
        room: Name of the room to search, None for all rooms.
        cursor: Start of the page, None for the first page.
    """

    query: str
    room: str | None
    cursor: SearchCursor | None = None


class SearchState:
    """Results and progress of the current search.

    Attributes:
        request: Last request of the current search, None without a search.
        hits: Results, newest first.
        problem: Error text of the last response, "" after a success or without a response.
        source: Origin of the last page, None without a page.
        is_incomplete: True if the server's search index does not cover all messages.
    """

    def __init__(self) -> None:
        self.request: SearchPageRequest | None = None
        self.hits: list[SearchHit] = []
        self.is_loading = False
        self.problem = ""
        self.source: SearchSource | None = None
        self.is_incomplete = False
        self._next: SearchCursor | None = None
        self._empty_pages = 0
        self._is_cursor_invalid = False

    @property
    def has_more(self) -> bool:
        """True if a further page may have results."""
        return self._next is not None

    def start(self, query: str, room: str | None) -> SearchPageRequest | None:
        """Clear the results, start a search and return its first request.

        A blank query only clears, and returns None. A pending response of an earlier search is ignored.
        """
        self.request = None if is_blank(query) else SearchPageRequest(query.strip(), room)
        self.hits, self.problem, self.source = [], "", None
        self.is_incomplete = False
        self._next, self._empty_pages, self._is_cursor_invalid = None, 0, False
        self.is_loading = self.request is not None
        return self.request

    def load_more(self) -> SearchPageRequest | None:
        """Return the request for the next page, None if there is none or a response is pending.

        Resets the count of empty pages. After a failure with `has_more`, the call repeats the failed request; after a
        rejected cursor, the call clears the results and returns the request of the first page.
        """
        if self.request is None or self.is_loading or not self.has_more:
            return None
        if self._is_cursor_invalid:
            return self.start(self.request.query, self.request.room)
        self._empty_pages = 0
        return self._request_next_page()

    def apply_page(self, request: SearchPageRequest, page: SearchPage) -> SearchPageRequest | None:
        """Append a page. A stale page is ignored.

        Returns:
            Request for the next page after one of up to `MAX_EMPTY_PAGES` consecutive empty pages, otherwise None.
        """
        if request is not self.request:
            return None
        query = SearchQuery(request.query)
        self.hits += [build_hit(message, query) for message in page.messages]
        self.is_loading, self.problem = False, ""
        self.source, self.is_incomplete = page.source, page.incomplete
        self._next = page.next
        if page.messages or page.next is None or self._empty_pages >= MAX_EMPTY_PAGES:
            return None
        self._empty_pages += 1
        return self._request_next_page()

    def fail(self, request: SearchPageRequest, problem: str, *, is_cursor_invalid: bool = False) -> None:
        """End the loading and record the error text of a request. The results remain. A stale failure is ignored.

        With `is_cursor_invalid`, the server rejected the cursor, so that a repeat would fail too.
        """
        if request is self.request:
            self.is_loading, self.problem, self._is_cursor_invalid = False, problem, is_cursor_invalid

    def _request_next_page(self) -> SearchPageRequest:
        assert self.request is not None
        self.request = replace(self.request, cursor=self._next)
        self.is_loading = True
        return self.request


def build_hit(message: Message, query: SearchQuery) -> SearchHit:
    """Return the list entry of a message, with its text and the captions of its files.

    Each whitespace character becomes a space. `…` replaces the text more than `CONTEXT_BEFORE_MATCH` characters
    before the first match; the end is not shortened.
    """
    content = describe_content(message)
    action = action_text(content)
    text = "".join(" " if character.isspace() else character for character in action or content)
    match_ranges = query.find_spans(text)
    excerpt_start = max(0, match_ranges[0][0] - CONTEXT_BEFORE_MATCH) if match_ranges else 0
    excerpt, shift = ("…" + text[excerpt_start:], 1 - excerpt_start) if excerpt_start else (text, 0)
    return SearchHit(
        message.room,
        message.seq,
        message.ts,
        message.nick_name,
        excerpt,
        tuple((start + shift, end + shift) for start, end in match_ranges),
        action != "",
    )
