"""Searching what was said: the server while there is a connection, and otherwise what is on this computer.

Both find by the same rule (`tui_chat.protocol.search_query`), newest first.
"""

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.events import Connecting
from tui_chat.client.net.connector import Connector
from tui_chat.client.search_page import SearchPage, SearchSource
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.storage.sqlite_file import LocalStorageError
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.events import Message
from tui_chat.protocol.limits import HISTORY_DEFAULT
from tui_chat.protocol.requests import Search
from tui_chat.protocol.responses import SearchResponse
from tui_chat.protocol.search_query import SearchQuery

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport
    from tui_chat.client.room import Room

log = logging.getLogger("chat.client")

SERVER_TIMEOUT = 10.0
"""Seconds for the server's answer; after that what is here is searched."""

CONNECT_TIMEOUT = 1.0
"""Seconds to wait for the first connection while it is being made."""


class MessageSearcher:
    """Searches for one client.

    Args:
        server: The base URL.
        link: The way to it.
        history: What is kept on this computer, None when nothing is.
        rooms: Those that are open, searched in memory when nothing is kept.
    """

    def __init__(
        self,
        server_url: str,
        connector: Connector,
        history: LocalHistory | None,
        get_rooms: Callable[[], Iterable["Room"]],
    ) -> None:
        self._server_url = server_url
        self._connector = connector
        self._history = history
        self._get_rooms = get_rooms

    async def search(
        self, query: str, room: str | None, before: int | None, limit: int = HISTORY_DEFAULT
    ) -> SearchPage:
        """See `ChatClient.search`."""
        request = Search(query=query, room=room, before=before, limit=limit)
        try:
            transport = await self._wait_for_transport()
            async with asyncio.timeout(SERVER_TIMEOUT):
                response = await transport.request(request, SearchResponse)
        except (ConnectionLost, TimeoutError):
            log.debug("no server answers a search, what is here is searched")
        else:
            next_before = response.next or min((message.id for message in response.messages), default=None)
            has_more = response.has_more and next_before is not None and (before is None or next_before < before)
            messages = tuple(_sanitize_results(response.messages[:limit]))
            return SearchPage(
                messages, has_more, next_before if has_more else None, response.incomplete, SearchSource.SERVER
            )
        room_key = None if request.room is None else names.canonical_key(request.room)
        if self._history is not None:
            for open_room in self._get_rooms():
                await open_room.flush()
            try:
                return await self._history.search(self._server_url, SearchQuery(request.query), room_key, before, limit)
            except LocalStorageError as error:
                log.warning("what is kept here cannot be searched: %s", error.reason)
        logs = [room.log for room in self._get_rooms() if room_key in {None, names.canonical_key(room.name)}]
        newest_first = heapq.merge(
            *(reversed(list(room_log.messages())) for room_log in logs), key=_message_id, reverse=True
        )
        candidates = (message for message in newest_first if before is None or message.id < before)
        return make_page(filter_matches(candidates, SearchQuery(request.query)), limit)

    async def _wait_for_transport(self) -> "Transport":
        """The connection; one that is being made for the first time is waited for.

        Raises:
            TimeoutError: There is none.
        """
        if self._connector.gate.value is None and not isinstance(self._connector.state, Connecting):
            raise TimeoutError
        async with asyncio.timeout(CONNECT_TIMEOUT):
            return await self._connector.gate.wait()


def filter_matches(messages: Iterable[Message], query: SearchQuery) -> Iterator[Message]:
    """Those of some messages that a query finds."""
    return (message for message in messages if not message.deleted and query.matches(message.message))


def make_page(matches: Iterator[Message], limit: int) -> SearchPage:
    """The first of what was found here, and whether there are others."""
    messages = tuple(islice(matches, limit))
    has_more = next(matches, None) is not None
    return SearchPage(messages, has_more, messages[-1].id if has_more else None, False, SearchSource.LOCAL)


def _sanitize_results(messages: Iterable[Message]) -> Iterator[Message]:
    """What a server found, safe to show; what it says is in a room that cannot be is left out."""
    for message in messages:
        try:
            room = names.validate_room_name(message.room)
        except ChatError:
            continue
        yield replace(sanitize.message(message), room=room)


def _message_id(message: Message) -> int:
    return message.id
