"""A list of lines that may be very long, in little memory.

Rule 1  It holds what a list would after the same splices.
Rule 2  Lines that were not looked at of late are packed (`Packing`); one that was
        comes back equal, but as another object.
Rule 3  Reading one line after the other costs little, changing a few lines costs the
        same wherever they are, and neither depends on how many there are.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import overload

from tui_chat.client.packing import BLOCK_SIZE, Block, CompressedBlocks
from tui_chat.session.lines import GapLine, Line, MessageLine, NoticeLine, UnreadLine

UNPACKED = 12
"""Blocks that are not packed: more than the lines in view and around it."""


class LongList(Sequence[Line]):
    """The lines of a timeline, oldest first."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._packing = CompressedBlocks(list[MessageLine | NoticeLine | GapLine | UnreadLine], UNPACKED)
        self._blocks: list[Block[Line]] = []
        self._sizes = array("q")
        self._ends = array("q")  # of each block, the index after its last line
        self._marks: list[array[int]] = []  # of each block, a hash of each line's key
        self._near: tuple[int, int, list[Line]] = (0, 0, [])  # a block that was just used: from, to, its lines
        self.splice(0, 0, tuple(lines))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> list[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | list[Line]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        first, end, lines = self._near
        if first <= index < end:
            return lines[index - first]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} lines")
        number = bisect_right(self._ends, index)
        end = self._ends[number]
        first = end - self._sizes[number]
        lines = self._packing.get_items(self._blocks[number])
        self._near = (first, end, lines)
        return lines[index - first]

    def __iter__(self) -> Iterator[Line]:
        for block in tuple(self._blocks):
            yield from tuple(self._packing.get_items(block))

    def splice(self, index: int, removed: int, lines: Sequence[Line]) -> None:
        """At `index`, take `removed` lines away and put `lines`."""
        self._near = (0, 0, [])
        blocks, end = self._blocks, index + removed
        first = min(bisect_right(self._ends, index), max(0, len(blocks) - 1))
        begin = self._ends[first - 1] if first else 0
        if blocks and end <= self._ends[first] and self._sizes[first] - removed + len(lines) <= BLOCK_SIZE:
            self._change(first, index - begin, removed, lines)
            return
        last = first
        kept: list[Line] = []
        if blocks:
            kept += self._packing.get_items(blocks[first])[: index - begin]
            last = min(bisect_left(self._ends, end), len(blocks) - 1)
            kept += lines
            kept += self._packing.get_items(blocks[last])[end - (self._ends[last] - self._sizes[last]) :]
            last += 1
        else:
            kept += lines
        self._replace(first, last, kept)

    def copy(self) -> "LongList":
        """The same lines in another list; costs little, as what is packed is shared."""
        other = LongList()
        other._blocks = [other._packing.copy_block(block) for block in self._blocks]
        other._sizes, other._ends = self._sizes[:], self._ends[:]
        other._marks = [marks[:] for marks in self._marks]
        return other

    def of(self, key: str | None) -> Line | None:
        """The line with this key, None if there is none."""
        index = None if key is None else self.find(key)
        return None if index is None else self[index]

    def find(self, key: str) -> int | None:
        """The index of the line with this key, None if there is none."""
        mark = hash(key)
        for number in range(len(self._blocks) - 1, -1, -1):
            if mark in self._marks[number]:
                lines = self._packing.get_items(self._blocks[number])
                for place, line in enumerate(lines):
                    if line.key == key:
                        return self._ends[number] - len(lines) + place
        return None

    def _change(self, number: int, place: int, removed: int, lines: Sequence[Line]) -> None:
        """Change lines within a block."""
        self._packing.get_items(self._blocks[number])[place : place + removed] = lines
        self._marks[number][place : place + removed] = _marks(lines)
        more = len(lines) - removed
        if more:
            self._sizes[number] += more
            for later in range(number, len(self._ends)):
                self._ends[later] += more
            if not self._sizes[number]:
                self._replace(number, number + 1, [])

    def _replace(self, first: int, last: int, lines: list[Line]) -> None:
        """These lines stand in the place of the blocks from `first` to before `last`."""
        for block in self._blocks[first:last]:
            self._packing.discard(block)
        pieces = [lines[start : start + BLOCK_SIZE] for start in range(0, len(lines), BLOCK_SIZE)]
        self._sizes[first:last] = array("q", map(len, pieces))
        self._marks[first:last] = map(_marks, pieces)
        self._blocks[first:last] = map(self._packing.create_block, pieces)
        before = self._ends[first - 1] if first else 0
        self._ends[first:] = array("q", list(accumulate(self._sizes[first:], initial=before))[1:])


def _marks(lines: Sequence[Line]) -> "array[int]":
    return array("q", [hash(line.key) for line in lines])
