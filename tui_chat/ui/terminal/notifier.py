"""Timed delivery of batched notifications to the terminal."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui_chat.session.notification_batcher import NotificationBatcher
from tui_chat.ui.settings_app import SettingsApp

if TYPE_CHECKING:
    from tui_chat.session.chat_session import ChatSession


class Notifier:
    """Notifications of one app, batched by `NotificationBatcher`.

    Args:
        app: App that writes the notifications to the terminal.
        get_session: Returns the current chat session, None if there is none.
    """

    def __init__(self, app: SettingsApp, get_session: "Callable[[], ChatSession | None]") -> None:
        self._app = app
        self._get_session = get_session
        self._batcher = NotificationBatcher(time.monotonic)
        self._timer: Timer | None = None

    def flush(self) -> None:
        """Send a notification that is due, or start the timer for the next one.

        Notifications of the current room are discarded while the terminal has focus.
        """
        session = self._get_session()
        if session is None:
            return
        batcher = self._batcher
        for pending in session.pop_notifications():
            batcher.add(pending)
        if session.has_focus and session.current_room is not None:
            batcher.discard_room(session.current_room.name)
        notification = batcher.pop_due(self._app.settings.notification_preview)
        if notification is not None:
            self._app.send_notification(notification.title, notification.body)
        elif batcher.delay is not None and self._timer is None:
            self._timer = self._app.set_timer(batcher.delay, self._flush_on_timer)

    def _flush_on_timer(self) -> None:
        self._timer = None
        self.flush()
