"""State and services shared by the rooms of one client, and by the parts of one room."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tui_chat.client.events import ClientEvent
from tui_chat.client.log import log
from tui_chat.client.net.connector import Connector, TransportGate
from tui_chat.protocol.codec import WireStructT
from tui_chat.protocol.requests import Request


class TaskSet:
    """Set of running tasks; logs each failed task once."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a coroutine as a background task.

        Args:
            coroutine: Coroutine to run.
            name: Task name for the log message of a failure.

        Returns:
            The started task.
        """
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    async def cancel_all(self) -> None:
        """Cancel all tasks and wait for their end. Tasks that start meanwhile are cancelled too."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background task failed: %s", task.get_name(), exc_info=error)


@dataclass(slots=True)
class ClientContext:
    """Services and settings of one client.

    Attributes:
        url: Base URL of the server.
        connector: Connection to the server.
        tasks: Background tasks, cancelled by the close of the client.
        emit: Function that delivers an event to the consumer.
        new_id: Generator of `clientId` values.
        now_ms: Clock in milliseconds since the epoch.
        max_messages: Limit of messages in memory per room, None for no limit.
        guest_key: Current guest key, None before the first join.
    """

    url: str
    connector: Connector
    tasks: TaskSet
    emit: Callable[[ClientEvent], None]
    new_id: Callable[[], UUID]
    now_ms: Callable[[], int]
    max_messages: int | None
    guest_key: str | None


@dataclass(slots=True)
class RoomContext:
    """Identity and connection of one room.

    Attributes:
        client: Services of the client.
        key: Canonical key of the requested room name.
        nick_key: Canonical key of the requested nickname.
        name: Room name in the server's spelling.
        nick: User's nickname in the room.
        topic: Room topic, may be empty.
        member_id: User's member id, empty before the first join.
        gate: Gate of the joined connection.
    """

    client: ClientContext
    key: str
    nick_key: str
    name: str
    nick: str
    topic: str = ""
    member_id: str = ""
    gate: TransportGate = field(default_factory=TransportGate)

    async def request(
        self, request: Request, response_type: type[WireStructT], timeout: float, *, wait_for_rate_limit: bool = False
    ) -> WireStructT:
        """Send a request over the joined connection; documented by `Connector.request`."""
        return await self.client.connector.request(
            self.gate, request, response_type, timeout, wait_for_rate_limit=wait_for_rate_limit
        )
