"""Which stretches of a room's log are known.

Rule 1  A span holds every `seq` from its first to its last, both included.
Rule 2  Spans are ascending, and between two of them at least one `seq` is missing.
"""

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries that exist and are not here.

    Attributes:
        after: The `seq` before the first missing one.
        before: The `seq` after the last missing one.
    """

    after: int
    before: int

    @property
    def missing_count(self) -> int:
        """How many entries are missing."""
        return self.before - self.after - 1


class SeqRanges:
    """A set of `seq` numbers, kept as the stretches it consists of."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._firsts)

    @property
    def first(self) -> int:
        """The lowest `seq`; there must be one."""
        return self._firsts[0]

    @property
    def last(self) -> int:
        """The highest `seq`, 0 while there is none."""
        return self._lasts[-1] if self._lasts else 0

    def __contains__(self, seq: int) -> bool:
        return self.contains_range(seq, seq)

    def contains_range(self, first: int, last: int) -> bool:
        """Whether every `seq` from `first` to `last` is known."""
        if not self._firsts:
            return False
        index = len(self._firsts) - 1 if first >= self._firsts[-1] else bisect_right(self._firsts, first) - 1
        return index >= 0 and self._lasts[index] >= last

    def append(self, seq: int) -> None:
        """`last + 1` is known too."""
        if self._lasts:
            self._lasts[-1] = seq
        else:
            self.add(seq, seq)

    def add(self, first: int, last: int) -> None:
        """Everything from `first` to `last` is known; what it touches becomes one span with it."""
        if last < first:
            return
        # The spans from `low` up to `high` overlap [first - 1, last + 1].
        low = bisect_right(self._lasts, first - 2)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def truncate(self, first: int, before: int | None = None) -> None:
        """Forget what is not in `first` up to (not including) `before`."""
        remaining = [
            (max(low, first), high if before is None else min(high, before - 1))
            for low, high in self.ranges()
            if high >= first and (before is None or low < before)
        ]
        self._firsts = [low for low, _ in remaining]
        self._lasts = [high for _, high in remaining]

    def gaps(self) -> tuple[Gap, ...]:
        """What is missing between the spans, ascending."""
        return tuple(Gap(last, first) for last, first in zip(self._lasts, self._firsts[1:], strict=False))

    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The first and last `seq` of each span, ascending."""
        return tuple(zip(self._firsts, self._lasts, strict=True))
