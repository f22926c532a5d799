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

from tui_chat.client.events import Event, LogChanged, MembersChanged, Noticed, TypingChanged

UNREAD_MAX = 10_000


@dataclass(slots=True, eq=False)
class _Gathering:
    """A `LogChanged` or `MembersChanged` that may still grow."""

    latest: LogChanged | MembersChanged
    seqs: list[int] = field(default_factory=list[int])

    def event(self) -> Event:
        if isinstance(self.latest, LogChanged):
            return LogChanged(self.latest.room, tuple(sorted(set(self.seqs))), self.latest.live)
        return self.latest


class EventStream:
    """Iterate it with `async for`; it ends after the client was closed."""

    def __init__(self) -> None:
        self._unread: deque[Event | _Gathering] = deque()
        self._growing: dict[tuple[type, str, bool], _Gathering] = {}
        self._more = asyncio.Event()
        self._ended = False

    def __len__(self) -> int:
        """How many events are unread."""
        return len(self._unread)

    def put(self, event: Event) -> None:
        """Append an event, or let an unread one grow by it."""
        if isinstance(event, LogChanged):
            self._gather((LogChanged, event.room, event.live), event, event.seqs, only_last=True)
        elif isinstance(event, MembersChanged):
            self._gather((MembersChanged, event.room, True), event, (), only_last=False)
        elif len(self._unread) < UNREAD_MAX or not isinstance(event, (Noticed, TypingChanged)):
            self._unread.append(event)
        self._more.set()

    def end(self) -> None:
        """Nothing follows."""
        self._ended = True
        self._more.set()

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> Event:
        while not self._unread:
            if self._ended:
                raise StopAsyncIteration
            self._more.clear()
            await self._more.wait()
        first = self._unread.popleft()
        if not isinstance(first, _Gathering):
            return first
        key = (type(first.latest), first.latest.room, getattr(first.latest, "live", True))
        if self._growing.get(key) is first:
            del self._growing[key]
        return first.event()

    def _gather(
        self,
        key: tuple[type, str, bool],
        event: LogChanged | MembersChanged,
        seqs: tuple[int, ...],
        only_last: bool,
    ) -> None:
        found = self._growing.get(key)
        if found is None or (only_last and self._unread[-1] is not found and len(self._unread) < UNREAD_MAX):
            found = self._growing[key] = _Gathering(event)
            self._unread.append(found)
        found.latest = event
        found.seqs.extend(seqs)
