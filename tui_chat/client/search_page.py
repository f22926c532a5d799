"""Search result types."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from tui_chat.protocol.events import Message

Position = tuple[int, int]
"""`ts` and `id` of a message, which increase within a room."""


class SearchSource(Enum):
    """Origin of the search results."""

    SERVER = "server"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class SearchCursor:
    """Position in the results of one search, opaque to callers.

    Attributes:
        server: Cursor of the server for its next page, None for its first page.
        before: Position of the last message of the previous pages. A local page continues there; None for no bound.
        local_end: Position of the last message of the local pages. Pages of the server omit messages up to this one;
            None without a local page.
    """

    server: str | None = None
    before: Position | None = None
    local_end: Position | None = None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Page of search results.

    Attributes:
        messages: Matching messages in their last known state, newest first.
        next: Cursor of the next page, possibly after an empty page; None on the last page.
        incomplete: True if the server's search index does not cover all messages.
        source: Server or local history.
    """

    messages: tuple[Message, ...]
    next: SearchCursor | None
    incomplete: bool
    source: SearchSource


SearchFunction = Callable[[str, str | None, SearchCursor | None, int], Awaitable[SearchPage]]
"""Function with the parameters of `MessageSearcher.search`."""


def get_position(message: Message) -> Position:
    """Return the position of a message in search results: `ts` and `id`."""
    return message.ts, message.id
