"""Compose modes for replies, edits and reactions."""

from enum import Enum

from msgspec import Struct

from tui_chat.session import emoji_names

QUICK_REACTIONS = ("👍", "❤️", "😂", "🎉", "😮", "👀")
"""Emoji of the digits 1 to 6 in the reaction mode."""


class ComposeKind(Enum):
    """Request that Enter sends with the composer text."""

    REPLY = "reply"
    EDIT = "edit"
    REACT = "react"


class ComposeMode(Struct, frozen=True):
    """Target message of the composer text, and request to send.

    Attributes:
        quote: Author and text of the target message in one line, "" if not displayed.
        initial_text: Composer text at the start of this mode.
        replaced_draft: Draft to restore after this mode.
    """

    kind: ComposeKind
    seq: int
    quote: str
    initial_text: str = ""
    replaced_draft: str = ""


def resolve_emoji(text: str) -> str:
    """Return the emoji for a quick-reaction digit or an emoji name in any case (`tada`, `:tada:`).

    Any other text is returned without surrounding whitespace.
    """
    stripped = text.strip()
    if len(stripped) == 1 and stripped.isascii() and stripped.isdigit() and 0 < int(stripped) <= len(QUICK_REACTIONS):
        return QUICK_REACTIONS[int(stripped) - 1]
    return emoji_names.find(stripped.strip(":")) or stripped
