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

BLOCK = 256
"""Items that a block has at most."""

_FAST = 1  # zlib's level: a quarter of the time of the default, for a tenth more bytes


class Block(Generic[ItemT]):
    """Up to `BLOCK` items in a row; `Packing.items` gives them."""

    __slots__ = ("items", "packed")

    def __init__(self, items: list[ItemT]) -> None:
        self.items: list[ItemT] | None = items
        self.packed = b""


class Packing(Generic[ItemT]):
    """Keeps the blocks that were used last as they are, and packs the others.

    Args:
        kind: `list[…]` of what the items are, for msgspec.
        unpacked: How many blocks are kept as they are.
    """

    def __init__(self, kind: type[list[ItemT]], unpacked: int) -> None:
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._unpacked = unpacked
        self._used: dict[Block[ItemT], None] = {}  # those that are not packed, the one used last at the end

    def block(self, items: Iterable[ItemT]) -> Block[ItemT]:
        """A block of these items."""
        made = Block(list(items))
        self.items(made)
        return made

    def items(self, block: Block[ItemT]) -> list[ItemT]:
        """What a block holds, to be read or changed before another block is asked for."""
        used = self._used
        used.pop(block, None)
        used[block] = None
        if block.items is None:
            block.items, block.packed = self._decoder.decode(decompress(block.packed)), b""
        if len(used) > self._unpacked:
            self._pack(next(iter(used)))
        return block.items

    def copy(self, block: Block[ItemT]) -> Block[ItemT]:
        """A block of the same items; what another packing has packed stays so."""
        made = Block[ItemT]([])
        made.items, made.packed = None if block.items is None else list(block.items), block.packed
        if made.items is not None:
            self.items(made)
        return made

    def forget(self, block: Block[ItemT]) -> None:
        """A block is no longer there."""
        self._used.pop(block, None)

    def _pack(self, block: Block[ItemT]) -> None:
        del self._used[block]
        block.packed, block.items = compress(_encoder.encode(block.items), _FAST), None


_encoder = msgspec.msgpack.Encoder()
