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

    def __init__(self, texts: Sequence[str], original_text: str) -> None:
        """Begin.

        Args:
            texts: What was sent, oldest first.
            began: What is being written.
        """
        self.original_text = original_text
        self.query = ""
        self.failed = False
        self._texts = list(texts)
        self._index: int | None = None

    @property
    def text(self) -> str:
        """What was found, or what was being written while nothing is."""
        return self.original_text if self._index is None else self._texts[self._index]

    @property
    def steps_back(self) -> int:
        """How many texts before the one being written it was found; 0 when nothing was."""
        return 0 if self._index is None else len(self._texts) - self._index

    @property
    def match_span(self) -> tuple[int, int] | None:
        """Where in `shown` the match begins and ends, in characters; None when nothing was found."""
        matched = None if self._index is None else self._match_at(self._index)
        return matched.span() if matched is not None else None

    def append(self, text: str) -> None:
        """The query grows; what is shown stays as long as it holds it."""
        self.query += text
        self._search(len(self._texts) - 1 if self._index is None else self._index, -1)

    def backspace(self) -> None:
        """The query's last character goes; the search begins anew from the newest."""
        self.query = self.query[:-1]
        self._index = None
        self.failed = False
        if self.query:
            self._search(len(self._texts) - 1, -1)

    def older(self) -> None:
        """The match before this one."""
        if self.query:
            self._search(len(self._texts) - 1 if self._index is None else self._index - 1, -1)

    def newer(self) -> None:
        """The match after this one."""
        if self._index is not None:
            self._search(self._index + 1, 1)

    def _search(self, start: int, step: int) -> None:
        index = start
        while 0 <= index < len(self._texts):
            is_duplicate = self._index is not None and index != self._index and self._texts[index] == self.text
            if not is_duplicate and self._match_at(index) is not None:
                self._index, self.failed = index, False
                return
            index += step
        self.failed = True

    def _match_at(self, index: int) -> "re.Match[str] | None":
        return re.search(re.escape(self.query), self._texts[index], re.IGNORECASE)
