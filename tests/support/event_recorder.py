"""Recorder of client events, and a wait for an event."""

import asyncio
from typing import TypeVar

from tests.support.wait import TIMEOUT
from tui_chat.client.client import ChatClient
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import ClientEvent

EventT = TypeVar("EventT")


class EventRecorder(list[ClientEvent]):
    """List of all events of a client so far, in order."""

    def __init__(self, client: ChatClient) -> None:
        super().__init__()
        self._stream = client.events()
        self._reader_task = asyncio.create_task(self._read(), name="event recorder")

    def of_type(self, event_type: type[EventT]) -> list[EventT]:
        """Return the events of a type."""
        return [event for event in self if isinstance(event, event_type)]

    async def _read(self) -> None:
        async for event in self._stream:
            self.append(event)


async def next_event(events: EventQueue[ClientEvent], event_type: type[EventT]) -> EventT:
    """Wait for the next event of a type, and discard all events before.

    Raises:
        TimeoutError: No such event within `TIMEOUT` seconds.
        AssertionError: The queue was closed without such an event.
    """
    async with asyncio.timeout(TIMEOUT):
        async for event in events:
            if isinstance(event, event_type):
                return event
    raise AssertionError(f"the queue was closed without {event_type.__name__}")
