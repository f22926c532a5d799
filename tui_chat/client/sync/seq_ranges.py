"""Set of `seq` numbers as ranges.

- Inclusive: a range contains its first and its last `seq`.
- Disjoint: ranges are ascending, with at least one missing `seq` between neighbors.
"""

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing entries between two known ranges.

    Attributes:
        after: Last `seq` before the gap.
        before: First `seq` after the gap.
    """

    after: int
    before: int

    @property
    def missing_count(self) -> int:
        """Number of missing entries."""
        return self.before - self.after - 1


class SeqRanges:
    """Ordered set of inclusive `seq` ranges."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    @property
    def first(self) -> int:
        """Lowest `seq`, 0 for an empty set."""
        return self._firsts[0] if self._firsts else 0

    @property
    def last(self) -> int:
        """Highest `seq`, 0 for an empty set."""
        return self._lasts[-1] if self._lasts else 0

    def __contains__(self, seq: int) -> bool:
        return self.contains_range(seq, seq)

    def contains_range(self, first: int, last: int) -> bool:
        """Return whether the set contains every `seq` from `first` to `last`."""
        index = bisect_right(self._firsts, first) - 1
        return index >= 0 and self._lasts[index] >= last

    def add(self, first: int, last: int) -> None:
        """Add the range from `first` to `last` and merge adjacent ranges; no effect if `last < first`."""
        if last < first:
            return
        # Ranges with index in [low, high) overlap or touch the new range.
        low = bisect_right(self._lasts, first - 2)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def truncate(self, first: int, before: int | None = None) -> None:
        """Remove every `seq` outside [`first`, `before`); None for no upper bound."""
        remaining = [
            (max(low, first), high if before is None else min(high, before - 1))
            for low, high in self.ranges()
            if high >= first and (before is None or low < before)
        ]
        self._firsts = [low for low, _ in remaining]
        self._lasts = [high for _, high in remaining]

    def gaps(self) -> tuple[Gap, ...]:
        """Return the gaps between the ranges, ascending."""
        return tuple(Gap(last, first) for last, first in zip(self._lasts, self._firsts[1:], strict=False))

    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges as pairs of first and last `seq`, ascending."""
        return tuple(zip(self._firsts, self._lasts, strict=True))
