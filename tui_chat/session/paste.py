"""Options for a paste that is too large for the composer line.

- Order: the messages of `CHUNKS` and `LINE_BY_LINE` have the order of the text.
"""

from dataclasses import dataclass
from enum import Enum

from tui_chat.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.protocol.sanitize import is_blank

MAX_MESSAGES = 40
"""Maximum number of messages from one paste, a flood guard."""

MAX_EDITED_CHARACTERS = 65_536
"""Maximum length of a paste into the composer or as messages."""

MAX_FILE_CHARACTERS = 5_000_000
"""Maximum length of a paste as a file."""


class PasteMode(Enum):
    """Treatment of a large paste: insertion into the composer, or one of four ways to send the text."""

    EDIT = "edit"
    SINGLE_MESSAGE = "one"
    CHUNKS = "parts"
    LINE_BY_LINE = "lines"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Paste:
    """Complete text of a sanitized paste."""

    text: str

    @property
    def line_count(self) -> int:
        """Number of newlines plus 1."""
        return self.text.count("\n") + 1

    def needs_confirmation(self, max_lines: int) -> bool:
        """Return whether the paste exceeds the length limit of a message, or `max_lines` lines unless 0."""
        return 0 < max_lines < self.line_count or len(self.text) > MESSAGE_CHARACTERS

    def available_modes(self, *, may_upload: bool = False) -> list[tuple[PasteMode, int]]:
        """Return each possible mode with its number of messages; 0 for `EDIT`.

        A mode above `MAX_MESSAGES` messages is omitted. `SINGLE_MESSAGE` and `CHUNKS` exclude each other.
        `LINE_BY_LINE` needs at least two lines with text, each within the length limit. `FILE` needs `may_upload`;
        above `MAX_EDITED_CHARACTERS`, only `FILE` is possible, and above `MAX_FILE_CHARACTERS` no mode.
        """
        file_modes = [(PasteMode.FILE, 1)] if may_upload and len(self.text) <= MAX_FILE_CHARACTERS else []
        return file_modes if len(self.text) > MAX_EDITED_CHARACTERS else self._text_modes() + file_modes

    def _text_modes(self) -> list[tuple[PasteMode, int]]:
        """Return the modes other than `FILE` with their numbers of messages."""
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
        """Return the message bodies for a mode, an empty list for `EDIT` and `FILE`.

        Blank lines, blank chunks and the newline or space between two chunks are omitted. The limits of
        `available_modes` are not checked.
        """
        match mode:
            case PasteMode.EDIT | PasteMode.FILE:
                return []
            case PasteMode.SINGLE_MESSAGE:
                return [self.text]
            case PasteMode.LINE_BY_LINE:
                return [line for line in self.text.split("\n") if not is_blank(line)]
            case PasteMode.CHUNKS:
                return _split_text(self.text, MESSAGE_CHARACTERS)


def _split_text(text: str, limit: int) -> list[str]:
    """Split `text` into chunks of at most `limit` characters, preferably at newlines, then at spaces.

    The newline or space at a break and blank chunks are dropped.
    """
    chunks: list[str] = []
    while len(text) > limit:
        breaks = (text.rfind(separator, 0, limit + 1) for separator in ("\n", " "))
        end = next((index for index in breaks if index > 0), None)
        chunks.append(text[: end or limit])
        text = text[limit if end is None else end + 1 :]
    return [chunk for chunk in [*chunks, text] if not is_blank(chunk)]
