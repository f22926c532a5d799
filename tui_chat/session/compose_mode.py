"""What is being written when it is no plain message: an answer, an edit, a reaction."""

from dataclasses import dataclass
from enum import Enum

from tui_chat.session import emoji_names

QUICK_REACTIONS = ("👍", "❤️", "😂", "🎉", "😮", "👀")
"""Those that a digit stands for."""


class ComposeKind(Enum):
    """What Enter does with the text."""

    REPLY = "reply"
    EDIT = "edit"
    REACT = "react"


@dataclass(frozen=True, slots=True)
class ComposeMode:
    """What the text in the composer is for.

    Attributes:
        seq: The message that it is about.
        about: Who said that and what, in one line.
        began: The text that stood there when it began.
        put_aside: What was being written before.
    """

    kind: ComposeKind
    seq: int
    about: str
    began: str = ""
    put_aside: str = ""


def resolve_emoji(text: str) -> str:
    """The emoji that a typed text means: that of its digit or its name (`tada`, `:tada:`), or itself."""
    stripped = text.strip()
    if len(stripped) == 1 and stripped.isascii() and stripped.isdigit() and 0 < int(stripped) <= len(QUICK_REACTIONS):
        return QUICK_REACTIONS[int(stripped) - 1]
    return emoji_names.find(stripped.strip(":")) or stripped if stripped.isascii() else stripped
