"""What a search found."""

from dataclasses import dataclass
from enum import Enum

from tui_chat.protocol.events import Message


class SearchSource(Enum):
    """What was searched."""

    SERVER = "server"
    LOCAL = "here"


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of what a search found.

    Attributes:
        messages: Newest first, each in its present state as far as it is known.
        has_more: There may be more: search again with `before` set to `next`.
        next: How far the search came, as an `id`; a page may be empty and still have a next one.
        incomplete: The server is still indexing older messages, and did not look at them.
        source: What was searched.
    """

    messages: tuple[Message, ...]
    has_more: bool
    next_before: int | None
    incomplete: bool
    source: SearchSource
