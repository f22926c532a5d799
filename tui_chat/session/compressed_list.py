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

from tui_chat.client.sync.compressed_blocks import BLOCK_SIZE, Block, CompressedBlocks
from tui_chat.session.lines import GapLine, Line, MessageLine, NoticeLine, UnreadLine

UNCOMPRESSED_BLOCKS = 12
"""Blocks that are not packed: more than the lines in view and around it."""


class CompressedList(Sequence[Line]):
    """The lines of a timeline, oldest first."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._compressed = CompressedBlocks(list[MessageLine | NoticeLine | GapLine | UnreadLine], UNCOMPRESSED_BLOCKS)
        self._blocks: list[Block[Line]] = []
        self._sizes = array("q")
        self._ends = array("q")  # of each block, the index after its last line
        self._key_hashes: list[array[int]] = []  # of each block, a hash of each line's key
        self._cached_block: tuple[int, int, list[Line]] = (0, 0, [])  # a block that was just used: from, to, its lines
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
        first, end, lines = self._cached_block
        if first <= index < end:
            return lines[index - first]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} lines")
        number = bisect_right(self._ends, index)
        end = self._ends[number]
        first = end - self._sizes[number]
        lines = self._compressed.get_items(self._blocks[number])
        self._cached_block = (first, end, lines)
        return lines[index - first]

    def __iter__(self) -> Iterator[Line]:
        for block in tuple(self._blocks):
            yield from tuple(self._compressed.get_items(block))

    def splice(self, index: int, removed: int, lines: Sequence[Line]) -> None:
        """At `index`, take `removed` lines away and put `lines`."""
        self._cached_block = (0, 0, [])
        blocks, end = self._blocks, index + removed
        first = min(bisect_right(self._ends, index), max(0, len(blocks) - 1))
        block_start = self._ends[first - 1] if first else 0
        if blocks and end <= self._ends[first] and self._sizes[first] - removed + len(lines) <= BLOCK_SIZE:
            self._splice_block(first, index - block_start, removed, lines)
            return
        last = first
        merged: list[Line] = []
        if blocks:
            merged += self._compressed.get_items(blocks[first])[: index - block_start]
            last = min(bisect_left(self._ends, end), len(blocks) - 1)
            merged += lines
            merged += self._compressed.get_items(blocks[last])[end - (self._ends[last] - self._sizes[last]) :]
            last += 1
        else:
            merged += lines
        self._replace_blocks(first, last, merged)

    def copy(self) -> "CompressedList":
        """The same lines in another list; costs little, as what is packed is shared."""
        other = CompressedList()
        other._blocks = [other._compressed.copy_block(block) for block in self._blocks]
        other._sizes, other._ends = self._sizes[:], self._ends[:]
        other._key_hashes = [hashes[:] for hashes in self._key_hashes]
        return other

    def get(self, key: str | None) -> Line | None:
        """The line with this key, None if there is none."""
        index = None if key is None else self.index_of(key)
        return None if index is None else self[index]

    def index_of(self, key: str) -> int | None:
        """The index of the line with this key, None if there is none."""
        key_hash = hash(key)
        for block_index in range(len(self._blocks) - 1, -1, -1):
            if key_hash in self._key_hashes[block_index]:
                lines = self._compressed.get_items(self._blocks[block_index])
                for offset, line in enumerate(lines):
                    if line.key == key:
                        return self._ends[block_index] - len(lines) + offset
        return None

    def _splice_block(self, block_index: int, offset: int, removed: int, lines: Sequence[Line]) -> None:
        """Change lines within a block."""
        self._compressed.get_items(self._blocks[block_index])[offset : offset + removed] = lines
        self._key_hashes[block_index][offset : offset + removed] = _hash_keys(lines)
        growth = len(lines) - removed
        if growth:
            self._sizes[block_index] += growth
            for later_index in range(block_index, len(self._ends)):
                self._ends[later_index] += growth
            if not self._sizes[block_index]:
                self._replace_blocks(block_index, block_index + 1, [])

    def _replace_blocks(self, first: int, last: int, lines: list[Line]) -> None:
        """These lines stand in the place of the blocks from `first` to before `last`."""
        for block in self._blocks[first:last]:
            self._compressed.discard(block)
        chunks = [lines[start : start + BLOCK_SIZE] for start in range(0, len(lines), BLOCK_SIZE)]
        self._sizes[first:last] = array("q", map(len, chunks))
        self._key_hashes[first:last] = map(_hash_keys, chunks)
        self._blocks[first:last] = map(self._compressed.create_block, chunks)
        start_index = self._ends[first - 1] if first else 0
        self._ends[first:] = array("q", list(accumulate(self._sizes[first:], initial=start_index))[1:])


def _hash_keys(lines: Sequence[Line]) -> "array[int]":
    return array("q", [hash(line.key) for line in lines])
