"""The messages of one room by `seq`, in little memory: those not looked at of late are packed (`Packing`)."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from msgspec import Struct

from server.protocol.entries import Message
from tui_chat.client.packing import BLOCK, Block, Packing

UNPACKED = 8


class _Held(Struct, array_like=True):
    as_of: int
    message: Message


class _Stretch:
    """The messages whose `seq` lies in one stretch of `BLOCK` numbers."""

    __slots__ = ("block", "there")

    def __init__(self, block: Block[_Held]) -> None:
        self.block = block  # ascending
        self.there = 0  # a bit for each number: a message of that `seq` is held


class HeldMessages:
    """Each message with the mark that says which changes are in it (`RoomLog`, rule 4)."""

    def __init__(self) -> None:
        self._packing = Packing(list[_Held], UNPACKED)
        self._stretches: dict[int, _Stretch] = {}
        self._numbers: list[int] = []  # of the stretches, ascending
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, seq: int) -> bool:
        stretch = self._stretches.get(seq // BLOCK)
        return stretch is not None and bool(stretch.there >> seq % BLOCK & 1)

    def __getitem__(self, seq: int) -> Message:
        """The message.

        Raises:
            KeyError: It is not held.
        """
        return self._held(seq).message

    def get(self, seq: int) -> Message | None:
        """The message, None when it is not held."""
        return self._held(seq).message if seq in self else None

    def as_of(self, seq: int) -> int:
        """Its mark; its own `seq` when it is not held."""
        return self._held(seq).as_of if seq in self else seq

    def put(self, message: Message, as_of: int) -> None:
        """Hold this message, in the place of what was held of its `seq`."""
        number, bit = divmod(message.seq, BLOCK)
        stretch = self._stretches.get(number)
        if stretch is None:
            stretch = self._stretches[number] = _Stretch(self._packing.block(()))
            insort(self._numbers, number)
        items, held = self._packing.items(stretch.block), _Held(as_of, message)
        place = (stretch.there & (1 << bit) - 1).bit_count()
        if stretch.there >> bit & 1:
            items[place] = held
        else:
            items.insert(place, held)
            stretch.there |= 1 << bit
            self._count += 1

    def between(self, first: int, last: int | None) -> Iterator[Message]:
        """The messages from `first` to `last` (None: to the newest), ascending."""
        low = bisect_left(self._numbers, first // BLOCK)
        high = len(self._numbers) if last is None else bisect_right(self._numbers, last // BLOCK)
        for number in self._numbers[low:high]:
            for held in tuple(self._packing.items(self._stretches[number].block)):
                if held.message.seq >= first and (last is None or held.message.seq <= last):
                    yield held.message

    def first_at(self, ts: int) -> int | None:
        """The first message of this time (milliseconds since the epoch) or later, or else the last; None when empty."""
        if not self._numbers:
            return None
        at = bisect_left(self._numbers, ts, key=lambda number: self._items(number)[-1].message.ts)
        held = self._items(self._numbers[min(at, len(self._numbers) - 1)])
        place = bisect_left(held, ts, key=lambda each: each.message.ts)
        return held[min(place, len(held) - 1)].message.seq

    def seq_from_end(self, count: int) -> int:
        """The `seq` of the message from which on `count` are held; there must be so many, and `count` at least one."""
        for number in reversed(self._numbers):
            stretch = self._stretches[number]
            there = stretch.there.bit_count()
            if there >= count:
                return self._packing.items(stretch.block)[there - count].message.seq
            count -= there
        raise IndexError("there are not so many messages")

    def cut(self, first: int) -> None:
        """Let go of what comes before `first`."""
        number, bit = divmod(first, BLOCK)
        gone = bisect_left(self._numbers, number)
        for each in self._numbers[:gone]:
            stretch = self._stretches.pop(each)
            self._packing.forget(stretch.block)
            self._count -= stretch.there.bit_count()
        del self._numbers[:gone]
        if (stretch := self._stretches.get(number)) is not None:
            before = (stretch.there & (1 << bit) - 1).bit_count()
            del self._packing.items(stretch.block)[:before]
            stretch.there = stretch.there >> bit << bit
            self._count -= before
            if not stretch.there:
                self._packing.forget(self._stretches.pop(number).block)
                del self._numbers[0]

    def _items(self, number: int) -> list[_Held]:
        return self._packing.items(self._stretches[number].block)

    def _held(self, seq: int) -> _Held:
        number, bit = divmod(seq, BLOCK)
        stretch = self._stretches[number]
        if not stretch.there >> bit & 1:
            raise KeyError(seq)
        return self._packing.items(stretch.block)[(stretch.there & (1 << bit) - 1).bit_count()]
