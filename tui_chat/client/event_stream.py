"""Ordered event queue of one client for one consumer.

- Lazy: events before the first `ChatClient.events()` call are discarded.
- Coalescing: consecutive unread `LogChanged` events with the same room and `live` merge into one, and so do all
  unread `MembersChanged` events of a room. A slow consumer receives fewer events.
- Soft limit: above `MAX_UNREAD_EVENTS`, new notices and typing indicators are dropped, and
  `LogChanged` events merge with an unread one of their room. No message is omitted.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from tui_chat.client.events import ClientEvent, LogChanged, MembersChanged, NoticeReceived, TypingChanged

MAX_UNREAD_EVENTS = 10_000
"""Number of unread events above which notices and typing indicators are dropped."""


@dataclass(slots=True, eq=False)
class _CoalescedEvent:
    """Unread `LogChanged` or `MembersChanged` event that later events merge into."""

    latest: LogChanged | MembersChanged
    seqs: list[int] = field(default_factory=list[int])

    def to_event(self) -> ClientEvent:
        if isinstance(self.latest, LogChanged):
            return LogChanged(self.latest.room, tuple(sorted(set(self.seqs))), self.latest.is_live)
        return self.latest


class EventStream:
    """Asynchronous iterator over the events of a client; ends after `close()`."""

    def __init__(self) -> None:
        self._unread: deque[ClientEvent | _CoalescedEvent] = deque()
        self._coalescing: dict[tuple[type, str, bool], _CoalescedEvent] = {}
        self._event_available = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        """Return the number of unread events. A merged event counts once."""
        return len(self._unread)

    def put(self, event: ClientEvent) -> None:
        """Append an event or merge the event into an unread one.

        Above `MAX_UNREAD_EVENTS`, notices and typing indicators are dropped.
        """
        if isinstance(event, LogChanged):
            self._coalesce((LogChanged, event.room, event.is_live), event, event.seqs, adjacent_only=True)
        elif isinstance(event, MembersChanged):
            self._coalesce((MembersChanged, event.room, True), event, (), adjacent_only=False)
        elif len(self._unread) < MAX_UNREAD_EVENTS or not isinstance(event, (NoticeReceived, TypingChanged)):
            self._unread.append(event)
        self._event_available.set()

    def close(self) -> None:
        """End the stream after the unread events."""
        self._closed = True
        self._event_available.set()

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> ClientEvent:
        while not self._unread:
            if self._closed:
                raise StopAsyncIteration
            self._event_available.clear()
            await self._event_available.wait()
        oldest = self._unread.popleft()
        if not isinstance(oldest, _CoalescedEvent):
            return oldest
        key = (type(oldest.latest), oldest.latest.room, getattr(oldest.latest, "is_live", True))
        if self._coalescing.get(key) is oldest:
            del self._coalescing[key]
        return oldest.to_event()

    def _coalesce(
        self,
        key: tuple[type, str, bool],
        event: LogChanged | MembersChanged,
        seqs: tuple[int, ...],
        adjacent_only: bool,
    ) -> None:
        coalesced = self._coalescing.get(key)
        if coalesced is None or (
            adjacent_only and self._unread[-1] is not coalesced and len(self._unread) < MAX_UNREAD_EVENTS
        ):
            coalesced = self._coalescing[key] = _CoalescedEvent(event)
            self._unread.append(coalesced)
        coalesced.latest = event
        coalesced.seqs.extend(seqs)
