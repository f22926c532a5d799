"""Counter of unseen messages below the view."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence

from tui_chat.session.lines import Line, MessageLine


class NewMessageCounter:
    """Counter of messages by other members with a `seq` above the last seen one.

    Older history has a lower `seq` and does not count.
    """

    def __init__(self) -> None:
        self._last_seen_seq = 0
        self._unseen_seqs: list[int] = []  # ascending

    def mark_all_seen(self, lines: Sequence[Line]) -> None:
        """Mark all lines as seen and reset the counter to 0."""
        self._unseen_seqs.clear()
        self._last_seen_seq = _last_seq(lines, len(lines))

    def add_lines(self, lines: Iterable[Line], existing_keys: set[str]) -> None:
        """Count the new messages in added lines; a line with a key in `existing_keys` is an update."""
        for line in lines:
            seq = line.seq or 0 if isinstance(line, MessageLine) and not line.is_own else 0
            if seq > self._last_seen_seq and line.key not in existing_keys:
                insort(self._unseen_seqs, seq)

    def mark_seen_before(self, lines: Sequence[Line], end: int) -> int:
        """Mark the messages before index `end` as seen.

        Returns:
            Number of unseen messages.
        """
        if end == len(lines):
            self.mark_all_seen(lines)
        elif self._unseen_seqs:
            del self._unseen_seqs[: bisect_right(self._unseen_seqs, _last_seq(lines, end))]
        return len(self._unseen_seqs)


def _last_seq(lines: Sequence[Line], end: int) -> int:
    """Return the `seq` of the nearest acknowledged message above index `end`, or 0."""
    lines_above = (lines[index] for index in range(end - 1, -1, -1))
    return next((line.seq for line in lines_above if isinstance(line, MessageLine) and line.seq is not None), 0)
