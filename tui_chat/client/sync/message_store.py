"""Messages of one room by `seq`, in compressed blocks."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from msgspec import Struct

from tui_chat.client.sync.compressed_blocks import BLOCK_SIZE, Block, CompressedBlocks
from tui_chat.protocol.events import Message

MAX_DECOMPRESSED_BLOCKS = 8
"""Maximum number of decompressed blocks per room."""


class _StoredMessage(Struct, array_like=True):
    as_of: int
    message: Message


class _Chunk(Struct):
    """Messages of `BLOCK_SIZE` consecutive `seq` numbers."""

    block: Block[_StoredMessage]  # ascending by `seq`
    bitmap: int = 0  # bit n: the n-th `seq` of the chunk is a stored message

    def has(self, bit: int) -> bool:
        return bool(self.bitmap >> bit & 1)

    def index_of(self, bit: int) -> int:
        """Return the number of stored messages before the `seq` of a bit, which is the index in the block."""
        return (self.bitmap & (1 << bit) - 1).bit_count()


class MessageStore:
    """Sorted map from `seq` to message and `as_of` (see `RoomLog`)."""

    def __init__(self) -> None:
        self._blocks = CompressedBlocks(list[_StoredMessage], MAX_DECOMPRESSED_BLOCKS)
        self._chunks: dict[int, _Chunk] = {}
        self._chunk_numbers: list[int] = []  # ascending

    def __len__(self) -> int:
        return sum(chunk.bitmap.bit_count() for chunk in self._chunks.values())

    def __contains__(self, seq: int) -> bool:
        chunk = self._chunks.get(seq // BLOCK_SIZE)
        return chunk is not None and chunk.has(seq % BLOCK_SIZE)

    def __getitem__(self, seq: int) -> Message:
        """Return a message; raise `KeyError` if not stored."""
        return self._lookup(seq).message

    def get(self, seq: int) -> Message | None:
        """Return a message, or None if not stored."""
        return self._lookup(seq).message if seq in self else None

    def get_as_of(self, seq: int) -> int:
        """Return the `as_of` of a message, or `seq` if not stored."""
        return self._lookup(seq).as_of if seq in self else seq

    def put(self, message: Message, as_of: int) -> None:
        """Insert or replace a message, even one with a higher `as_of`."""
        chunk_number, bit = divmod(message.seq, BLOCK_SIZE)
        chunk = self._chunks.get(chunk_number)
        if chunk is None:
            chunk = self._chunks[chunk_number] = _Chunk(self._blocks.create_block(()))
            insort(self._chunk_numbers, chunk_number)
        items, stored = self._blocks.get_items(chunk.block), _StoredMessage(as_of, message)
        index = chunk.index_of(bit)
        if chunk.has(bit):
            items[index] = stored
        else:
            items.insert(index, stored)
            chunk.bitmap |= 1 << bit

    def iter_range(self, first: int, last: int | None) -> Iterator[Message]:
        """Iterate over the stored messages from `first` to `last` inclusive, ascending; None for no upper bound."""
        low = bisect_left(self._chunk_numbers, first // BLOCK_SIZE)
        high = len(self._chunk_numbers) if last is None else bisect_right(self._chunk_numbers, last // BLOCK_SIZE)
        for chunk_number in self._chunk_numbers[low:high]:
            for stored in tuple(self._chunk_items(chunk_number)):
                if stored.message.seq >= first and (last is None or stored.message.seq <= last):
                    yield stored.message

    def find_seq_at(self, ts: int) -> int | None:
        """Return the `seq` of the first message at or after a time (`RoomLog.find_seq_at`)."""
        if not self._chunk_numbers:
            return None
        chunk_index = bisect_left(
            self._chunk_numbers, ts, key=lambda chunk_number: self._chunk_items(chunk_number)[-1].message.ts
        )
        chunk_items = self._chunk_items(self._chunk_numbers[min(chunk_index, len(self._chunk_numbers) - 1)])
        index = bisect_left(chunk_items, ts, key=lambda stored: stored.message.ts)
        return chunk_items[min(index, len(chunk_items) - 1)].message.seq

    def seq_from_end(self, count: int) -> int:
        """Return the `seq` of the `count`-th newest message, from 1; raise `IndexError` if fewer are stored."""
        for chunk_number in reversed(self._chunk_numbers):
            chunk = self._chunks[chunk_number]
            chunk_size = chunk.bitmap.bit_count()
            if chunk_size >= count:
                return self._blocks.get_items(chunk.block)[chunk_size - count].message.seq
            count -= chunk_size
        raise IndexError("count exceeds the number of stored messages")

    def truncate_before(self, first: int) -> None:
        """Remove all messages with a `seq` below `first`; no effect without such messages."""
        chunk_number, bit = divmod(first, BLOCK_SIZE)
        dropped_chunks = bisect_left(self._chunk_numbers, chunk_number)
        for dropped_number in self._chunk_numbers[:dropped_chunks]:
            self._blocks.discard(self._chunks.pop(dropped_number).block)
        del self._chunk_numbers[:dropped_chunks]
        if (chunk := self._chunks.get(chunk_number)) is not None:
            del self._blocks.get_items(chunk.block)[: chunk.index_of(bit)]
            chunk.bitmap = chunk.bitmap >> bit << bit
            if not chunk.bitmap:
                self._blocks.discard(self._chunks.pop(chunk_number).block)
                del self._chunk_numbers[0]

    def _chunk_items(self, chunk_number: int) -> list[_StoredMessage]:
        return self._blocks.get_items(self._chunks[chunk_number].block)

    def _lookup(self, seq: int) -> _StoredMessage:
        """Return a stored message; raise `KeyError` if absent."""
        chunk_number, bit = divmod(seq, BLOCK_SIZE)
        chunk = self._chunks[chunk_number]
        if not chunk.has(bit):
            raise KeyError(seq)
        return self._blocks.get_items(chunk.block)[chunk.index_of(bit)]
