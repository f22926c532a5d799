"""Compose modes for replies, edits and reactions."""

from dataclasses import dataclass
from enum import Enum

from tui_chat.session import emoji_names

QUICK_REACTIONS = ("👍", "❤️", "😂", "🎉", "😮", "👀")
"""Reactions selectable by the digits from 1."""


class ComposeKind(Enum):
    """Request that Enter sends with the composer text."""

    REPLY = "reply"
    EDIT = "edit"
    REACT = "react"


@dataclass(frozen=True, slots=True)
class ComposeMode:
    """Target message of the composer text.

    Attributes:
        kind: Request to send.
        seq: Log position of the target message.
        about: Author and text of the target message, in one line.
        began: Initial composer text of this mode.
        put_aside: Draft to restore after this mode.
    """

    kind: ComposeKind
    seq: int
    about: str
    began: str = ""
    put_aside: str = ""


def resolve_emoji(text: str) -> str:
    """Return the emoji for a quick-reaction digit or an emoji name (`tada`, `:tada:`), other text unchanged."""
    stripped = text.strip()
    if len(stripped) == 1 and stripped.isascii() and stripped.isdigit() and 0 < int(stripped) <= len(QUICK_REACTIONS):
        return QUICK_REACTIONS[int(stripped) - 1]
    return emoji_names.find(stripped.strip(":")) or stripped if stripped.isascii() else stripped
