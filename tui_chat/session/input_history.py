"""Input history of one room for the Up and Down keys."""

from collections import deque
from collections.abc import Iterable

MAX_HISTORY = 100
"""Maximum number of texts per room."""


class InputHistory:
    """Newest `MAX_HISTORY` sent texts of a room, oldest first, and the current position among them.

    The draft is stored during navigation and follows the newest text.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts: deque[str] = deque(texts, maxlen=MAX_HISTORY)
        self._steps_back = 0  # 0 is the draft
        self._draft = ""

    def add(self, text: str) -> None:
        """Append a sent text unless the newest entry is equal, and return to the draft position."""
        if not self.texts or self.texts[-1] != text:
            self.texts.append(text)
        self._steps_back = 0

    def set_position(self, steps_back: int, draft: str) -> None:
        """Set the distance from the draft in entries (0 for the draft), and the draft."""
        self._steps_back, self._draft = steps_back, draft

    def ends_with(self, text: str) -> bool:
        """Return whether `text` is the newest entry, True for an empty history."""
        return not self.texts or self.texts[-1] == text

    def step_back(self, draft: str) -> str | None:
        """Move to the previous entry and return its text; None without effect at the oldest entry.

        The first step stores the draft.
        """
        if self._steps_back == len(self.texts):
            return None
        if self._steps_back == 0:
            self._draft = draft
        self._steps_back += 1
        return self.texts[-self._steps_back]

    def step_forward(self) -> str | None:
        """Move to the next entry and return its text, the draft after the newest; None at the draft position."""
        if self._steps_back == 0:
            return None
        self._steps_back -= 1
        return self.texts[-self._steps_back] if self._steps_back else self._draft
