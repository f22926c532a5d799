"""What can be done with a paste that is more than a line or two.

Rule 1  Nothing of a paste is sent unless somebody said so.
Rule 2  In parts or line by line, all of it is sent, in its order; what cannot be is
        not offered.
"""

from dataclasses import dataclass
from enum import Enum

from tui_chat.protocol.limits import MESSAGE_CHARACTERS

MAX_MESSAGES = 40
"""Messages that one paste may become; more is not talk any longer."""


class PasteMode(Enum):
    """What to do with a paste."""

    EDIT = "edit"
    SINGLE_MESSAGE = "one"
    CHUNKS = "parts"
    LINE_BY_LINE = "lines"


@dataclass(frozen=True, slots=True)
class Paste:
    """A paste, cleaned.

    Attributes:
        text: All of it.
    """

    text: str

    @property
    def line_count(self) -> int:
        """How many lines it has."""
        return self.text.count("\n") + 1

    def needs_confirmation(self, max_lines: int) -> bool:
        """Whether to ask what to do with it.

        Args:
            lines_most: Lines that go in without asking; 0 never asks because of lines.
        """
        return bool(0 < max_lines < self.line_count) or len(self.text) > MESSAGE_CHARACTERS

    def available_modes(self) -> list[tuple[PasteMode, int]]:
        """What can be done with it, and how many messages that makes (0: none yet)."""
        modes = [(PasteMode.EDIT, 0)]
        if len(self.text) <= MESSAGE_CHARACTERS:
            modes.append((PasteMode.SINGLE_MESSAGE, 1))
        elif (chunk_count := len(self.messages(PasteMode.CHUNKS))) <= MAX_MESSAGES:
            modes.append((PasteMode.CHUNKS, chunk_count))
        line_messages = self.messages(PasteMode.LINE_BY_LINE)
        if 1 < len(line_messages) <= MAX_MESSAGES and max(map(len, line_messages)) <= MESSAGE_CHARACTERS:
            modes.append((PasteMode.LINE_BY_LINE, len(line_messages)))
        return modes

    def messages(self, mode: PasteMode) -> list[str]:
        """What is said then, message by message; nothing for `EDIT`."""
        match mode:
            case PasteMode.EDIT:
                return []
            case PasteMode.SINGLE_MESSAGE:
                return [self.text]
            case PasteMode.LINE_BY_LINE:
                return [line for line in self.text.split("\n") if line.strip()]
            case PasteMode.CHUNKS:
                return _split_text(self.text, MESSAGE_CHARACTERS)


def _split_text(text: str, limit: int) -> list[str]:
    """The text in pieces of at most that many characters, broken at line breaks, or at spaces in a longer line."""
    chunks: list[str] = []
    while len(text) > limit:
        end = text.rfind("\n", 0, limit + 1)
        if end <= 0:
            end = text.rfind(" ", 0, limit + 1)
        skipped = 1 if end > 0 else 0
        end = end if end > 0 else limit
        chunks.append(text[:end])
        text = text[end + skipped :]
    return [chunk for chunk in [*chunks, text] if chunk.strip()]
