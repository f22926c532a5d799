"""Batching of desktop notifications.

- Rate: the first message notifies immediately; the next notification follows after at least `BATCH_INTERVAL`
  seconds and covers all messages since.
- Read rooms: the caller discards the queued messages of a room that the user views (`discard_room`).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tui_chat.session.i18n import plural, tr
from tui_chat.session.lines import action_text
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings

MAX_PENDING = 1_000
"""Maximum number of messages in one notification."""

BATCH_INTERVAL = 5.0
"""Minimum interval between notifications, in seconds."""


@dataclass(frozen=True, slots=True)
class NotifiableMessage:
    """Message that qualifies for a notification.

    Attributes:
        nick: Author's nickname, with the marks of a confusable nickname and of a bot.
        seq: `seq` of the message, 0 if unknown.
        files: Files as a phrase, "" without files.
    """

    view: RoomView
    nick: str
    text: str
    is_mention: bool
    seq: int = 0
    files: str = ""

    @property
    def content(self) -> str:
        """Message body, followed by the files in a further line."""
        return "\n".join(filter(None, (self.text, self.files)))


class NotificationBatcher:
    """Queue that merges messages into notifications, with a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._pending: deque[NotifiableMessage] = deque(maxlen=MAX_PENDING)
        self._next_at = float("-inf")

    def add(self, message: NotifiableMessage) -> None:
        """Queue a message; above `MAX_PENDING` messages, the oldest one is dropped."""
        self._pending.append(message)

    def discard_room(self, view: RoomView) -> None:
        """Remove the queued messages of a room."""
        self._pending = deque((message for message in self._pending if message.view is not view), MAX_PENDING)

    @property
    def delay(self) -> float | None:
        """Seconds until the next notification is due; 0 if due now, None without queued messages."""
        return max(0.0, self._next_at - self._now()) if self._pending else None

    def pop_due(self, show_text: bool) -> tuple[str, str] | None:
        """Return title and body of the due notification and clear the queue, None if nothing is due.

        Titles: `ann in lobby`, `ann mentioned you in lobby`, `3 messages in lobby and dev`. The texts from members are
        unescaped. The body is the content of a single message, with the author for an action; for several messages, it
        has author and content of the newest mention, otherwise of the newest message. Without `show_text`, the body is
        empty.
        """
        if self.delay != 0.0:
            return None
        self._next_at = self._now() + BATCH_INTERVAL
        messages = list(self._pending)
        self._pending.clear()
        highlight = next((message for message in reversed(messages) if message.is_mention), messages[-1])
        body = chat_strings.quote(highlight.nick, highlight.content)
        if len(messages) > 1:
            rooms = chat_strings.summarize_names(list(dict.fromkeys(message.view.title for message in messages)), 3)
            title = plural("{count:,} message in {rooms}", "{count:,} messages in {rooms}", len(messages), rooms=rooms)
        else:
            title = (
                tr("{nick} mentioned you in {room}", nick=highlight.nick, room=highlight.view.title)
                if highlight.is_mention
                else tr("{nick} in {room}", nick=highlight.nick, room=highlight.view.title)
            )
            body = body if action_text(highlight.text) else highlight.content
        return title, body if show_text else ""
