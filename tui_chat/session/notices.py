"""What a person is told who is not looking: which messages, in which words, and how often.

Rule 1  The first is told at once, what comes within `GATHER` seconds after it together.
Rule 2  What was read meanwhile is not told any more.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tui_chat.session import words
from tui_chat.session.lines import ACTION

GATHER = 5.0
"""Seconds between two notifications."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that somebody wants to be told of.

    Attributes:
        room: Where it was said.
        nick: Who said it.
        text: What was said.
        named: It names you.
    """

    room: str
    nick: str
    text: str
    named: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification, its texts as people wrote them.

    Attributes:
        body: May be empty.
    """

    title: str
    body: str


class Notices:
    """Gathers what was heard into a notification now and then."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Nothing was heard yet.

        Args:
            now: Seconds of a clock that never goes back.
        """
        self._now = now
        self._heard: list[Heard] = []
        self._next = float("-inf")

    def hear(self, heard: Heard) -> None:
        """Something was said."""
        self._heard.append(heard)

    def read(self, room: str) -> None:
        """A room was read: nothing of it need be told."""
        self._heard = [heard for heard in self._heard if heard.room != room]

    @property
    def wait(self) -> float | None:
        """Seconds until something is to be told, 0 for now, None for nothing."""
        return max(0.0, self._next - self._now()) if self._heard else None

    def take(self, show_text: bool) -> Notice | None:
        """What is to be told now, None for nothing.

        Args:
            show_text: It may hold what was said.
        """
        if self.wait != 0.0:
            return None
        self._next = self._now() + GATHER
        heard, self._heard = self._heard, []
        last = next((each for each in reversed(heard) if each.named), heard[-1])
        rooms = list(dict.fromkeys(each.room for each in heard))
        if len(heard) == 1:
            title = words.notice_of(last.nick, last.room, last.named)
            body = words.quoted(last.nick, last.text) if last.text.startswith(ACTION) else last.text
            return Notice(title, body if show_text else "")
        title = words.notice_of_several(len(heard), rooms)
        return Notice(title, words.quoted(last.nick, last.text) if show_text else "")
