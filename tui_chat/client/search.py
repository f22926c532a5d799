"""Message search on the server, or locally without a response.

- Matching: both use the rules of `tui_chat.protocol.search_query` and return the newest messages first.
- Paging: each page comes from the server if possible. Pages of both sources never repeat a message.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from msgspec import structs

from tui_chat.client import sanitize
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.events import Connecting
from tui_chat.client.log import log
from tui_chat.client.room import Room
from tui_chat.client.room_context import ClientContext
from tui_chat.client.room_directory import RoomDirectory
from tui_chat.client.search_page import Position, SearchCursor, SearchPage, SearchSource, get_position
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.storage.local_search import select_page
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.protocol import names
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import Search
from tui_chat.protocol.responses import SearchResponse
from tui_chat.protocol.search_query import SearchQuery

SERVER_TIMEOUT = 10.0
"""Time limit of the server's response, after which the local history is searched, in seconds."""

CONNECT_TIMEOUT = 1.0
"""Time limit of the wait for a first connection in progress, in seconds."""


class MessageSearcher:
    """Message search of one client.

    Args:
        history: Local history, None if disabled.
        rooms: Open rooms, searched in memory without a local history.
    """

    def __init__(self, context: ClientContext, history: LocalHistory | None, rooms: RoomDirectory) -> None:
        self._context = context
        self._history = history
        self._rooms = rooms

    async def search(self, query: str, room: str | None, cursor: SearchCursor | None, limit: int) -> SearchPage:
        """Search messages as `ChatClient.search`.

        Messages in the range of earlier local pages are omitted from a page of the server, which can become empty.
        """
        cursor = cursor or SearchCursor()
        request = Search(query=query, room=room, cursor=cursor.server, limit=limit)
        try:
            response = await self._search_server(request)
        except (ConnectionLost, TimeoutError):
            log.debug("search: no response from the server, using the local history")
            messages, before = await self._search_locally(request, cursor.before)
            local_cursor = None if before is None else replace(cursor, before=before, local_end=before)
            return SearchPage(tuple(messages), local_cursor, False, SearchSource.LOCAL)
        messages = [
            message
            for message in sanitize.found_messages(response.messages[:limit])
            if cursor.local_end is None or get_position(message) < cursor.local_end
        ]
        has_more = response.has_more and response.next not in {None, cursor.server}
        before = get_position(messages[-1]) if messages else cursor.before
        server_cursor = replace(cursor, server=response.next, before=before) if has_more else None
        return SearchPage(tuple(messages), server_cursor, response.incomplete, SearchSource.SERVER)

    async def _search_locally(self, request: Search, before: Position | None) -> tuple[list[Message], Position | None]:
        """Search the local history; without one or after its failure, which is logged, the open rooms in memory.

        With a local history, unsaved changes of open rooms are written first. The result is as for
        `LocalHistory.search`.

        Args:
            request: Query, room and limit.
            before: Position after which the results start, None for no bound.
        """
        query = SearchQuery(request.query)
        room_key = None if request.room is None else names.canonical_key(request.room)
        if self._history is not None:
            for open_room in self._rooms:
                await open_room.flush()
            try:
                return await self._history.search(self._context.url, query, room_key, before, request.limit)
            except LocalStorageError as error:
                log.warning("search: local history failed: %s; using the messages in memory", error)
        rooms = [room for room in self._rooms if room_key in {None, names.canonical_key(room.name)}]
        return select_page([_iter_newest_first(room, before) for room in rooms], query, before, request.limit)

    async def _search_server(self, request: Search) -> SearchResponse:
        """Search on the current connection, or on a first connection in progress.

        The wait for the connection takes at most `CONNECT_TIMEOUT`; between reconnect attempts, the error is raised
        immediately.

        Raises:
            TimeoutError: No connection, or no response within `SERVER_TIMEOUT`.
            ChatError: As `Transport.request`, `ConnectionLost` included.
        """
        if self._context.connector.gate.value is None and not isinstance(self._context.connector.state, Connecting):
            raise TimeoutError
        async with asyncio.timeout(CONNECT_TIMEOUT):
            transport = await self._context.connector.gate.wait()
        async with asyncio.timeout(SERVER_TIMEOUT):
            return await transport.request(request, SearchResponse)


def _iter_newest_first(room: Room, before: Position | None) -> Iterator[Message]:
    """Yield the messages of a room before a position, with the current name of the room."""
    for message in reversed(list(room.log.messages())):
        if before is None or get_position(message) < before:
            yield structs.replace(message, room=room.name)
