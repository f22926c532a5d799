"""Textual's terminal driver, made to survive a terminal that goes away.

When the window is closed or the line breaks, writing fails. The driver's writing
thread then dies, its bounded queue fills up, and whoever writes next waits for
ever: the program stays behind without a terminal. Here what cannot be written is
dropped, and the program is told, so that it ends in order
(tests/ui/terminal/test_terminal_restore.py).

Over a slow line the same queue fills up and holds up the program. So the driver says
when it is `behind`, and what comes from the network waits until the line has caught up.
"""

import logging
import select
from threading import Thread
from typing import TextIO, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Event

log = logging.getLogger("chat.ui")

MAX_PENDING_WRITES = 3
"""Writes that may be on their way before the line counts as behind: those of a screen or two."""


_PUSH_TITLE = "\x1b[22;2t"
_POP_TITLE = "\x1b[23;2t"
"""The stack of titles (XTWINOPS, xterm "Control Sequences")."""


class TerminalDisconnected(Event):
    """Nothing can be read from the terminal any more."""


class _DisconnectSafeFile:
    """A file on which a failing write is the last."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._disconnected = False
        self.write_count = 0

    def write(self, text: str) -> int:
        if not self._disconnected:
            try:
                self._file.write(text)
            except OSError:
                self._disconnected = True
        self.write_count += 1
        return len(text)

    def flush(self) -> None:
        if not self._disconnected:
            try:
                self._file.flush()
            except OSError:
                self._disconnected = True

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()


class TerminalDriver(LinuxDriver):
    """The driver of the program, which can also give the window a title and let go of the mouse."""

    _window_title = ""
    _safe_file: _DisconnectSafeFile | None = None
    _queued_writes = 0

    @property
    def is_output_blocked(self) -> bool:
        """The line has not taken what was given to it before."""
        return self._safe_file is not None and self._queued_writes - self._safe_file.write_count > MAX_PENDING_WRITES

    def write(self, data: str) -> None:
        """Give this to the line; it waits only when very much is on its way."""
        self._queued_writes += 1
        super().write(data)

    def set_window_title(self, title: str) -> None:
        """Give the window a title, until the program ends or goes to the background.

        Args:
            title: What `notifications.window_title` makes of it; empty gives back the one from before.
        """
        if title and not self._window_title:
            self.write(_PUSH_TITLE)
        if title or self._window_title:
            self.write(title or _POP_TITLE)
        self._window_title = title

    def set_mouse_enabled(self, enabled: bool) -> None:
        """Take the mouse, or leave it to the terminal."""
        if enabled != self._mouse:
            self._disable_mouse_support()
            self._mouse = enabled
            self._enable_mouse_support()

    def stop_application_mode(self) -> None:
        """Leave the terminal as it was, its title too."""
        if self._window_title:
            self.write(_POP_TITLE)
        super().stop_application_mode()

    def start_application_mode(self) -> None:
        """Start, write through a file that outlives its terminal, and notice when that is gone."""
        if self._safe_file is None:
            self._safe_file = _DisconnectSafeFile(self._file)
            self._file = cast(TextIO, self._safe_file)
            Thread(target=self._watch_hangup, name="terminal-watch", daemon=True).start()
        super().start_application_mode()
        if self._window_title:  # back from the background
            self.write(_PUSH_TITLE + self._window_title)

    def run_input_thread(self) -> None:
        """Read keys until the program ends or the terminal is gone."""
        try:
            super().run_input_thread()
        except OSError:
            log.info("the terminal can no longer be read")

    def _watch_hangup(self) -> None:
        # A hang-up comes as a signal too, but only to the terminal's own session.
        poll = select.poll()
        poll.register(self.fileno, 0)
        if any(event & select.POLLHUP for _, event in poll.poll()):
            self.send_message(TerminalDisconnected())
