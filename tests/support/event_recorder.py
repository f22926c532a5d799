"""Recorder of client events."""

import asyncio

from tui_chat.client.client import ChatClient
from tui_chat.client.events import ClientEvent


class EventRecorder(list[ClientEvent]):
    """List of all events of a client so far, in order."""

    def __init__(self, client: ChatClient) -> None:
        super().__init__()
        self._stream = client.events()
        self._reader_task = asyncio.create_task(self._read(), name="event recorder")

    async def _read(self) -> None:
        async for event in self._stream:
            self.append(event)
