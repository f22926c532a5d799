"""Confirmations before the app quits, and the start of its shutdown."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from textual.events import InputEvent, Key
from textual.worker import Worker

from tui_chat.session.i18n import tr
from tui_chat.session.quitting import SIGNAL_EXIT_BASE, InterruptConfirmation, wait_until_sent
from tui_chat.session.strings import app as app_strings
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope


class QuitFlow:
    """Decision whether a request to quit needs a confirmation, and at most one running shutdown.

    `clock` is monotonic; `clock` and `sleep` use seconds.

    Attributes:
        exit_code: First exit code other than 0 of the requests to quit.
    """

    def __init__(
        self,
        keymap: Callable[[], Keymap],
        pending_count: Callable[[], int],
        show_status: Callable[[str], None],
        start_shutdown: Callable[[], Worker[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._keymap = keymap
        self._pending_count = pending_count
        self._show_status = show_status
        self._start_shutdown = start_shutdown
        self._shutdown: Worker[None] | None = None
        self.exit_code = 0
        self._sleep = sleep
        self._confirmation = InterruptConfirmation(clock)
        self._unsent_warning_shown = False

    def quit_on_signal(self, number: int) -> None:
        """Start the shutdown, unless one is running, with the exit code `SIGNAL_EXIT_BASE + number`.

        The exit code of an earlier signal stays.
        """
        self.exit_code = self.exit_code or SIGNAL_EXIT_BASE + number
        self._quit_now()

    def _quit_now(self) -> None:
        """Start the shutdown, unless a shutdown is running."""
        if self._shutdown is None or self._shutdown.is_finished:
            self._shutdown = self._start_shutdown()

    def interrupt(self) -> None:
        """Show a request for a second call, which within `QUIT_CONFIRM_WINDOW` starts the shutdown.

        The shutdown does not wait for unacknowledged messages.
        """
        if self._confirmation.press():
            self._quit_now()
        else:
            self._show_status(tr(app_strings.CONFIRM_QUIT, key=self._keymap().display_key("interrupt")))

    def record_input(self, event: InputEvent) -> None:
        """Cancel a pending confirmation of `interrupt` after any other key."""
        if isinstance(event, Key) and self._keymap().actions[KeyScope.GLOBAL].get(event.key) != "app.interrupt":
            self._confirmation.reset()

    async def quit_when_sent(self) -> None:
        """Start the shutdown after a wait of up to `QUIT_FLUSH_TIMEOUT` for unacknowledged messages.

        If some remain, show a warning instead. Every call after the warning starts the shutdown immediately.
        """
        if self._unsent_warning_shown or await wait_until_sent(self._pending_count, self._sleep):
            self._quit_now()
        else:
            self._unsent_warning_shown = True
            self._show_status(tr("Some messages are unsent. Quit again to send them later."))
