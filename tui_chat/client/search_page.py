"""Search result types."""

from dataclasses import dataclass
from enum import Enum

from tui_chat.protocol.events import Message


class SearchSource(Enum):
    """Origin of the search results."""

    SERVER = "server"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Page of search results.

    Attributes:
        messages: Matching messages in their last known state, newest first.
        has_more: True if older matches may exist. Continue with `before=next_before`, also after an empty page.
        next_before: Message `id` at which the search stopped, None on the last page.
        incomplete: True if the server's search index does not cover all messages.
        source: Server or local history.
    """

    messages: tuple[Message, ...]
    has_more: bool
    next_before: int | None
    incomplete: bool
    source: SearchSource
