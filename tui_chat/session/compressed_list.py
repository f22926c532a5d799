"""Memory-efficient list of timeline lines in compressed blocks.

- Equivalence: the content equals the content of a plain list after the same splices.
- Identity: lines of a compressed block are equal but not identical after decompression.
- Cost: a sequential read decompresses each block once, and a small splice only its own blocks.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import overload

from tui_chat.client.sync.compressed_blocks import BLOCK_SIZE, Block, CompressedBlocks
from tui_chat.session.lines import GapLine, Line, MessageLine, NoticeLine, UnreadLine

UNCOMPRESSED_BLOCKS = 12
"""Number of recently used blocks without compression, enough for the visible lines and their surroundings."""


class CompressedList(Sequence[Line]):
    """Sequence of timeline lines, oldest first."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._compressed = CompressedBlocks(list[MessageLine | NoticeLine | GapLine | UnreadLine], UNCOMPRESSED_BLOCKS)
        self._blocks: list[Block[Line]] = []
        self._sizes = array("q")
        self._ends = array("q")  # end index of each block, exclusive
        self._key_hashes: list[array[int]] = []  # line key hashes of each block
        self._cached_block: tuple[int, int, list[Line]] = (0, 0, [])  # start, end and lines of the last read block
        self.splice(0, 0, tuple(lines))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> list[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | list[Line]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        first, end, lines = self._cached_block
        if first <= index < end:
            return lines[index - first]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"index out of range: {len(self)} lines")
        block_index = bisect_right(self._ends, index)
        end = self._ends[block_index]
        first = end - self._sizes[block_index]
        lines = self._compressed.get_items(self._blocks[block_index])
        self._cached_block = (first, end, lines)
        return lines[index - first]

    def __iter__(self) -> Iterator[Line]:
        for block in tuple(self._blocks):
            yield from tuple(self._compressed.get_items(block))

    def splice(self, index: int, removed: int, lines: Sequence[Line]) -> None:
        """Replace `removed` lines at `index` with `lines`.

        The range must exist and is not checked; `removed` 0 inserts, and `index` equal to the length appends.
        """
        self._cached_block = (0, 0, [])
        blocks, end = self._blocks, index + removed
        first = min(bisect_right(self._ends, index), max(0, len(blocks) - 1))
        block_start = self._ends[first - 1] if first else 0
        if blocks and end <= self._ends[first] and self._sizes[first] - removed + len(lines) <= BLOCK_SIZE:
            self._splice_block(first, index - block_start, removed, lines)
            return
        if not blocks:
            self._replace_blocks(0, 0, list(lines))
            return
        last = min(bisect_left(self._ends, end), len(blocks) - 1)
        head = self._compressed.get_items(blocks[first])[: index - block_start]
        tail = self._compressed.get_items(blocks[last])[end - (self._ends[last] - self._sizes[last]) :]
        self._replace_blocks(first, last + 1, [*head, *lines, *tail])

    def copy(self) -> "CompressedList":
        """Return an independent list that shares the compressed data."""
        duplicate = CompressedList()
        duplicate._blocks = [duplicate._compressed.copy_block(block) for block in self._blocks]
        duplicate._sizes, duplicate._ends = self._sizes[:], self._ends[:]
        duplicate._key_hashes = [hashes[:] for hashes in self._key_hashes]
        return duplicate

    def get(self, key: str | None) -> Line | None:
        """Return the line with this key, None for an unknown key or None."""
        index = None if key is None else self.index_of(key)
        return None if index is None else self[index]

    def index_of(self, key: str) -> int | None:
        """Return the index of the line with this key, None for an unknown key."""
        key_hash = hash(key)
        for block_index in range(len(self._blocks) - 1, -1, -1):
            if key_hash in self._key_hashes[block_index]:
                lines = self._compressed.get_items(self._blocks[block_index])
                for offset, line in enumerate(lines):
                    if line.key == key:
                        return self._ends[block_index] - len(lines) + offset
        return None

    def _splice_block(self, block_index: int, offset: int, removed: int, lines: Sequence[Line]) -> None:
        """Splice the lines of one block in place, and remove the block if no line remains."""
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
        """Replace the blocks `first` to `last` (exclusive) with new blocks of `lines`."""
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
