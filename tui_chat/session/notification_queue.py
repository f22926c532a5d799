"""Queue of messages for notifications, by the notification levels of the settings."""

from collections import deque
from collections.abc import Callable, Sequence

from tui_chat.session.lines import MessageLine
from tui_chat.session.notification_batcher import NotifiableMessage
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings.name_lookup import is_ignored, is_room_muted, notification_level
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import chat as chat_strings

MAX_QUEUED_NOTIFICATIONS = 1_000
"""Capacity of the queue; the oldest notification is dropped on overflow."""


class NotificationQueue:
    """Messages that qualify for a notification by the current settings, oldest first.

    Args:
        server: Base URL of the server, for its notification levels.
    """

    def __init__(self, settings: Callable[[], ClientSettings], server: str) -> None:
        self._settings = settings
        self._server = server
        self._queue: deque[NotifiableMessage] = deque(maxlen=MAX_QUEUED_NOTIFICATIONS)

    def is_muted(self, room: str) -> bool:
        """Return whether notifications of this room are off. False if only the default level is `none`."""
        return is_room_muted(self._settings(), self._server, room)

    def add(self, view: RoomView, lines: Sequence[MessageLine]) -> None:
        """Queue the messages that the notification level of the room includes, except under an ignored nickname.

        An unmuted direct room has the level `all`.
        """
        settings = self._settings()
        is_unmuted_direct = view.room.is_direct and not self.is_muted(view.name)
        level = "all" if is_unmuted_direct else notification_level(settings, self._server, view.name)
        for line in lines:
            if (level == "all" or (level == "mentions" and line.is_mention)) and not is_ignored(settings, line.nick):
                nick = chat_strings.mark_nick(line.nick, line.is_confusable, line.is_bot)
                self._queue.append(NotifiableMessage(view, nick, line.text, line.is_mention, line.seq or 0, line.files))

    def pop_all(self) -> list[NotifiableMessage]:
        """Return the queued messages and clear the queue."""
        messages = list(self._queue)
        self._queue.clear()
        return messages
