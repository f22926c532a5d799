"""Searching what was said: the server while there is a connection, and otherwise what is on this computer.

Both find by the same rule (`server.protocol.search_terms`), newest first.
"""

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from server.protocol import names
from server.protocol.answers import SearchResponse
from server.protocol.entries import Message
from server.protocol.errors import ChatError
from server.protocol.limits import HISTORY_DEFAULT
from server.protocol.requests import Search
from server.protocol.search_terms import SearchQuery
from tui_chat.client import cleaning
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.events import Connecting
from tui_chat.client.link import Link
from tui_chat.client.local_history import LocalHistory
from tui_chat.client.results import Results, Source
from tui_chat.client.sqlite_file import StorageFault

if TYPE_CHECKING:
    from tui_chat.client.room import Room
    from tui_chat.client.transport import Transport

log = logging.getLogger("chat.client")

PATIENCE = 10.0
"""Seconds for the server's answer; after that what is here is searched."""

CONNECTED_WITHIN = 1.0
"""Seconds to wait for the first connection while it is being made."""


class Searcher:
    """Searches for one client.

    Args:
        server: The base URL.
        link: The way to it.
        history: What is kept on this computer, None when nothing is.
        rooms: Those that are open, searched in memory when nothing is kept.
    """

    def __init__(
        self,
        server: str,
        link: Link,
        history: LocalHistory | None,
        rooms: Callable[[], Iterable["Room"]],
    ) -> None:
        self._server = server
        self._link = link
        self._history = history
        self._rooms = rooms

    async def search(self, query: str, room: str | None, before: int | None, limit: int = HISTORY_DEFAULT) -> Results:
        """See `ChatClient.search`."""
        request = Search(query=query, room=room, before=before, limit=limit)
        try:
            transport = await self._transport()
            async with asyncio.timeout(PATIENCE):
                found = await transport.request(request, SearchResponse)
        except (ConnectionLost, TimeoutError):
            log.debug("no server answers a search, what is here is searched")
        else:
            place = found.next or min((message.id for message in found.messages), default=None)
            goes_on = found.has_more and place is not None and (before is None or place < before)
            messages = tuple(_clean(found.messages[:limit]))
            return Results(messages, goes_on, place if goes_on else None, found.incomplete, Source.SERVER)
        key = None if request.room is None else names.canonical_key(request.room)
        if self._history is not None:
            for joined in self._rooms():
                await joined.settled()
            try:
                return await self._history.search(self._server, SearchQuery(request.query), key, before, limit)
            except StorageFault as fault:
                log.warning("what is kept here cannot be searched: %s", fault.reason)
        logs = [room.log for room in self._rooms() if key in {None, names.canonical_key(room.name)}]
        newest_first = heapq.merge(*(reversed(list(each.messages())) for each in logs), key=_id, reverse=True)
        older = (message for message in newest_first if before is None or message.id < before)
        return page(found_in(older, SearchQuery(request.query)), limit)

    async def _transport(self) -> "Transport":
        """The connection; one that is being made for the first time is waited for.

        Raises:
            TimeoutError: There is none.
        """
        if self._link.gate.value is None and not isinstance(self._link.state, Connecting):
            raise TimeoutError
        async with asyncio.timeout(CONNECTED_WITHIN):
            return await self._link.gate.passed()


def found_in(messages: Iterable[Message], query: SearchQuery) -> Iterator[Message]:
    """Those of some messages that a query finds."""
    return (message for message in messages if not message.deleted and query.matches(message.message))


def page(found: Iterator[Message], limit: int) -> Results:
    """The first of what was found here, and whether there are others."""
    messages = tuple(islice(found, limit))
    has_more = next(found, None) is not None
    return Results(messages, has_more, messages[-1].id if has_more else None, False, Source.HERE)


def _clean(messages: Iterable[Message]) -> Iterator[Message]:
    """What a server found, safe to show; what it says is in a room that cannot be is left out."""
    for message in messages:
        try:
            room = names.validate_room_name(message.room)
        except ChatError:
            continue
        yield replace(cleaning.message(message), room=room)


def _id(message: Message) -> int:
    return message.id
