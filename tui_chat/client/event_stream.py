"""The events of a client, in order, for one consumer.

Rule 1  While nobody has asked for the stream, nothing is kept.
Rule 2  Changes of one room's log that follow each other unread are one event, and so
        are the unread lists of a room's members: a slow consumer gets fewer events,
        not later ones.
Rule 3  At most `UNREAD_MAX` events are unread. Beyond, comings, goings and typing are
        dropped (nobody would look), and changes of a log join the unread ones of
        their room, so that no message is ever missing from the stream.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from tui_chat.client.events import ClientEvent, LogChanged, MembersChanged, NoticeReceived, TypingChanged

MAX_UNREAD_EVENTS = 10_000


@dataclass(slots=True, eq=False)
class _CoalescedEvent:
    """A `LogChanged` or `MembersChanged` that may still grow."""

    latest: LogChanged | MembersChanged
    seqs: list[int] = field(default_factory=list[int])

    def to_event(self) -> ClientEvent:
        if isinstance(self.latest, LogChanged):
            return LogChanged(self.latest.room, tuple(sorted(set(self.seqs))), self.latest.live)
        return self.latest


class EventStream:
    """Iterate it with `async for`; it ends after the client was closed."""

    def __init__(self) -> None:
        self._unread: deque[ClientEvent | _CoalescedEvent] = deque()
        self._coalescing: dict[tuple[type, str, bool], _CoalescedEvent] = {}
        self._event_available = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        """How many events are unread."""
        return len(self._unread)

    def put(self, event: ClientEvent) -> None:
        """Append an event, or let an unread one grow by it."""
        if isinstance(event, LogChanged):
            self._coalesce((LogChanged, event.room, event.live), event, event.seqs, adjacent_only=True)
        elif isinstance(event, MembersChanged):
            self._coalesce((MembersChanged, event.room, True), event, (), adjacent_only=False)
        elif len(self._unread) < MAX_UNREAD_EVENTS or not isinstance(event, (NoticeReceived, TypingChanged)):
            self._unread.append(event)
        self._event_available.set()

    def close(self) -> None:
        """Nothing follows."""
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
        key = (type(oldest.latest), oldest.latest.room, getattr(oldest.latest, "live", True))
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
