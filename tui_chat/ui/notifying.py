"""Telling somebody who is not here what was said: the gathering of `Notices`, at its times."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui_chat.session.notices import Notices
from tui_chat.ui.settings_app import SettingsApp

if TYPE_CHECKING:
    from tui_chat.session.session import Session


class Notifying:
    """The notifications of one program.

    Args:
        app: What tells them.
        session: Gives what is open now, None for nothing.
    """

    def __init__(self, app: SettingsApp, session: "Callable[[], Session | None]") -> None:
        self._app = app
        self._session = session
        self._notices = Notices(time.monotonic)
        self._next: Timer | None = None

    def tell(self) -> None:
        """Tell what was heard, or see to it that it is told when its time has come."""
        session = self._session()
        if session is None:
            return
        notices = self._notices
        for heard in session.take_heard():
            notices.hear(heard)
        if session.in_focus and session.current is not None:
            notices.read(session.current.name)
        notice = notices.take(self._app.settings.notify_text)
        if notice is not None:
            self._app.tell(notice.title, notice.body)
        elif notices.wait is not None and self._next is None:
            self._next = self._app.set_timer(notices.wait, self._tell_later)

    def _tell_later(self) -> None:
        self._next = None
        self.tell()
