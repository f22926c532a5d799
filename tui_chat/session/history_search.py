"""Incremental search of the input history, like Ctrl+R of readline."""

import re
from collections.abc import Sequence

from wcwidth import grapheme_boundary_before


class HistorySearch:
    """Case-insensitive search through the sent texts of a room, newest first.

    Args:
        texts: Sent texts, oldest first.

    Attributes:
        original_text: Composer text before the search.
        failed: True if the last search step found no match.
    """

    def __init__(self, texts: Sequence[str], original_text: str) -> None:
        self.original_text = original_text
        self.query = ""
        self.failed = False
        self._texts = list(texts)
        self._index = len(self._texts)  # without a match, the position after the newest text

    @property
    def text(self) -> str:
        """Matched text, or the original text without a match."""
        return self._texts[self._index] if self.steps_back else self.original_text

    @property
    def steps_back(self) -> int:
        """Distance of the match from the composer text in history entries, 0 without a match."""
        return len(self._texts) - self._index

    @property
    def match_span(self) -> tuple[int, int] | None:
        """Start and end of the match in `text` in characters, None without a match."""
        matched = self._match_at(self._index) if self.steps_back else None
        return matched.span() if matched is not None else None

    def append(self, text: str) -> None:
        """Extend the query, and search from the current match on to older ones.

        Without a match, the previous match remains and `failed` is set.
        """
        self.query += text
        self._search(range(min(self._index, len(self._texts) - 1), -1, -1))

    def backspace(self) -> None:
        """Remove the last character of the query and restart the search at the newest text.

        An empty query has no match.
        """
        self.query = self.query[: grapheme_boundary_before(self.query, len(self.query))]
        self._index = len(self._texts)
        self.failed = False
        self.find_older()

    def find_older(self) -> None:
        """Move to the next older match with another text; at the oldest match, only `failed` is set.

        No effect with an empty query.
        """
        if self.query:
            self._search(range(self._index - 1, -1, -1))

    def find_newer(self) -> None:
        """Move to the next newer match with another text; at the newest match, only `failed` is set.

        No effect without a match.
        """
        if self.steps_back:
            self._search(range(self._index + 1, len(self._texts)))

    def _search(self, indices: range) -> None:
        """Select the first index with a match of another text than the current one; set `failed` if there is none."""
        self.failed = True
        for index in indices:
            is_duplicate = self.steps_back and index != self._index and self._texts[index] == self.text
            if not is_duplicate and self._match_at(index) is not None:
                self._index, self.failed = index, False
                return

    def _match_at(self, index: int) -> "re.Match[str] | None":
        return re.search(re.escape(self.query), self._texts[index], re.IGNORECASE)
