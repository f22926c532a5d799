"""Lists in blocks, of which only the most recently used are decompressed.

A message in memory consists of a dozen objects. In a compressed block, a message takes a few dozen bytes and adds no
objects for the garbage collector. Decompression takes 0.1 ms per block.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar
from zlib import compress, decompress

import msgspec
from msgspec import Struct

ItemT = TypeVar("ItemT")

BLOCK_SIZE = 256
"""Maximum number of items in a block."""


class Block(Struct, Generic[ItemT], eq=False):
    """Block of at most `BLOCK_SIZE` items, accessed through `CompressedBlocks.get_items`."""

    items: list[ItemT] | None
    compressed: bytes = b""


class CompressedBlocks(Generic[ItemT]):
    """Factory and accessor of blocks; only the most recently used ones stay decompressed.

    Args:
        list_type: `list[…]` of the item type, for msgspec.
        max_decompressed: Maximum number of decompressed blocks.
    """

    def __init__(self, list_type: type[list[ItemT]], max_decompressed: int) -> None:
        self._decoder = msgspec.msgpack.Decoder(list_type)
        self._max_decompressed = max_decompressed
        self._recently_used: dict[Block[ItemT], None] = {}  # decompressed blocks, most recent last

    def create_block(self, items: Iterable[ItemT]) -> Block[ItemT]:
        """Return a new block with a copy of the items, the most recently used one as after `get_items`."""
        block = Block(list(items))
        self.get_items(block)
        return block

    def get_items(self, block: Block[ItemT]) -> list[ItemT]:
        """Return the items of a block as a list for reading and modification until the next access to a block.

        The block becomes the most recently used one; the least recently used one may be compressed.
        """
        recently_used = self._recently_used
        recently_used.pop(block, None)
        recently_used[block] = None
        if block.items is None:
            block.items, block.compressed = self._decoder.decode(decompress(block.compressed)), b""
        if len(recently_used) > self._max_decompressed:
            oldest = next(iter(recently_used))
            del recently_used[oldest]
            # Level 1, compared with zlib's default: 25 % of the time, 110 % of the size.
            oldest.compressed, oldest.items = compress(msgspec.msgpack.encode(oldest.items), 1), None
        return block.items

    def copy_block(self, block: Block[ItemT]) -> Block[ItemT]:
        """Return a copy of a block, possibly of another `CompressedBlocks`.

        The copy of a compressed block is compressed; any other copy becomes the most recently used block.
        """
        block_copy = Block(None if block.items is None else list(block.items), block.compressed)
        if block_copy.items is not None:
            self.get_items(block_copy)
        return block_copy

    def discard(self, block: Block[ItemT]) -> None:
        """Remove a deleted block from the recently used blocks; no effect on its items or for an absent block."""
        self._recently_used.pop(block, None)
