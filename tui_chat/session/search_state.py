"""What a search has found so far, without a screen.

Rule 1  An answer counts only for the question that was asked last: each has a turn.
Rule 2  A page that is empty and has a next one is asked for at once, `PAGES_UNASKED`
        times; then somebody has to want it.
"""

from dataclasses import dataclass, replace

from tui_chat.client.search_page import SearchPage, SearchSource
from tui_chat.protocol.events import Message
from tui_chat.protocol.search_query import SearchQuery
from tui_chat.session.lines import ACTION_PREFIX

MAX_EMPTY_PAGES = 4
CONTEXT_BEFORE_MATCH = 24
"""Characters that are shown before the first place that was found, in a text too long to show."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One message that was found.

    Attributes:
        line: Its text in one line, from a little before the first place on.
        marks: Where in that the words stand: [start, end).
        action: It says what `nick` does.
    """

    room: str
    seq: int
    ts: int
    nick: str
    excerpt: str
    match_ranges: tuple[tuple[int, int], ...]
    is_action: bool = False


@dataclass(frozen=True, slots=True)
class SearchPageRequest:
    """What is looked for.

    Attributes:
        turn: Grows with each question.
        room: Only in this room; None for all.
        before: Only what is older than this `id`.
    """

    generation: int
    query: str
    room: str | None
    before: int | None = None


class SearchState:
    """One search, page by page.

    Attributes:
        question: What was asked last, None before the first.
        hits: What was found, newest first.
        asking: An answer is waited for.
        problem: Why there is none; empty when nothing is wrong.
        source: What was searched, None before the first answer.
        incomplete: The server has not indexed older messages yet.
        has_more: There may be more.
    """

    def __init__(self) -> None:
        self.request: SearchPageRequest | None = None
        self.hits: list[SearchHit] = []
        self.is_loading = False
        self.problem = ""
        self.source: SearchSource | None = None
        self.is_incomplete = False
        self.has_more = False
        self._generation = 0
        self._next_before: int | None = None
        self._empty_pages = 0

    def start(self, query: str, room: str | None) -> SearchPageRequest | None:
        """Look for something else; what to ask, None when nothing is to be looked for."""
        self._generation += 1
        self.request = SearchPageRequest(self._generation, query.strip(), room) if query.strip() else None
        self.hits, self.problem, self.source = [], "", None
        self.is_incomplete = self.has_more = False
        self._next_before, self._empty_pages = None, 0
        self.is_loading = self.request is not None
        return self.request

    def load_more(self) -> SearchPageRequest | None:
        """Somebody wants more; what to ask, None when there is no more or an answer is waited for."""
        if self.request is None or self.is_loading or not self.has_more:
            return None
        self._empty_pages = 0
        return self._request_next_page()

    def apply_page(self, request: SearchPageRequest, page: SearchPage) -> SearchPageRequest | None:
        """An answer; what to ask next, None when that is for the person to say."""
        if request.generation != self._generation:
            return None
        query = SearchQuery(request.query)
        self.hits += [build_hit(message, query) for message in page.messages]
        self.is_loading, self.problem = False, ""
        self.source, self.is_incomplete = page.source, page.incomplete
        self.has_more, self._next_before = page.has_more, page.next_before
        if page.messages or not page.has_more or self._empty_pages >= MAX_EMPTY_PAGES:
            return None
        self._empty_pages += 1
        return self._request_next_page()

    def fail(self, request: SearchPageRequest, problem: str) -> None:
        """There is no answer, for this reason."""
        if request.generation == self._generation:
            self.is_loading, self.problem = False, problem

    def _request_next_page(self) -> SearchPageRequest:
        assert self.request is not None
        self.request = replace(self.request, before=self._next_before)
        self.is_loading = True
        return self.request


def build_hit(message: Message, query: SearchQuery) -> SearchHit:
    """A message as it is listed."""
    text = "".join(
        " " if character.isspace() else character for character in message.message.removeprefix(ACTION_PREFIX)
    )
    match_ranges = query.find_spans(text)
    excerpt_start = max(0, match_ranges[0][0] - CONTEXT_BEFORE_MATCH) if match_ranges else 0
    excerpt, shift = ("…" + text[excerpt_start:], 1 - excerpt_start) if excerpt_start else (text, 0)
    shifted_ranges = tuple((start + shift, end + shift) for start, end in match_ranges)
    return SearchHit(
        message.room,
        message.seq,
        message.ts,
        message.nick_name,
        excerpt,
        shifted_ranges,
        message.message.startswith(ACTION_PREFIX),
    )
