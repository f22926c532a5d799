"""Ordered event queue of one client for one consumer.

- Order: events are popped in the order of arrival.
- Batching: unread `LogChanged` events of one room merge if they are consecutive and have the same `is_live`, because
  twenty messages cost little more to apply than one. A batch is popped in parts of `MAX_MESSAGES_PER_POP` messages.
- Latest state: of the unread `MembersChanged` and `TopicChanged` events of a room, only the last of each type is
  delivered, in place of the first.
- Soft limit: at `MAX_UNREAD_EVENTS`, new notices and typing indicators are dropped, and `LogChanged` events merge with
  an unread one of the same room and `is_live`, even if other events are between them. No message is omitted.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tui_chat.client.events import LogChanged, MembersChanged, NoticeReceived, TopicChanged, TypingChanged

MAX_MESSAGES_PER_POP = 100

MAX_UNREAD_EVENTS = 10_000
"""Number of unread events at which new notices and typing indicators are dropped."""

HIGH_WATER_MARK = 5_000
"""Queue size, in messages plus other events, above which the queue is overfull."""

EventT = TypeVar("EventT")


@dataclass(slots=True, eq=False)
class _LogChangeBatch:
    """Unread log changes of one room, merged into one queue entry."""

    room: str
    is_live: bool
    seqs: deque[int]
    compact_at: int = MAX_UNREAD_EVENTS

    def drop_repetitions(self) -> int:
        """Keep the first occurrence of each sequence number, and return the number of removed ones.

        Sets `compact_at` to twice the new size, at least `MAX_UNREAD_EVENTS`.
        """
        size_before = len(self.seqs)
        self.seqs = deque(dict.fromkeys(self.seqs))
        self.compact_at = max(MAX_UNREAD_EVENTS, 2 * len(self.seqs))
        return size_before - len(self.seqs)


class EventQueue(Generic[EventT]):
    """FIFO queue of the events of a client, and of further events of its consumer.

    Consume either with `pop`, driven by `on_ready`, or as an asynchronous iterator, which ends after `close()`.

    Args:
        on_ready: Called when the queue changes from empty to non-empty.

    Attributes:
        size: Number of unread messages plus other unread events. Read-only for users.
    """

    def __init__(self, on_ready: Callable[[], None] = lambda: None) -> None:
        self._on_ready = on_ready
        self._unread: deque[Any] = deque()
        self._log_changes: dict[tuple[str, bool], _LogChangeBatch] = {}
        self._latest_states: dict[tuple[type, str], MembersChanged | TopicChanged] = {}
        self.size = 0
        self._closed = False
        self._wakeup = asyncio.Event()

    def __len__(self) -> int:
        """Return the number of unread events. A merged event counts once."""
        return len(self._unread)

    @property
    def is_overfull(self) -> bool:
        """True above `HIGH_WATER_MARK`."""
        return self.size > HIGH_WATER_MARK

    def put(self, event: EventT) -> None:
        """Append an event, or merge or drop the event as the module documents; never blocks.

        Calls `on_ready` if the queue was empty, even after `close`.
        """
        is_full = len(self._unread) >= MAX_UNREAD_EVENTS
        entry: Any = event
        match event:
            case LogChanged(room, seqs, is_live):
                self.size += len(seqs)
                batch = self._log_changes.get((room, is_live))
                if batch is not None and (is_full or batch is self._unread[-1]):
                    batch.seqs.extend(seqs)
                    if len(batch.seqs) >= batch.compact_at:
                        self.size -= batch.drop_repetitions()
                    return
                entry = self._log_changes[room, is_live] = _LogChangeBatch(room, is_live, deque(seqs))
            case MembersChanged(room) | TopicChanged(room):
                state_key = (type(event), room)
                is_merged = state_key in self._latest_states
                self._latest_states[state_key] = event
                if is_merged:
                    return
                self.size += 1
            case NoticeReceived() | TypingChanged() if is_full:
                return
            case _:
                self.size += 1
        self._unread.append(entry)
        if len(self._unread) == 1:
            self._wakeup.set()
            self._on_ready()

    def pop(self) -> EventT:
        """Remove and return the oldest event.

        A log change has at most `MAX_MESSAGES_PER_POP` distinct sequence numbers in ascending order. The rest of a
        larger batch stays first.

        Raises:
            IndexError: The queue is empty.
        """
        event: Any = self._unread[0]  # an `EventT`, apart from batches
        if isinstance(event, _LogChangeBatch):
            event = self._pop_log_change(event)
        else:
            self._unread.popleft()
            self.size -= 1
            if isinstance(event, MembersChanged | TopicChanged):
                event = self._latest_states.pop((type(event), event.room))
        return event

    def pop_newest(self) -> EventT:
        """Remove and return the newest event, which must not be a `LogChanged`, `MembersChanged` or `TopicChanged`.

        The queue must not be empty.
        """
        self.size -= 1
        return self._unread.pop()

    def close(self) -> None:
        """End the iteration after the unread events. `put` and `pop` still work."""
        self._closed = True
        self._wakeup.set()

    def __aiter__(self) -> "EventQueue[EventT]":
        return self

    async def __anext__(self) -> EventT:
        while not self._unread:
            if self._closed:
                raise StopAsyncIteration
            self._wakeup.clear()
            await self._wakeup.wait()
        return self.pop()

    def _pop_log_change(self, batch: _LogChangeBatch) -> LogChanged:
        count = min(MAX_MESSAGES_PER_POP, len(batch.seqs))
        self.size -= count
        seqs = {batch.seqs.popleft() for _ in range(count)}
        if not batch.seqs:
            self._unread.popleft()
            if self._log_changes[batch.room, batch.is_live] is batch:
                del self._log_changes[batch.room, batch.is_live]
        return LogChanged(batch.room, tuple(sorted(seqs)), batch.is_live)
