"""What can be done with a paste that is more than a line or two.

Rule 1  Nothing of a paste is sent unless somebody said so.
Rule 2  In parts or line by line, all of it is sent, in its order; what cannot be is
        not offered.
"""

from dataclasses import dataclass
from enum import Enum

from server.protocol.limits import MESSAGE_CHARACTERS

MESSAGES_MAX = 40
"""Messages that one paste may become; more is not talk any longer."""


class PasteWish(Enum):
    """What to do with a paste."""

    EDIT = "edit"
    ONE = "one"
    PARTS = "parts"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Paste:
    """A paste, cleaned.

    Attributes:
        text: All of it.
    """

    text: str

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n") + 1

    def asks(self, lines_most: int) -> bool:
        """Whether to ask what to do with it.

        Args:
            lines_most: Lines that go in without asking; 0 never asks because of lines.
        """
        return bool(0 < lines_most < self.lines) or len(self.text) > MESSAGE_CHARACTERS

    def wishes(self) -> list[tuple[PasteWish, int]]:
        """What can be done with it, and how many messages that makes (0: none yet)."""
        offered = [(PasteWish.EDIT, 0)]
        if len(self.text) <= MESSAGE_CHARACTERS:
            offered.append((PasteWish.ONE, 1))
        elif (parts := len(self.messages(PasteWish.PARTS))) <= MESSAGES_MAX:
            offered.append((PasteWish.PARTS, parts))
        lines = self.messages(PasteWish.LINES)
        if 1 < len(lines) <= MESSAGES_MAX and max(map(len, lines)) <= MESSAGE_CHARACTERS:
            offered.append((PasteWish.LINES, len(lines)))
        return offered

    def messages(self, wish: PasteWish) -> list[str]:
        """What is said then, message by message; nothing for `EDIT`."""
        match wish:
            case PasteWish.EDIT:
                return []
            case PasteWish.ONE:
                return [self.text]
            case PasteWish.LINES:
                return [line for line in self.text.split("\n") if line.strip()]
            case PasteWish.PARTS:
                return _parts(self.text, MESSAGE_CHARACTERS)


def _parts(text: str, most: int) -> list[str]:
    """The text in pieces of at most that many characters, broken at line breaks, or at spaces in a longer line."""
    parts: list[str] = []
    while len(text) > most:
        end = text.rfind("\n", 0, most + 1)
        if end <= 0:
            end = text.rfind(" ", 0, most + 1)
        skipped = 1 if end > 0 else 0
        end = end if end > 0 else most
        parts.append(text[:end])
        text = text[end + skipped :]
    return [part for part in [*parts, text] if part.strip()]
