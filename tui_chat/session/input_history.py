"""What was sent in one room, to be walked with Up and Down."""

from collections import deque
from collections.abc import Iterable, Sequence

MAX_HISTORY = 100
"""Texts that are kept of a room."""


class InputHistory:
    """The last texts sent, and where in them one stands.

    The text that was being written is kept while one walks, and is what stands
    below the newest.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Make it.

        Args:
            texts: What was sent before, oldest first.
        """
        self._texts: deque[str] = deque(texts, maxlen=MAX_HISTORY)
        self._steps_back = 0  # how many steps above what is being written
        self._draft = ""

    @property
    def texts(self) -> Sequence[str]:
        """What was sent, oldest first."""
        return self._texts

    def add(self, text: str) -> None:
        """Put a text that was sent behind the others; a repeat of the last is kept once."""
        if not self._texts or self._texts[-1] != text:
            self._texts.append(text)
        self._steps_back = 0

    def set_position(self, steps_back: int, draft: str) -> None:
        """A text that many steps above what is being written is shown; Down leads back to that.

        Args:
            steps_back: 0 for what is being written itself.
            written: What that is.
        """
        self._steps_back, self._draft = steps_back, draft

    def ends_with(self, text: str) -> bool:
        """Nothing was sent after this text, as far as is known."""
        return not self._texts or self._texts[-1] == text

    def older(self, draft: str) -> str | None:
        """The text before the one shown, None when there is none.

        Args:
            written: What is in the composer now.
        """
        if self._steps_back == len(self._texts):
            return None
        if self._steps_back == 0:
            self._draft = draft
        self._steps_back += 1
        return self._texts[-self._steps_back]

    def newer(self) -> str | None:
        """The text after the one shown, in the end what was being written; None when that is shown."""
        if self._steps_back == 0:
            return None
        self._steps_back -= 1
        return self._texts[-self._steps_back] if self._steps_back else self._draft
