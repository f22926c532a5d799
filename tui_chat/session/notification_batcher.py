"""What a person is told who is not looking: which messages, in which words, and how often.

Rule 1  The first is told at once, what comes within `GATHER` seconds after it together.
Rule 2  What was read meanwhile is not told any more.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tui_chat.session.lines import ACTION_PREFIX
from tui_chat.session.strings import chat as chat_strings

BATCH_INTERVAL = 5.0
"""Seconds between two notifications."""


@dataclass(frozen=True, slots=True)
class NotifiableMessage:
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
    is_mention: bool


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification, its texts as people wrote them.

    Attributes:
        body: May be empty.
    """

    title: str
    body: str


class NotificationBatcher:
    """Gathers what was heard into a notification now and then."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Nothing was heard yet.

        Args:
            now: Seconds of a clock that never goes back.
        """
        self._now = now
        self._pending: list[NotifiableMessage] = []
        self._next_at = float("-inf")

    def add(self, message: NotifiableMessage) -> None:
        """Something was said."""
        self._pending.append(message)

    def discard_room(self, room: str) -> None:
        """A room was read: nothing of it need be told."""
        self._pending = [message for message in self._pending if message.room != room]

    @property
    def delay(self) -> float | None:
        """Seconds until something is to be told, 0 for now, None for nothing."""
        return max(0.0, self._next_at - self._now()) if self._pending else None

    def pop_due(self, show_text: bool) -> Notification | None:
        """What is to be told now, None for nothing.

        Args:
            show_text: It may hold what was said.
        """
        if self.delay != 0.0:
            return None
        self._next_at = self._now() + BATCH_INTERVAL
        messages, self._pending = self._pending, []
        highlight = next((each for each in reversed(messages) if each.is_mention), messages[-1])
        rooms = list(dict.fromkeys(each.room for each in messages))
        if len(messages) == 1:
            title = chat_strings.notification_title(highlight.nick, highlight.room, highlight.is_mention)
            body = (
                chat_strings.quote(highlight.nick, highlight.text)
                if highlight.text.startswith(ACTION_PREFIX)
                else highlight.text
            )
            return Notification(title, body if show_text else "")
        title = chat_strings.notification_summary_title(len(messages), rooms)
        return Notification(title, chat_strings.quote(highlight.nick, highlight.text) if show_text else "")
