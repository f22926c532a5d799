"""Message search on the server, or in the local history without a connection.

- Matching: both use the rules of `tui_chat.protocol.search_query` and return the newest messages first.
"""

import asyncio
import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.events import Connecting
from tui_chat.client.log import log
from tui_chat.client.room_context import ClientContext
from tui_chat.client.room_directory import RoomDirectory
from tui_chat.client.search_page import SearchPage, SearchSource
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import Message
from tui_chat.protocol.requests import Search
from tui_chat.protocol.responses import SearchResponse
from tui_chat.protocol.search_query import SearchQuery

SERVER_TIMEOUT = 10.0
"""Time limit of the server's response before the local search, in seconds."""

CONNECT_TIMEOUT = 1.0
"""Wait for a first connection in progress, in seconds."""


class MessageSearcher:
    """Search of one client.

    Args:
        context: Services of the client.
        history: Local history, None if disabled.
        rooms: Open rooms, searched in memory without a local history.
    """

    def __init__(
        self,
        context: ClientContext,
        history: LocalHistory | None,
        rooms: RoomDirectory,
    ) -> None:
        self._context = context
        self._history = history
        self._rooms = rooms

    async def search(self, query: str, room: str | None, before: int | None, limit: int) -> SearchPage:
        """Search messages; documented by `ChatClient.search`."""
        request = Search(query=query, room=room, before=before, limit=limit)
        try:
            response = await self._search_server(request)
        except (ConnectionLost, TimeoutError):
            log.debug("search: no response of the server, using the local history")
        else:
            next_before = response.next or min((message.id for message in response.messages), default=None)
            has_more = response.has_more and next_before is not None and (before is None or next_before < before)
            messages = tuple(_sanitize_results(response.messages[:limit]))
            return SearchPage(
                messages, has_more, next_before if has_more else None, response.incomplete, SearchSource.SERVER
            )
        room_key = None if request.room is None else names.canonical_key(request.room)
        if self._history is not None:
            for open_room in self._rooms:
                await open_room.flush()
            try:
                return await self._history.search(
                    self._context.url, SearchQuery(request.query), room_key, before, limit
                )
            except LocalStorageError as error:
                log.warning("search: local history failed: %s; using the messages in memory", error)
        logs = [room.log for room in self._rooms if room_key in {None, names.canonical_key(room.name)}]
        newest_first = heapq.merge(
            *(reversed(list(room_log.messages())) for room_log in logs), key=attrgetter("id"), reverse=True
        )
        parsed_query = SearchQuery(request.query)
        matches = (
            message
            for message in newest_first
            if (before is None or message.id < before) and not message.deleted and parsed_query.matches(message.message)
        )
        page = tuple(islice(matches, limit))
        has_more = next(matches, None) is not None
        return SearchPage(page, has_more, page[-1].id if has_more else None, False, SearchSource.LOCAL)

    async def _search_server(self, request: Search) -> SearchResponse:
        """Search on the current connection, or on a first connection in progress.

        The wait for the connection takes at most `CONNECT_TIMEOUT`; between reconnect attempts, the error is raised
        immediately.

        Raises:
            TimeoutError: No connection, or no response within `SERVER_TIMEOUT`.
        """
        if self._context.connector.gate.value is None and not isinstance(self._context.connector.state, Connecting):
            raise TimeoutError
        async with asyncio.timeout(CONNECT_TIMEOUT):
            transport = await self._context.connector.gate.wait()
        async with asyncio.timeout(SERVER_TIMEOUT):
            return await transport.request(request, SearchResponse)


def _sanitize_results(messages: Iterable[Message]) -> Iterator[Message]:
    """Sanitize search results; skip messages with an invalid room name."""
    for message in messages:
        try:
            room = names.validate_room_name(message.room)
        except ChatError:
            continue
        yield replace(sanitize.received(message), room=room)
