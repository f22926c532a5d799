"""Searching what you sent, letter by letter, as readline's Ctrl+R does."""

import re
from collections.abc import Sequence


class HistorySearch:
    """One search through what was sent in a room, newest first; upper and lower case are the same.

    Attributes:
        began: What was being written when it began.
        query: What is searched for.
        failed: Nothing (more) holds it; what was found last is still shown.
    """

    def __init__(self, texts: Sequence[str], began: str) -> None:
        """Begin.

        Args:
            texts: What was sent, oldest first.
            began: What is being written.
        """
        self.began = began
        self.query = ""
        self.failed = False
        self._texts = list(texts)
        self._at: int | None = None

    @property
    def shown(self) -> str:
        """What was found, or what was being written while nothing is."""
        return self.began if self._at is None else self._texts[self._at]

    @property
    def steps_back(self) -> int:
        """How many texts before the one being written it was found; 0 when nothing was."""
        return 0 if self._at is None else len(self._texts) - self._at

    @property
    def span(self) -> tuple[int, int] | None:
        """Where in `shown` the match begins and ends, in characters; None when nothing was found."""
        found = None if self._at is None else self._match(self._at)
        return found.span() if found is not None else None

    def type(self, text: str) -> None:
        """The query grows; what is shown stays as long as it holds it."""
        self.query += text
        self._search(len(self._texts) - 1 if self._at is None else self._at, -1)

    def erase(self) -> None:
        """The query's last character goes; the search begins anew from the newest."""
        self.query = self.query[:-1]
        self._at = None
        self.failed = False
        if self.query:
            self._search(len(self._texts) - 1, -1)

    def older(self) -> None:
        """The match before this one."""
        if self.query:
            self._search(len(self._texts) - 1 if self._at is None else self._at - 1, -1)

    def newer(self) -> None:
        """The match after this one."""
        if self._at is not None:
            self._search(self._at + 1, 1)

    def _search(self, start: int, step: int) -> None:
        at = start
        while 0 <= at < len(self._texts):
            same = self._at is not None and at != self._at and self._texts[at] == self.shown
            if not same and self._match(at) is not None:
                self._at, self.failed = at, False
                return
            at += step
        self.failed = True

    def _match(self, at: int) -> "re.Match[str] | None":
        return re.search(re.escape(self.query), self._texts[at], re.IGNORECASE)
