"""Index of line heights with prefix sums.

- Storage: heights form blocks of `BLOCK_SIZE`, and each block has a row sum and the cumulative line and row counts at
  the end of the block.
- Update cost: a change rebuilds the affected blocks and the cumulative counts after them, some 400 integers for a
  list of 100 000 lines.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

BLOCK_SIZE = 256


class HeightIndex:
    """Sequence of heights in rows with fast sums over any prefix."""

    __slots__ = ("_block_ends", "_block_rows", "_blocks", "_row_ends")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._blocks: list[array[int]] = []
        self._block_rows: list[int] = []
        self._block_ends = array("q")  # cumulative line count at the end of each block
        self._row_ends = array("q")  # cumulative row count at the end of each block
        self._replace_blocks(0, 0, array("q", heights))

    def __len__(self) -> int:
        return self._block_ends[-1] if self._block_ends else 0

    def __getitem__(self, index: int) -> int:
        block_index = bisect_right(self._block_ends, index)
        return self._blocks[block_index][index - self._block_start(block_index)]

    def __setitem__(self, index: int, height: int) -> None:
        block_index = bisect_right(self._block_ends, index)
        block, offset = self._blocks[block_index], index - self._block_start(block_index)
        delta = height - block[offset]
        if not delta:
            return
        block[offset] = height
        self._block_rows[block_index] += delta
        for following in range(block_index, len(self._row_ends)):
            self._row_ends[following] += delta

    @property
    def total_rows(self) -> int:
        """Sum of all heights in rows."""
        return self._row_ends[-1] if self._row_ends else 0

    def rows_before(self, index: int) -> int:
        """Return the first row of the line at `index`, counted from the start of the list."""
        block_index = bisect_right(self._block_ends, index)
        rows = self._row_ends[block_index - 1] if block_index else 0
        if block_index < len(self._blocks):
            rows += sum(self._blocks[block_index][: index - self._block_start(block_index)])
        return rows

    def locate(self, row: int) -> tuple[int, int]:
        """Return the index of the line at `row` and the offset of `row` inside the line.

        Args:
            row: 0-based row, clamped to the list.

        Raises:
            IndexError: The index is empty.
        """
        if not self._blocks:
            raise IndexError("the height index is empty")
        row = max(0, min(row, self.total_rows - 1))
        block_index = min(bisect_right(self._row_ends, row), len(self._blocks) - 1)
        row -= self._row_ends[block_index - 1] if block_index else 0
        index = self._block_start(block_index)
        for height in self._blocks[block_index]:
            if row < height:
                break
            row -= height
            index += 1
        return index, row

    def splice(self, index: int, removed: int, heights: Sequence[int]) -> None:
        """Replace `removed` heights at `index` with `heights`."""
        if removed == len(heights) and removed <= 8:
            for offset, height in enumerate(heights):
                self[index + offset] = height
            return
        inserted = array("q", heights)
        if not self._blocks:
            self._replace_blocks(0, 0, inserted)
            return
        end, last_block = index + removed, len(self._blocks) - 1
        first_touched = min(bisect_right(self._block_ends, index), last_block)
        last_touched = min(bisect_left(self._block_ends, end), last_block)
        prefix = self._blocks[first_touched][: index - self._block_start(first_touched)]
        suffix = self._blocks[last_touched][end - self._block_start(last_touched) :]
        self._replace_blocks(first_touched, last_touched + 1, prefix + inserted + suffix)

    def _block_start(self, block_index: int) -> int:
        return self._block_ends[block_index - 1] if block_index else 0

    def _replace_blocks(self, first: int, last: int, heights: "array[int]") -> None:
        """Replace the blocks in the range [first, last) with blocks of `heights`."""
        blocks = [heights[start : start + BLOCK_SIZE] for start in range(0, len(heights), BLOCK_SIZE)]
        self._blocks[first:last] = blocks
        self._block_rows[first:last] = map(sum, blocks)
        preceding_rows = self._row_ends[first - 1] if first else 0
        block_sizes = map(len, self._blocks[first:])
        self._block_ends[first:] = array("q", list(accumulate(block_sizes, initial=self._block_start(first)))[1:])
        self._row_ends[first:] = array("q", list(accumulate(self._block_rows[first:], initial=preceding_rows))[1:])
