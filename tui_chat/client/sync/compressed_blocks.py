"""Lists of which most is seldom looked at: what was not used of late is packed.

A message in memory is a dozen objects; packed beside its neighbours it is some tens
of bytes, and the garbage collector has nothing to look at. Unpacking a block takes
a tenth of a millisecond.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar
from zlib import compress, decompress

import msgspec

ItemT = TypeVar("ItemT")

BLOCK_SIZE = 256
"""Items that a block has at most."""

_COMPRESSION_LEVEL = 1  # zlib's level: a quarter of the time of the default, for a tenth more bytes


class Block(Generic[ItemT]):
    """Up to `BLOCK` items in a row; `Packing.items` gives them."""

    __slots__ = ("compressed", "items")

    def __init__(self, items: list[ItemT]) -> None:
        self.items: list[ItemT] | None = items
        self.compressed = b""


class CompressedBlocks(Generic[ItemT]):
    """Keeps the blocks that were used last as they are, and packs the others.

    Args:
        kind: `list[…]` of what the items are, for msgspec.
        unpacked: How many blocks are kept as they are.
    """

    def __init__(self, list_type: type[list[ItemT]], max_decompressed: int) -> None:
        self._decoder = msgspec.msgpack.Decoder(list_type)
        self._max_decompressed = max_decompressed
        self._recently_used: dict[Block[ItemT], None] = {}  # those that are not packed, the one used last at the end

    def create_block(self, items: Iterable[ItemT]) -> Block[ItemT]:
        """A block of these items."""
        block = Block(list(items))
        self.get_items(block)
        return block

    def get_items(self, block: Block[ItemT]) -> list[ItemT]:
        """What a block holds, to be read or changed before another block is asked for."""
        recently_used = self._recently_used
        recently_used.pop(block, None)
        recently_used[block] = None
        if block.items is None:
            block.items, block.compressed = self._decoder.decode(decompress(block.compressed)), b""
        if len(recently_used) > self._max_decompressed:
            self._compress(next(iter(recently_used)))
        return block.items

    def copy_block(self, block: Block[ItemT]) -> Block[ItemT]:
        """A block of the same items; what another packing has packed stays so."""
        block_copy = Block[ItemT]([])
        block_copy.items, block_copy.compressed = None if block.items is None else list(block.items), block.compressed
        if block_copy.items is not None:
            self.get_items(block_copy)
        return block_copy

    def discard(self, block: Block[ItemT]) -> None:
        """A block is no longer there."""
        self._recently_used.pop(block, None)

    def _compress(self, block: Block[ItemT]) -> None:
        del self._recently_used[block]
        block.compressed, block.items = compress(_encoder.encode(block.items), _COMPRESSION_LEVEL), None


_encoder = msgspec.msgpack.Encoder()
