"""How tall each line is, and which line a row belongs to.

Rule 1  `tree[i]` (counted from 1) is the sum of the `i & -i` heights that end
        with the i-th: P. M. Fenwick, "A new data structure for cumulative
        frequency tables", 1994.
Rule 2  An entry rests on nothing after it, so a change at `index` rebuilds
        only the entries from `index` on.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub


class Heights:
    """A list of heights in rows with sums of any beginning of it in O(log n)."""

    __slots__ = ("_heights", "_tree")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = array("q", heights)
        self._tree = array("q")
        self._rebuild_from(0)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __setitem__(self, index: int, height: int) -> None:
        difference = height - self._heights[index]
        if not difference:
            return
        self._heights[index] = height
        tree = self._tree
        node = index + 1
        while node < len(tree):
            tree[node] += difference
            node += node & -node

    @property
    def total(self) -> int:
        """The sum of all heights."""
        return self.before(len(self._heights))

    def before(self, index: int) -> int:
        """The sum of the heights before `index`: the row on which that line begins."""
        tree = self._tree
        rows = 0
        while index:
            rows += tree[index]
            index &= index - 1
        return rows

    def find(self, row: int) -> tuple[int, int]:
        """The line that covers `row`, and how many of its rows are before it.

        Args:
            row: Counted from 0; outside the list the nearest row is taken.

        Raises:
            IndexError: The list is empty.
        """
        if not self._heights:
            raise IndexError("no heights")
        row = max(0, min(row, self.total - 1))
        tree = self._tree
        size = len(self._heights)
        index = 0
        step = 1 << (size.bit_length() - 1)
        while step:
            beyond = index + step
            if beyond <= size and tree[beyond] <= row:
                index = beyond
                row -= tree[beyond]
            step >>= 1
        return index, row

    def splice(self, index: int, removed: int, heights: Sequence[int]) -> None:
        """At `index` take `removed` heights away and put `heights`: O(heights after `index`)."""
        if removed == len(heights) and removed <= 8:
            for offset, height in enumerate(heights):
                self[index + offset] = height
            return
        self._heights[index : index + removed] = array("q", heights)
        self._rebuild_from(index)

    def _rebuild_from(self, index: int) -> None:
        heights = self._heights
        size = len(heights)
        if size - index <= max(64, size // 8):
            self._append_from(index)
            return
        # Every level of the tree is one difference of two strided slices of the
        # running sums, which the interpreter does without a loop of its own.
        sums = array("q", accumulate(heights, initial=0))
        tree = array("q", bytes(8 * (size + 1)))
        span = 1
        while span <= size:
            double = 2 * span
            tree[span::double] = array("q", map(sub, sums[span::double], sums[0 : size + 1 - span : double]))
            span = double
        self._tree = tree

    def _append_from(self, index: int) -> None:
        heights = self._heights
        tree = self._tree
        if not tree:
            tree.append(0)
        del tree[index + 1 :]
        for node in range(index + 1, len(heights) + 1):
            rows = heights[node - 1]
            child = node - 1
            end = node - (node & -node)
            while child > end:
                rows += tree[child]
                child &= child - 1
            tree.append(rows)
