"""Confirmations before the app quits."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.render_scheduler import RENDER_INTERVAL

QUIT_CONFIRM_WINDOW = 2.0  # maximum interval between two Ctrl+C presses that quit, in seconds

QUIT_FLUSH_TIMEOUT = 1.0  # seconds that quitting waits for unacknowledged messages


class QuitFlow:
    """Decision whether a request to quit needs a confirmation.

    Args:
        pending_count: Returns the number of unacknowledged messages.
        show_status: Shows a message to the user.
        quit_now: Shuts the app down.
        clock: Monotonic clock in seconds.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        pending_count: Callable[[], int],
        show_status: Callable[[str], None],
        quit_now: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pending_count = pending_count
        self._show_status = show_status
        self._quit_now = quit_now
        self._clock = clock
        self._sleep = sleep
        self._confirm_until = 0.0
        self._unsent_warning_shown = False

    def interrupt(self) -> None:
        """Ask for a second call, and quit if it follows within `QUIT_CONFIRM_WINDOW`. Does not wait for messages."""
        if self._clock() < self._confirm_until:
            self._quit_now()
        else:
            self._confirm_until = self._clock() + QUIT_CONFIRM_WINDOW
            self._show_status(tr(chat_strings.CONFIRM_QUIT))

    async def quit_when_sent(self) -> None:
        """Quit after a wait of up to `QUIT_FLUSH_TIMEOUT` for unacknowledged messages.

        If some remain, show a warning instead. The warning appears once; every later call quits immediately.
        """
        # Count pauses instead of elapsed time: on a busy machine an ack may be received but not processed yet.
        attempts_left = round(QUIT_FLUSH_TIMEOUT / RENDER_INTERVAL)
        while self._pending_count() and not self._unsent_warning_shown:
            if not attempts_left:
                self._unsent_warning_shown = True
                self._show_status(tr("Some messages are unsent. Quit again to send them later."))
                return
            attempts_left -= 1
            await self._sleep(RENDER_INTERVAL)
        self._quit_now()
