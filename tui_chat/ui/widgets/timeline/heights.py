"""How tall each line is, and which line a row belongs to.

Rule 1  The heights stand in blocks of about `BLOCK`. Of each block the sum is kept, and
        up to each block's end how many lines and how many rows there are.
Rule 2  A change rewrites the blocks that it touches and what is kept of those after
        them: some hundred numbers for a hundred thousand lines, wherever it is.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

BLOCK = 256


class Heights:
    """A list of heights in rows with sums of any beginning of it."""

    __slots__ = ("_blocks", "_ends", "_rows", "_sums")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._blocks: list[array[int]] = []
        self._sums: list[int] = []
        self._ends = array("q")  # of each block, the index after its last line
        self._rows = array("q")  # the rows up to there
        self._replace(0, 0, array("q", heights))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> int:
        number = bisect_right(self._ends, index)
        return self._blocks[number][index - self._begin(number)]

    def __setitem__(self, index: int, height: int) -> None:
        number = bisect_right(self._ends, index)
        block, place = self._blocks[number], index - self._begin(number)
        difference = height - block[place]
        if not difference:
            return
        block[place] = height
        self._sums[number] += difference
        for later in range(number, len(self._rows)):
            self._rows[later] += difference

    @property
    def total(self) -> int:
        """The sum of all heights."""
        return self._rows[-1] if self._rows else 0

    def before(self, index: int) -> int:
        """The sum of the heights before `index`: the row on which that line begins."""
        number = bisect_right(self._ends, index)
        rows = self._rows[number - 1] if number else 0
        if number < len(self._blocks):
            rows += sum(self._blocks[number][: index - self._begin(number)])
        return rows

    def find(self, row: int) -> tuple[int, int]:
        """The line that covers `row`, and how many of its rows are before it.

        Args:
            row: Counted from 0; outside the list the nearest row is taken.

        Raises:
            IndexError: The list is empty.
        """
        if not self._blocks:
            raise IndexError("no heights")
        row = max(0, min(row, self.total - 1))
        number = min(bisect_right(self._rows, row), len(self._blocks) - 1)
        row -= self._rows[number - 1] if number else 0
        index = self._begin(number)
        for height in self._blocks[number]:
            if row < height:
                break
            row -= height
            index += 1
        return index, row

    def splice(self, index: int, removed: int, heights: Sequence[int]) -> None:
        """At `index` take `removed` heights away and put `heights`."""
        if removed == len(heights) and removed <= 8:
            for offset, height in enumerate(heights):
                self[index + offset] = height
            return
        new = array("q", heights)
        if not self._blocks:
            self._replace(0, 0, new)
            return
        end, newest = index + removed, len(self._blocks) - 1
        first = min(bisect_right(self._ends, index), newest)
        last = min(bisect_left(self._ends, end), newest)
        before = self._blocks[first][: index - self._begin(first)]
        after = self._blocks[last][end - self._begin(last) :]
        self._replace(first, last + 1, before + new + after)

    def _begin(self, number: int) -> int:
        return self._ends[number - 1] if number else 0

    def _replace(self, first: int, last: int, heights: "array[int]") -> None:
        """These heights stand in the place of the blocks from `first` to before `last`."""
        blocks = [heights[start : start + BLOCK] for start in range(0, len(heights), BLOCK)]
        self._blocks[first:last] = blocks
        self._sums[first:last] = map(sum, blocks)
        rows = self._rows[first - 1] if first else 0
        sizes = map(len, self._blocks[first:])
        self._ends[first:] = array("q", list(accumulate(sizes, initial=self._begin(first)))[1:])
        self._rows[first:] = array("q", list(accumulate(self._sums[first:], initial=rows))[1:])
