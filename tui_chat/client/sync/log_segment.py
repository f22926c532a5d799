"""Part of a room log for storage."""

from dataclasses import dataclass

from tui_chat.protocol.events import Message, MessageChange


@dataclass(frozen=True, slots=True)
class LogSegment:
    """Part of a room log, exchanged between `RoomLog` and the local history.

    Attributes:
        messages: Pairs of message and `as_of`, ascending; without the effect of `changes`.
        changes: Changes not yet folded into their target, ascending per target, possibly without the target.
        ranges: First and last `seq` of each known range, ascending.
    """

    messages: tuple[tuple[Message, int], ...] = ()
    changes: tuple[MessageChange, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()
