"""Telling somebody who is not here what was said: the gathering of `Notices`, at its times."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui_chat.session.notices import NotificationBatcher
from tui_chat.ui.settings_app import SettingsApp

if TYPE_CHECKING:
    from tui_chat.session.session import ChatSession


class Notifying:
    """The notifications of one program.

    Args:
        app: What tells them.
        session: Gives what is open now, None for nothing.
    """

    def __init__(self, app: SettingsApp, session: "Callable[[], ChatSession | None]") -> None:
        self._app = app
        self._session = session
        self._notices = NotificationBatcher(time.monotonic)
        self._next: Timer | None = None

    def tell(self) -> None:
        """Tell what was heard, or see to it that it is told when its time has come."""
        session = self._session()
        if session is None:
            return
        notices = self._notices
        for heard in session.pop_notifications():
            notices.add(heard)
        if session.has_focus and session.current_room is not None:
            notices.discard_room(session.current_room.name)
        notice = notices.pop_due(self._app.settings.notify_text)
        if notice is not None:
            self._app.tell(notice.title, notice.body)
        elif notices.delay is not None and self._next is None:
            self._next = self._app.set_timer(notices.delay, self._tell_later)

    def _tell_later(self) -> None:
        self._next = None
        self.tell()
