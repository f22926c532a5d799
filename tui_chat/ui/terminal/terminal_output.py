"""Output to the terminal beyond Textual's screen: clipboard, notifications, window title and mouse reporting."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace
from textual.driver import Driver

from tui_chat.session.settings.schema import ClientSettings
from tui_chat.ui.terminal import escape_sequences
from tui_chat.ui.terminal.escape_sequences import Multiplexer, NotificationChannel
from tui_chat.ui.terminal.graphics import TerminalGraphics
from tui_chat.ui.terminal.graphics_probe import query_tmux

if TYPE_CHECKING:
    from tui_chat.ui.terminal.driver import TerminalDriver

# Maximum clipboard text in bytes. Terminals accept 100,000 bytes of sequence, including the Base64 overhead.
MAX_CLIPBOARD_BYTES = 74_994


def driver_class() -> type[Driver] | None:
    """Return the class of the terminal driver, None for the default driver of Textual on Windows."""
    if sys.platform == "win32":
        return None
    from tui_chat.ui.terminal.driver import TerminalDriver  # noqa: PLC0415 (POSIX only)

    return TerminalDriver


class TerminalOutput:
    """Terminal features that Textual does not support. Without a driver, nothing is written to the terminal.

    Args:
        driver: Returns the terminal driver, None before the start of the app. Title and mouse need a `TerminalDriver`.
        settings: Returns the current settings.
        environ: Environment variables of the process.
        set_emoji_sequences: Sets whether emoji sequences are drawn as one glyph.

    Attributes:
        has_emoji_sequences: True after the measurement of a terminal that draws emoji sequences in two columns. Set by
            the owner, who then calls `apply_settings`.
        multiplexer: Multiplexer between the app and the terminal.
        graphics: Graphics of the terminal, as far as measured.
    """

    def __init__(
        self,
        driver: Callable[[], Driver | None],
        settings: Callable[[], ClientSettings],
        environ: Mapping[str, str],
        set_emoji_sequences: Callable[[bool], None],
    ) -> None:
        self._driver = driver
        self._settings = settings
        self._environ = environ
        self._set_emoji_sequences = set_emoji_sequences
        self.multiplexer = escape_sequences.detect_multiplexer(environ)
        self._window_title = self._applied_title = ""
        self.has_emoji_sequences = False
        self.graphics = TerminalGraphics()
        self._tmux_terminal: str | None = None  # None before the request

    @property
    def has_pending_output(self) -> bool:
        """True while output is queued for the terminal."""
        driver = self._terminal_driver()
        return driver is not None and driver.has_pending_output

    async def set_graphics(self, graphics: TerminalGraphics, on_changed: Callable[[], object]) -> None:
        """Set the measured graphics, and call `on_changed` after a change.

        Inside tmux, the answer of the first `query_tmux` replaces the name.
        """
        if self.multiplexer is Multiplexer.TMUX:
            if self._tmux_terminal is None:
                self._tmux_terminal = await query_tmux()
            graphics = replace(graphics, name=self._tmux_terminal)
        previous, self.graphics = self.graphics, graphics
        if graphics != previous:
            on_changed()

    def set_graphics_release(self, release: Callable[[], str]) -> None:
        """Set the source of the sequences that delete images in the terminal, on exit and before a suspend.

        No effect without a `TerminalDriver`.
        """
        if (driver := self._terminal_driver()) is not None:
            driver.release_graphics = release

    def release_graphics(self) -> None:
        """Delete the images in the terminal. No effect without a `TerminalDriver`."""
        if (driver := self._terminal_driver()) is not None:
            self.write(driver.release_graphics())

    def write(self, sequence: str) -> None:
        """Write an escape sequence."""
        if (driver := self._driver()) is not None:
            driver.write(sequence)

    @property
    def has_notification_preview(self) -> bool:
        """True if notifications show the text of the message."""
        return self._settings().notification_preview

    def send_notification(self, title: str, body: str) -> None:
        """Send a notification by the method of the `notification_method` setting (`notification_sequence`)."""
        method = self._settings().notification_method
        channel = escape_sequences.detect_channel(self._environ) if method == "auto" else NotificationChannel(method)
        self.write(escape_sequences.notification_sequence(channel, self.multiplexer, title, body))

    def copy_to_clipboard(self, text: str) -> bool:
        """Copy `text` to the clipboard of the terminal.

        Returns:
            False without effect if the text exceeds `MAX_CLIPBOARD_BYTES`. True otherwise, even without a driver,
            because terminals do not confirm.
        """
        if len(text) > MAX_CLIPBOARD_BYTES or len(text.encode()) > MAX_CLIPBOARD_BYTES:
            return False
        self.write(escape_sequences.clipboard_sequence(text, self.multiplexer))
        return True

    def set_window_title(self, title: str) -> None:
        """Set the window title, subject to the `terminal_title` setting. An empty title restores the original title.

        Also applies the other settings, as in `apply_settings`.
        """
        self._window_title = title
        self.apply_settings()

    def set_mouse_enabled(self, enabled: bool) -> None:
        """Enable or disable mouse reporting without changing the setting. `apply_settings` ends the override."""
        if (driver := self._terminal_driver()) is not None:
            driver.set_mouse_enabled(enabled)

    def apply_settings(self) -> None:
        """Apply the mouse, title and emoji settings.

        Emoji sequences are drawn as one glyph for `full`, and for `auto` if `has_emoji_sequences`. A changed title is
        written only if `has_title_support`.
        """
        driver, settings = self._terminal_driver(), self._settings()
        self._set_emoji_sequences(settings.emoji == "full" or (settings.emoji == "auto" and self.has_emoji_sequences))
        if driver is None:
            return
        driver.set_mouse_enabled(settings.mouse)
        shown_title = self._window_title if settings.terminal_title else ""
        title = escape_sequences.title_sequence(shown_title) if shown_title else ""
        if title != self._applied_title and escape_sequences.has_title_support(self._environ):
            self._applied_title = title
            driver.set_window_title(title)

    def _terminal_driver(self) -> "TerminalDriver | None":
        """Return a driver with title and mouse switching, None for any other driver."""
        driver = self._driver()
        return cast("TerminalDriver", driver) if hasattr(driver, "set_window_title") else None
