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

from tui_chat.session.lines import Line, Splice
from tui_chat.session.long_list import CompressedList
from tui_chat.ui.widgets.timeline.heights import Heights

_LOOKED_AT = 2_000
"""Lines at the end of a new list that are looked at to estimate heights; those before are taken to be as tall."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The height of a line.

    Attributes:
        rows: All its rows.
        lead: How many of them stand before its own text.
    """

    rows: int
    lead: int


@dataclass(frozen=True, slots=True)
class Placed:
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

    def __init__(self, extent: Callable[[int], Extent], estimate: Callable[[Line], int]) -> None:
        """A window on nothing.

        Args:
            extent: The exact height of `lines[index]`.
            estimate: About the height in rows of a line.
        """
        self._extent = extent
        self._estimate = estimate
        self._heights = Heights()
        self._placed: list[Placed] = []
        self.lines = CompressedList()
        self.height = 0
        self.following = True
        self.window: list[tuple[int, int]] = []

    @property
    def rows(self) -> int:
        """Rows of all lines together, partly an estimate."""
        return self._heights.total

    @property
    def above(self) -> int:
        """Rows above the window, partly an estimate."""
        if not self.window:
            return 0
        index, row = self.window[0]
        return self._heights.before(index) + row

    @property
    def placed(self) -> Sequence[Placed]:
        """The lines in view, from the top."""
        return self._placed

    @property
    def anchor(self) -> Placed | None:
        """The line that stays on its row: the first that begins in view, or else the one that fills it."""
        return next((placed for placed in self._placed if placed.row >= 0), self._placed[0]) if self._placed else None

    @property
    def visible(self) -> range:
        """The indexes of the lines in view."""
        return range(self._placed[0].index, self._placed[-1].index + 1) if self._placed else range(0)

    def reset(self, lines: Iterable[Line]) -> None:
        """Take another list, and follow its bottom."""
        self.lines = lines.copy() if isinstance(lines, CompressedList) else CompressedList(lines)
        known = [self._estimate(line) for line in self.lines[-_LOOKED_AT:]]
        others = len(self.lines) - len(known)
        usual = round(sum(known) / len(known)) if others else 1
        self._heights = Heights(chain(repeat(usual, others), known))
        self._placed = []
        self.window = []
        self.following = True

    def splice(self, change: Splice) -> None:
        """Apply one change; `settle` afterwards.

        Raises:
            IndexError: The change is not within the list.
        """
        index, removed, lines = change.index, change.removed, change.lines
        if not (0 <= index <= len(self.lines) and 0 <= removed <= len(self.lines) - index):
            raise IndexError(f"cannot replace {removed} at {index} of {len(self.lines)} lines")
        self._placed = self._places_after(change)
        self.lines.splice(index, removed, lines)
        self._heights.splice(index, removed, [self._estimate(line) for line in lines])
        self.window = []

    def _places_after(self, change: Splice) -> list[Placed]:
        index, removed, lines = change.index, change.removed, change.lines
        shift = len(lines) - removed
        kept: list[Placed] = []
        now = {line.key: index + place for place, line in enumerate(lines)} if removed and self._placed else {}
        for placed in self._placed:
            if placed.index < index:
                kept.append(placed)
            elif placed.index >= index + removed:
                kept.append(Placed(placed.index + shift, placed.row))
            elif (same := now.get(self.lines[placed.index].key)) is not None:
                kept.append(Placed(same, placed.row))
        if not kept and self._placed:
            kept.append(Placed(max(0, min(index, len(self.lines) + shift - 1)), self._placed[0].row))
        return kept

    def follow(self) -> None:
        """Follow the bottom from now on; `settle` afterwards."""
        self.following = True

    def place(self, index: int, row: int) -> None:
        """Put the text of `lines[index]` on `row` of the window; `settle` afterwards."""
        self.following = False
        self._placed = [Placed(index, row)]

    def reveal(self, index: int) -> bool:
        """Move no farther than it takes to see all of a line; False if it was in view. `settle` afterwards."""
        if self.height <= 0:
            return False
        extent = self._extent(index)
        top = next((placed.row - extent.lead for placed in self._placed if placed.index == index), None)
        if top is not None and top >= 0 and top + extent.rows <= self.height:
            return False
        above = top < 0 if top is not None else index < self.visible.start
        row = 0 if above or extent.rows >= self.height else self.height - extent.rows
        self.place(index, row + extent.lead)
        return True

    def scroll_by(self, rows: int) -> None:
        """Move down by `rows`, up if negative, counting exact rows; `settle` afterwards."""
        if (anchor := self.anchor) is not None:
            self.place(anchor.index, anchor.row - rows)

    def scroll_to(self, row: int) -> None:
        """Move to a row of the whole, as far as heights are known; `settle` afterwards."""
        if self.lines:
            index, within = self._heights.find(row)
            self.place(index, self._extent(index).lead - within)

    def settle(self) -> None:
        """Find the rows in view again, after the list, the window or its place have changed."""
        self.window = []
        if not self.lines or self.height <= 0:
            if not self.lines:
                self._placed = []
                self.following = True
            return
        if not self.following and (anchor := self.anchor) is not None:
            top, row = self._top(anchor)
            end, below = self._fill(top, row)
            if end < len(self.lines) or below > self.height:
                self._show(top, row)
                return
        self.following = True
        self._show(*self._top_of_bottom())

    def _top(self, anchor: Placed) -> tuple[int, int]:
        """The first line in view and the row of the window on which it begins (not after the first)."""
        index = min(anchor.index, len(self.lines) - 1)
        extent = self._measure(index)
        row = anchor.row - extent.lead
        while row > 0 and index > 0:
            index -= 1
            row -= self._measure(index).rows
        row = min(row, 0)
        while row + (rows := self._measure(index).rows) <= 0 and index < len(self.lines) - 1:
            row += rows
            index += 1
        return index, row

    def _fill(self, index: int, row: int) -> tuple[int, int]:
        """Measure downwards: the index after the last line in view, and the row after its last."""
        while row < self.height and index < len(self.lines):
            row += self._measure(index).rows
            index += 1
        return index, row

    def _top_of_bottom(self) -> tuple[int, int]:
        index, row = len(self.lines), self.height
        while row > 0 and index > 0:
            index -= 1
            row -= self._measure(index).rows
        return index, min(row, 0)

    def _show(self, index: int, row: int) -> None:
        self._placed = []
        while row < self.height and index < len(self.lines):
            extent = self._measure(index)
            self._placed.append(Placed(index, row + extent.lead))
            first = max(0, -row)
            last = min(extent.rows, self.height - row)
            self.window.extend((index, within) for within in range(first, last))
            row += extent.rows
            index += 1

    def _measure(self, index: int) -> Extent:
        extent = self._extent(index)
        self._heights[index] = extent.rows
        return extent
