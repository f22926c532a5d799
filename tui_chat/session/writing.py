"""What is being written when it is no plain message: an answer, an edit, a reaction."""

from dataclasses import dataclass
from enum import Enum

from tui_chat.session import emoji_names

EMOJIS = ("👍", "❤️", "😂", "🎉", "😮", "👀")
"""Those that a digit stands for."""


class Kind(Enum):
    """What Enter does with the text."""

    REPLY = "reply"
    EDIT = "edit"
    REACT = "react"


@dataclass(frozen=True, slots=True)
class Writing:
    """What the text in the composer is for.

    Attributes:
        seq: The message that it is about.
        about: Who said that and what, in one line.
        began: The text that stood there when it began.
        put_aside: What was being written before.
    """

    kind: Kind
    seq: int
    about: str
    began: str = ""
    put_aside: str = ""


def emoji_of(text: str) -> str:
    """The emoji that a typed text means: that of its digit or its name (`tada`, `:tada:`), or itself."""
    typed = text.strip()
    if len(typed) == 1 and typed.isascii() and typed.isdigit() and 0 < int(typed) <= len(EMOJIS):
        return EMOJIS[int(typed) - 1]
    return emoji_names.named(typed.strip(":")) or typed if typed.isascii() else typed
