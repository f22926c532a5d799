"""How much was said farther down while one was reading farther up."""

from collections.abc import Sequence

from tui_chat.session.lines import Line, MessageLine


class Unseen:
    """Counts messages of others that came after a moment and were not in view since.

    History that is loaded later is older than that moment, and never counts.
    """

    def __init__(self) -> None:
        self._seen_seq = 0
        self.count = 0

    def reset(self, lines: Sequence[Line]) -> None:
        """Everything that is here now is seen."""
        self.count = 0
        self._seen_seq = next((seq for line in reversed(lines) if (seq := _seq(line)) is not None), 0)

    def came(self, lines: Sequence[Line], known: set[str]) -> None:
        """Lines were added, of which those with a known key were only changed."""
        self.count += sum(self._counts(line) and line.key not in known for line in lines)

    def recount(self, lines: Sequence[Line], below: int) -> None:
        """Count again: the lines before index `below` are in view or above it."""
        if not self.count:
            return
        self.count = 0
        for index in range(len(lines) - 1, below - 1, -1):
            line = lines[index]
            seq = _seq(line)
            if seq is not None and seq <= self._seen_seq:
                break
            self.count += self._counts(line)

    def _counts(self, line: Line) -> bool:
        seq = _seq(line)
        return seq is not None and seq > self._seen_seq and isinstance(line, MessageLine) and not line.own


def _seq(line: Line) -> int | None:
    return line.seq if isinstance(line, MessageLine) else None
