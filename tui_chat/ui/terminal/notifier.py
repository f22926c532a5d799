"""Timed delivery of batched notifications of a session to the terminal."""

import time
from collections.abc import Callable

from tui_chat.session.chat_session import ChatSession
from tui_chat.session.notification_batcher import NotificationBatcher
from tui_chat.ui.terminal.terminal_output import TerminalOutput


class Notifier:
    """Sender of the notifications of one session, batched by `NotificationBatcher`."""

    def __init__(
        self,
        session: ChatSession,
        terminal: Callable[[], TerminalOutput],
        set_timer: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._terminal = terminal
        self._set_timer = set_timer
        self._batcher = NotificationBatcher(clock)
        self._timer_pending = False

    def flush(self) -> None:
        """Move the notifications of the session to the batch. Send the batch if due; otherwise a timer flushes again.

        An empty batch starts no timer, and at most one timer is pending. While the terminal has focus, notifications of
        the current room are removed from the batch.
        """
        session, batcher = self._session, self._batcher
        for pending in session.pop_notifications():
            batcher.add(pending)
        if session.has_focus and session.current_room is not None:
            batcher.discard_room(session.current_room)
        notification = batcher.pop_due(self._terminal().has_notification_preview)
        if notification is not None:
            self._terminal().send_notification(*notification)
        elif batcher.delay is not None and not self._timer_pending:
            self._timer_pending = True
            self._set_timer(batcher.delay, self._flush_on_timer)

    def _flush_on_timer(self) -> None:
        self._timer_pending = False
        self.flush()
