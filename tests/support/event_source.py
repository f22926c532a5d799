"""Client of server-sent events (WHATWG HTML, section 9.2.6)."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import BaseConnector, ClientResponse, ClientSession

from tests.support.wait import RESPONSE_TIMEOUT


class ServerSentEvent(NamedTuple):
    """Event with its id, None without one, and its decoded JSON."""

    name: str
    id: int | None
    data: Any


class EventSource:
    """Reader of one response.

    Attributes:
        response: Response with the status 200.
        comment_count: Number of received comments.
        retry: Last received reconnect delay in milliseconds, None without one.
    """

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.comment_count = 0
        self.retry: int | None = None

    async def read_line(self) -> str:
        """Return the next line with its end; empty at the end of the stream."""
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            line = (await self.response.content.readline()).decode()
        self.comment_count += line.startswith(":")
        return line

    async def read(self) -> ServerSentEvent | None:
        """Return the next event, or None at the end of the stream."""
        fields: dict[str, str] = {}
        while line := await self.read_line():
            if line == "\n" and "data" in fields:
                event_id = int(fields["id"]) if "id" in fields else None
                return ServerSentEvent(fields.get("event", "message"), event_id, json.loads(fields["data"]))
            name, _, value = line.rstrip("\n").partition(":")
            fields[name] = value.removeprefix(" ")
            if name == "retry":
                self.retry = int(value)
        return None

    async def read_until_end(self) -> list[ServerSentEvent]:
        """Return all further events of a stream that ends."""
        received: list[ServerSentEvent] = []
        while (event := await self.read()) is not None:
            received.append(event)
        return received

    def abort(self) -> None:
        """Abort the TCP connection, as at a power failure."""
        assert self.response.connection is not None
        assert self.response.connection.transport is not None
        self.response.connection.transport.abort()


@asynccontextmanager
async def event_source(
    url: str,
    room: str = "tea",
    *,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    connector: BaseConnector | None = None,
) -> AsyncGenerator[EventSource]:
    """Open the stream of a room."""
    async with (
        ClientSession(connector=connector) as session,
        session.get(f"{url}/api/rooms/{room}/events{query}", headers=headers) as response,
    ):
        assert response.status == 200, await response.text()
        yield EventSource(response)
