"""What a search has found so far, without a screen.

Rule 1  An answer counts only for the question that was asked last: each has a turn.
Rule 2  A page that is empty and has a next one is asked for at once, `PAGES_UNASKED`
        times; then somebody has to want it.
"""

from dataclasses import dataclass, replace

from server.protocol.entries import Message
from server.protocol.search_terms import SearchQuery
from tui_chat.client.results import SearchPage, SearchSource
from tui_chat.session.lines import ACTION

PAGES_UNASKED = 4
BEFORE_HIT = 24
"""Characters that are shown before the first place that was found, in a text too long to show."""


@dataclass(frozen=True, slots=True)
class Hit:
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
    line: str
    marks: tuple[tuple[int, int], ...]
    action: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for.

    Attributes:
        turn: Grows with each question.
        room: Only in this room; None for all.
        before: Only what is older than this `id`.
    """

    turn: int
    query: str
    room: str | None
    before: int | None = None


class Search:
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
        self.question: Question | None = None
        self.hits: list[Hit] = []
        self.asking = False
        self.problem = ""
        self.source: SearchSource | None = None
        self.incomplete = False
        self.has_more = False
        self._turn = 0
        self._next: int | None = None
        self._empty_pages = 0

    def begin(self, query: str, room: str | None) -> Question | None:
        """Look for something else; what to ask, None when nothing is to be looked for."""
        self._turn += 1
        self.question = Question(self._turn, query.strip(), room) if query.strip() else None
        self.hits, self.problem, self.source = [], "", None
        self.incomplete = self.has_more = False
        self._next, self._empty_pages = None, 0
        self.asking = self.question is not None
        return self.question

    def more(self) -> Question | None:
        """Somebody wants more; what to ask, None when there is no more or an answer is waited for."""
        if self.question is None or self.asking or not self.has_more:
            return None
        self._empty_pages = 0
        return self._ask_on()

    def take(self, question: Question, answer: SearchPage) -> Question | None:
        """An answer; what to ask next, None when that is for the person to say."""
        if question.turn != self._turn:
            return None
        query = SearchQuery(question.query)
        self.hits += [hit(message, query) for message in answer.messages]
        self.asking, self.problem = False, ""
        self.source, self.incomplete = answer.source, answer.incomplete
        self.has_more, self._next = answer.has_more, answer.next_before
        if answer.messages or not answer.has_more or self._empty_pages >= PAGES_UNASKED:
            return None
        self._empty_pages += 1
        return self._ask_on()

    def refuse(self, question: Question, problem: str) -> None:
        """There is no answer, for this reason."""
        if question.turn == self._turn:
            self.asking, self.problem = False, problem

    def _ask_on(self) -> Question:
        assert self.question is not None
        self.question = replace(self.question, before=self._next)
        self.asking = True
        return self.question


def hit(message: Message, query: SearchQuery) -> Hit:
    """A message as it is listed."""
    text = "".join(" " if character.isspace() else character for character in message.message.removeprefix(ACTION))
    marks = query.find_spans(text)
    cut = max(0, marks[0][0] - BEFORE_HIT) if marks else 0
    line, shift = ("…" + text[cut:], 1 - cut) if cut else (text, 0)
    shifted = tuple((start + shift, end + shift) for start, end in marks)
    return Hit(
        message.room, message.seq, message.ts, message.nick_name, line, shifted, message.message.startswith(ACTION)
    )
