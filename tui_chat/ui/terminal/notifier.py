"""Timed delivery of batched notifications to the terminal."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_chat.session.notification_batcher import NotificationBatcher

if TYPE_CHECKING:
    from tui_chat.session.chat_session import ChatSession


class Notifier:
    """Notifications of one app, batched by `NotificationBatcher`.

    Args:
        get_session: Returns the current chat session, None if there is none.
        preview: Returns the `notification_preview` setting.
        send: Sends a notification with title and body.
        set_timer: Calls a function after a delay in seconds.
        clock: Monotonic clock in seconds.
    """

    def __init__(
        self,
        get_session: "Callable[[], ChatSession | None]",
        preview: Callable[[], bool],
        send: Callable[[str, str], None],
        set_timer: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._get_session = get_session
        self._preview = preview
        self._send = send
        self._set_timer = set_timer
        self._batcher = NotificationBatcher(clock)
        self._timer_pending = False

    def flush(self) -> None:
        """Pop the notifications of the session, and send the batch if due, or start the timer for the next one.

        Notifications of the current room are discarded while the terminal has focus. No effect without a session.
        """
        session = self._get_session()
        if session is None:
            return
        batcher = self._batcher
        for pending in session.pop_notifications():
            batcher.add(pending)
        if session.has_focus and session.current_room is not None:
            batcher.discard_room(session.current_room.name)
        notification = batcher.pop_due(self._preview())
        if notification is not None:
            self._send(*notification)
        elif batcher.delay is not None and not self._timer_pending:
            self._timer_pending = True
            self._set_timer(batcher.delay, self._flush_on_timer)

    def _flush_on_timer(self) -> None:
        self._timer_pending = False
        self.flush()
