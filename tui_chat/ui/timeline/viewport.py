"""Visible rows of a long list of lines, independent of any widget.

- Heights: visible lines have exact heights, all others may have estimates. A line is measured before its first display.
- Prefix sums: a sum of heights covers the shorter side of the list, at most 0.2 ms for 20,000 lines.
- Following: in follow mode, the bottom row of the viewport is the last row of the last line.
- Stability: outside follow mode, visible lines keep their viewport rows during insertions, deletions and height changes
  elsewhere.
- No empty rows: the viewport has no empty row while a line exists outside the viewport.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, repeat

from tui_chat.session.compressed_list import CompressedList
from tui_chat.session.lines import Line, Splice

# Number of lines at the end of a new list with individual estimates; earlier lines get their mean.
_ESTIMATE_SAMPLE_SIZE = 2_000


@dataclass(frozen=True, slots=True)
class LineExtent:
    """Height of a line.

    Attributes:
        rows: Total number of rows.
        leading_rows: Number of rows above the text of the line (date, nickname, quote).
    """

    rows: int
    leading_rows: int


@dataclass(frozen=True, slots=True)
class VisibleLine:
    """Position of a line in the viewport.

    Attributes:
        index: Index of the line in the list.
        row: Viewport row of the first row of its text; negative above the viewport.
    """

    index: int
    row: int


class HeightIndex:
    """Sequence of heights in rows with sums over any prefix.

    One array holds the heights, so that a change at the end of the list takes constant time.
    """

    __slots__ = ("_heights", "total_rows")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = array("l", heights)
        self.total_rows = sum(self._heights)

    def __len__(self) -> int:
        return len(self._heights)

    def __setitem__(self, index: int, height: int) -> None:
        self.total_rows += height - self._heights[index]
        self._heights[index] = height

    def rows_before(self, index: int) -> int:
        """Return the first row of the line at `index`, counted from the start of the list."""
        if index < len(self) // 2:
            return sum(self._heights[:index])
        return self.total_rows - sum(self._heights[index:])

    def locate(self, row: int) -> tuple[int, int]:
        """Return the index of the line at a row, counted from 0 and clamped to the list, and the row inside the line.

        Raises:
            IndexError: The index is empty.
        """
        row = max(0, min(row, self.total_rows - 1))
        row_ends = list(accumulate(self._heights))
        index = min(bisect_right(row_ends, row), len(self) - 1)
        return index, row - (row_ends[index - 1] if index else 0)

    def splice(self, index: int, removed: int, heights: Sequence[int]) -> None:
        """Replace `removed` heights at `index` with `heights`."""
        self.total_rows += sum(heights) - sum(self._heights[index : index + removed])
        self._heights[index : index + removed] = array("l", heights)


class Viewport:
    """Viewport of a scrollable list of lines, initially empty.

    After a change of the list, the height or the position, the owner calls `update`.

    Args:
        get_extent: Returns the extent of `lines[index]`.
        estimate_rows: Returns the estimated number of rows of a line.

    Attributes:
        lines: The list; only `reset` and `splice` modify it.
        height: Viewport height in rows.
        is_following: True while the viewport follows the bottom of the list.
        visible_rows: (line index, row inside the line) for each visible row, from top to bottom.
    """

    def __init__(self, get_extent: Callable[[int], LineExtent], estimate_rows: Callable[[Line], int]) -> None:
        self._get_extent = get_extent
        self._estimate_rows = estimate_rows
        self._heights = HeightIndex()
        self._visible_lines: list[VisibleLine] = []
        self.lines = CompressedList()
        self.height = 0
        self.is_following = True
        self.visible_rows: list[tuple[int, int]] = []

    @property
    def total_rows(self) -> int:
        """Number of rows in the list; may include estimates."""
        return self._heights.total_rows

    @property
    def rows_above(self) -> int:
        """Number of rows between the start of the list and the viewport; may include estimates."""
        if not self.visible_rows:
            return 0
        index, row = self.visible_rows[0]
        return self._heights.rows_before(index) + row

    @property
    def anchor(self) -> VisibleLine | None:
        """Line that keeps its viewport row: the first whose text starts in the viewport, else the first visible line.

        None without visible lines.
        """
        return (
            next(
                (visible_line for visible_line in self._visible_lines if visible_line.row >= 0), self._visible_lines[0]
            )
            if self._visible_lines
            else None
        )

    @property
    def visible_range(self) -> range:
        """Index range of the visible lines, empty without any."""
        return (
            range(self._visible_lines[0].index, self._visible_lines[-1].index + 1) if self._visible_lines else range(0)
        )

    def reset(self, lines: Iterable[Line]) -> None:
        """Replace the list and enable follow mode."""
        self.lines = lines.copy() if isinstance(lines, CompressedList) else CompressedList(lines)
        sampled_heights = [self._estimate_rows(line) for line in self.lines[-_ESTIMATE_SAMPLE_SIZE:]]
        unsampled_count = len(self.lines) - len(sampled_heights)
        mean_height = round(sum(sampled_heights) / len(sampled_heights)) if unsampled_count else 1
        self._heights = HeightIndex(chain(repeat(mean_height, unsampled_count), sampled_heights))
        self._visible_lines = []
        self.visible_rows = []
        self.is_following = True

    def splice(self, change: Splice) -> None:
        """Apply a splice and clear `visible_rows`.

        A removed line with the key of a new line counts as replaced and keeps its viewport row.

        Raises:
            IndexError: The splice exceeds the list.
        """
        index, removed, lines = change.index, change.removed, change.lines
        if not (0 <= index <= len(self.lines) and 0 <= removed <= len(self.lines) - index):
            raise IndexError(f"splice of {removed} lines at index {index} exceeds the list of {len(self.lines)} lines")
        self._visible_lines = self._shift_visible_lines(change)
        self.lines.splice(index, removed, lines)
        self._heights.splice(index, removed, [self._estimate_rows(line) for line in lines])
        self.visible_rows = []

    def _shift_visible_lines(self, change: Splice) -> list[VisibleLine]:
        """Return the visible lines with their indexes after a splice; if all are removed, one line at the splice."""
        index, removed, shift = change.index, change.removed, len(change.lines) - change.removed
        shifted: list[VisibleLine] = []
        new_lines = enumerate(change.lines, index) if removed and self._visible_lines else ()
        new_indexes = {line.key: line_index for line_index, line in new_lines}
        for visible_line in self._visible_lines:
            if visible_line.index < index:
                shifted.append(visible_line)
            elif visible_line.index >= index + removed:
                shifted.append(VisibleLine(visible_line.index + shift, visible_line.row))
            elif (new_index := new_indexes.get(self.lines[visible_line.index].key)) is not None:
                shifted.append(VisibleLine(new_index, visible_line.row))
        if not shifted and self._visible_lines:
            shifted.append(VisibleLine(max(0, min(index, len(self.lines) + shift - 1)), self._visible_lines[0].row))
        return shifted

    def place_line(self, index: int, row: int) -> None:
        """Place the text of `lines[index]` on viewport row `row` and disable follow mode."""
        self.is_following = False
        self._visible_lines = [VisibleLine(index, row)]

    def reveal_line(self, index: int) -> None:
        """Scroll the minimum distance that shows a line completely.

        A line as tall as the viewport or taller is aligned with the top. Scrolling disables follow mode. No effect on a
        complete line and without viewport rows.
        """
        if self.height <= 0:
            return
        extent = self._get_extent(index)
        top_row = next(
            (
                visible_line.row - extent.leading_rows
                for visible_line in self._visible_lines
                if visible_line.index == index
            ),
            None,
        )
        if top_row is not None and top_row >= 0 and top_row + extent.rows <= self.height:
            return
        is_above = top_row < 0 if top_row is not None else index < self.visible_range.start
        row = 0 if is_above or extent.rows >= self.height else self.height - extent.rows
        self.place_line(index, row + extent.leading_rows)

    def scroll_by(self, rows: int) -> None:
        """Scroll by an exact number of rows, down if positive, and disable follow mode.

        No effect without visible lines.
        """
        if (anchor := self.anchor) is not None:
            self.place_line(anchor.index, anchor.row - rows)

    def scroll_to(self, row: int) -> None:
        """Scroll to an absolute row, by partly estimated heights, and disable follow mode.

        A row outside the list is limited to the list. No effect on an empty list.
        """
        if self.lines:
            index, row_in_line = self._heights.locate(row)
            self.place_line(index, self._get_extent(index).leading_rows - row_in_line)

    def update(self) -> None:
        """Recompute the visible rows after a change of list, viewport height or position.

        Follow mode starts if the list is empty or its last row is in view. A height of 0 gives no visible rows.
        """
        self.visible_rows = []
        if not self.lines:
            self._visible_lines = []
            self.is_following = True
        if not self.lines or self.height <= 0:
            return
        if not self.is_following and (anchor := self.anchor) is not None:
            end_row = self._fill_rows(*self._find_top(anchor))
            if self.visible_range.stop < len(self.lines) or end_row > self.height:
                return
        self.is_following = True
        self._fill_rows(*self._find_top_from_bottom())

    def _find_top(self, anchor: VisibleLine) -> tuple[int, int]:
        """Return the index of the first visible line and its start row in the viewport, at most 0."""
        index = min(anchor.index, len(self.lines) - 1)
        row = anchor.row - self._measure(index).leading_rows
        while row > 0 and index > 0:
            index -= 1
            row -= self._measure(index).rows
        row = min(row, 0)
        while row + (rows := self._measure(index).rows) <= 0 and index < len(self.lines) - 1:
            row += rows
            index += 1
        return index, row

    def _find_top_from_bottom(self) -> tuple[int, int]:
        """Return the result of `_find_top` for a view that ends with the last row of the list."""
        index, row = len(self.lines), self.height
        while row > 0 and index > 0:
            index -= 1
            row -= self._measure(index).rows
        return index, min(row, 0)

    def _fill_rows(self, index: int, row: int) -> int:
        """Fill the viewport from the line at `index`, which starts in `row`; return the end row of the last line."""
        self._visible_lines, self.visible_rows = [], []
        while row < self.height and index < len(self.lines):
            extent = self._measure(index)
            self._visible_lines.append(VisibleLine(index, row + extent.leading_rows))
            self.visible_rows.extend(
                (index, row_in_line) for row_in_line in range(max(0, -row), min(extent.rows, self.height - row))
            )
            row += extent.rows
            index += 1
        return row

    def _measure(self, index: int) -> LineExtent:
        """Return the extent of a line, and replace its estimated height."""
        extent = self._get_extent(index)
        self._heights[index] = extent.rows
        return extent
