"""Which rows of a long list are in view, and what keeps them there.

Rule 1  Heights of lines in view are exact; all others may be estimates. They
        become exact on the way into view.
Rule 2  While the bottom is followed, the last row of the last line is the last
        row in view.
Rule 3  Otherwise the lines in view stay on their rows, whatever is put, taken
        or changes its height elsewhere.
Rule 4  There is no empty row while a line is out of view.

It knows no screen: rows and lines, nothing else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from tui_chat.session.compressed_list import CompressedList
from tui_chat.session.lines import Line, Splice
from tui_chat.ui.timeline.height_index import HeightIndex

_ESTIMATE_SAMPLE_SIZE = 2_000
"""Lines at the end of a new list that are looked at to estimate heights; those before are taken to be as tall."""


@dataclass(frozen=True, slots=True)
class LineExtent:
    """The height of a line.

    Attributes:
        rows: All its rows.
        lead: How many of them stand before its own text.
    """

    rows: int
    leading_rows: int


@dataclass(frozen=True, slots=True)
class VisibleLine:
    """A line in view.

    Attributes:
        index: Its place in the list.
        row: The row of the view on which its own text begins; may be negative.
    """

    index: int
    row: int


class Viewport:
    """A window of `height` rows on a list of lines.

    Attributes:
        lines: The list. Change it by `reset` and `splice` only.
        height: Rows of the window.
        following: The bottom is followed.
        window: For each row in view, from the top: index of its line, row in that line.
    """

    def __init__(self, get_extent: Callable[[int], LineExtent], estimate_rows: Callable[[Line], int]) -> None:
        """A window on nothing.

        Args:
            extent: The exact height of `lines[index]`.
            estimate: About the height in rows of a line.
        """
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
        """Rows of all lines together, partly an estimate."""
        return self._heights.total_rows

    @property
    def rows_above(self) -> int:
        """Rows above the window, partly an estimate."""
        if not self.visible_rows:
            return 0
        index, row = self.visible_rows[0]
        return self._heights.rows_before(index) + row

    @property
    def visible_lines(self) -> Sequence[VisibleLine]:
        """The lines in view, from the top."""
        return self._visible_lines

    @property
    def anchor(self) -> VisibleLine | None:
        """The line that stays on its row: the first that begins in view, or else the one that fills it."""
        return (
            next(
                (visible_line for visible_line in self._visible_lines if visible_line.row >= 0), self._visible_lines[0]
            )
            if self._visible_lines
            else None
        )

    @property
    def visible_range(self) -> range:
        """The indexes of the lines in view."""
        return (
            range(self._visible_lines[0].index, self._visible_lines[-1].index + 1) if self._visible_lines else range(0)
        )

    def reset(self, lines: Iterable[Line]) -> None:
        """Take another list, and follow its bottom."""
        self.lines = lines.copy() if isinstance(lines, CompressedList) else CompressedList(lines)
        sampled_heights = [self._estimate_rows(line) for line in self.lines[-_ESTIMATE_SAMPLE_SIZE:]]
        unsampled_count = len(self.lines) - len(sampled_heights)
        mean_height = round(sum(sampled_heights) / len(sampled_heights)) if unsampled_count else 1
        self._heights = HeightIndex(chain(repeat(mean_height, unsampled_count), sampled_heights))
        self._visible_lines = []
        self.visible_rows = []
        self.is_following = True

    def splice(self, change: Splice) -> None:
        """Apply one change; `settle` afterwards.

        Raises:
            IndexError: The change is not within the list.
        """
        index, removed, lines = change.index, change.removed, change.lines
        if not (0 <= index <= len(self.lines) and 0 <= removed <= len(self.lines) - index):
            raise IndexError(f"cannot replace {removed} at {index} of {len(self.lines)} lines")
        self._visible_lines = self._shift_visible_lines(change)
        self.lines.splice(index, removed, lines)
        self._heights.splice(index, removed, [self._estimate_rows(line) for line in lines])
        self.visible_rows = []

    def _shift_visible_lines(self, change: Splice) -> list[VisibleLine]:
        index, removed, lines = change.index, change.removed, change.lines
        shift = len(lines) - removed
        shifted: list[VisibleLine] = []
        new_indexes = (
            {line.key: index + offset for offset, line in enumerate(lines)} if removed and self._visible_lines else {}
        )
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

    def follow_bottom(self) -> None:
        """Follow the bottom from now on; `settle` afterwards."""
        self.is_following = True

    def place_line(self, index: int, row: int) -> None:
        """Put the text of `lines[index]` on `row` of the window; `settle` afterwards."""
        self.is_following = False
        self._visible_lines = [VisibleLine(index, row)]

    def reveal_line(self, index: int) -> bool:
        """Move no farther than it takes to see all of a line; False if it was in view. `settle` afterwards."""
        if self.height <= 0:
            return False
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
            return False
        is_above = top_row < 0 if top_row is not None else index < self.visible_range.start
        row = 0 if is_above or extent.rows >= self.height else self.height - extent.rows
        self.place_line(index, row + extent.leading_rows)
        return True

    def scroll_by(self, rows: int) -> None:
        """Move down by `rows`, up if negative, counting exact rows; `settle` afterwards."""
        if (anchor := self.anchor) is not None:
            self.place_line(anchor.index, anchor.row - rows)

    def scroll_to(self, row: int) -> None:
        """Move to a row of the whole, as far as heights are known; `settle` afterwards."""
        if self.lines:
            index, row_in_line = self._heights.locate(row)
            self.place_line(index, self._get_extent(index).leading_rows - row_in_line)

    def update(self) -> None:
        """Find the rows in view again, after the list, the window or its place have changed."""
        self.visible_rows = []
        if not self.lines or self.height <= 0:
            if not self.lines:
                self._visible_lines = []
                self.is_following = True
            return
        if not self.is_following and (anchor := self.anchor) is not None:
            top_index, row = self._find_top(anchor)
            end_index, end_row = self._measure_down(top_index, row)
            if end_index < len(self.lines) or end_row > self.height:
                self._fill_rows(top_index, row)
                return
        self.is_following = True
        self._fill_rows(*self._find_top_from_bottom())

    def _find_top(self, anchor: VisibleLine) -> tuple[int, int]:
        """The first line in view and the row of the window on which it begins (not after the first)."""
        index = min(anchor.index, len(self.lines) - 1)
        extent = self._measure(index)
        row = anchor.row - extent.leading_rows
        while row > 0 and index > 0:
            index -= 1
            row -= self._measure(index).rows
        row = min(row, 0)
        while row + (rows := self._measure(index).rows) <= 0 and index < len(self.lines) - 1:
            row += rows
            index += 1
        return index, row

    def _measure_down(self, index: int, row: int) -> tuple[int, int]:
        """Measure downwards: the index after the last line in view, and the row after its last."""
        while row < self.height and index < len(self.lines):
            row += self._measure(index).rows
            index += 1
        return index, row

    def _find_top_from_bottom(self) -> tuple[int, int]:
        index, row = len(self.lines), self.height
        while row > 0 and index > 0:
            index -= 1
            row -= self._measure(index).rows
        return index, min(row, 0)

    def _fill_rows(self, index: int, row: int) -> None:
        self._visible_lines = []
        while row < self.height and index < len(self.lines):
            extent = self._measure(index)
            self._visible_lines.append(VisibleLine(index, row + extent.leading_rows))
            first = max(0, -row)
            last = min(extent.rows, self.height - row)
            self.visible_rows.extend((index, row_in_line) for row_in_line in range(first, last))
            row += extent.rows
            index += 1

    def _measure(self, index: int) -> LineExtent:
        extent = self._get_extent(index)
        self._heights[index] = extent.rows
        return extent
