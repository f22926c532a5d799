"""How much was said farther down while one was reading farther up."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence

from tui_chat.session.lines import Line, MessageLine


class NewMessageCounter:
    """Counts messages of others that came after a moment and were not in view since.

    History that is loaded later is older than that moment, and never counts.
    """

    def __init__(self) -> None:
        self._last_seen_seq = 0
        self._unseen_seqs: list[int] = []  # the `seq` of each, ascending

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._unseen_seqs)

    def mark_all_seen(self, lines: Sequence[Line]) -> None:
        """Everything that is here now is seen."""
        self._unseen_seqs.clear()
        self._last_seen_seq = _last_seq(lines, len(lines))

    def add_lines(self, lines: Iterable[Line], existing_keys: set[str]) -> None:
        """Lines were added, of which those with a known key were only changed."""
        for line in lines:
            seq = line.seq or 0 if isinstance(line, MessageLine) and not line.is_own else 0
            if seq > self._last_seen_seq and line.key not in existing_keys:
                insort(self._unseen_seqs, seq)

    def mark_seen_before(self, lines: Sequence[Line], end: int) -> None:
        """Forget those that are in view or above it: the lines before index `below`."""
        if self._unseen_seqs:
            del self._unseen_seqs[: bisect_right(self._unseen_seqs, _last_seq(lines, end))]


def _last_seq(lines: Sequence[Line], end: int) -> int:
    """The `seq` of the last message before index `end`, 0 if there is none."""
    for index in range(end - 1, -1, -1):
        line = lines[index]
        if isinstance(line, MessageLine) and line.seq is not None:
            return line.seq
    return 0
