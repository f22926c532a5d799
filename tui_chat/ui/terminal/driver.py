"""Terminal driver with an orderly shutdown when the terminal disconnects.

- Disconnect: a write error is final and further output is discarded. Otherwise the writer thread would die, its
  bounded queue would fill, and the next write would block forever. `TerminalDisconnected` starts the shutdown.
- Input: `InputFramer` and `InputDecoder` stand between the terminal and Textual's parser, which depends on the timing
  of reads and fails on bytes that are not UTF-8.
- Type-ahead: before application mode, the terminal turns Enter into a newline; the first read restores this input.
- Size: resize signals are handled in the event loop. A signal during the signal handler of Textual would post its
  newer size first, and the layout would keep the older size.
- Backpressure: on a slow connection the same queue fills up and would block the event loop. `is_output_blocked`
  reports the backlog, and the app defers network events until the queue has drained.
"""

import asyncio
import logging
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from selectors import EVENT_READ, SelectSelector
from threading import Thread
from typing import TextIO, cast

from textual import constants
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Event, Resize
from textual.geometry import Size
from textual.message import Message

from tui_chat.ui.terminal.emoji_probe import PROBE, EmojiProbe, EmojiSequencesMeasured
from tui_chat.ui.terminal.graphics_probe import (
    CELL_SIZE_REQUEST,
    GRAPHICS_REQUEST,
    GraphicsMeasured,
    GraphicsProbe,
)
from tui_chat.ui.terminal.input_decoder import InputDecoder
from tui_chat.ui.terminal.input_framer import InputFramer

log = logging.getLogger("chat.ui")

MAX_PENDING_WRITES = 3  # queued writes above which output counts as blocked, about one or two full screens

READ_BYTES = 4096
EXIT_POLL_INTERVAL = 0.1  # seconds between two checks of the input thread whether the app exits

# Save and restore the window title (XTWINOPS 22 and 23, xterm "Control Sequences").
_PUSH_TITLE = "\x1b[22;2t"
_POP_TITLE = "\x1b[23;2t"


class TerminalDisconnected(Event):
    """Disconnect of the terminal: no further input or output is possible."""


class _DisconnectSafeFile:
    """Text file that discards all output after the first `OSError`."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._disconnected = False
        self.write_count = 0

    def write(self, text: str) -> int:
        self._attempt(lambda: self._file.write(text))
        self.write_count += 1
        return len(text)

    def flush(self) -> None:
        self._attempt(self._file.flush)

    def _attempt(self, operation: Callable[[], object]) -> None:
        """Run an operation unless the terminal is disconnected; an `OSError` counts as a disconnect."""
        if not self._disconnected:
            try:
                operation()
            except OSError:
                self._disconnected = True


def _raise(error: Exception) -> None:
    raise error


class TerminalDriver(LinuxDriver):
    """Linux driver with window title, mouse switching, probes of the terminal and disconnect detection.

    Attributes:
        release_graphics: Returns the sequences that delete images in the terminal, on exit and before a suspend.
    """

    _window_title = ""
    _safe_file: _DisconnectSafeFile | None = None
    _queued_writes = 0
    _emoji_probe: EmojiProbe
    _graphics_probe: GraphicsProbe
    release_graphics: Callable[[], str] = staticmethod(lambda: "")

    @property
    def is_output_blocked(self) -> bool:
        """True while more than `MAX_PENDING_WRITES` writes are queued for the terminal."""
        return self._safe_file is not None and self._queued_writes - self._safe_file.write_count > MAX_PENDING_WRITES

    @property
    def has_pending_output(self) -> bool:
        """True while a write is queued for the terminal."""
        return self._safe_file is not None and self._queued_writes > self._safe_file.write_count

    def write(self, data: str) -> None:
        """Queue output for the terminal, in application mode only. Blocks only if the writer thread's queue is full."""
        self._queued_writes += 1
        super().write(data)

    def set_window_title(self, title: str) -> None:
        """Set the window title by an `escape_sequences.title_sequence`; "" restores the original title, if replaced.

        The first title saves the original one, which is restored on exit and during a suspend.
        """
        if title and not self._window_title:
            self.write(_PUSH_TITLE)
        if title or self._window_title:
            self.write(title or _POP_TITLE)
        self._window_title = title

    def set_mouse_enabled(self, enabled: bool) -> None:
        """Enable or disable mouse reporting. No effect if unchanged."""
        if enabled != self._mouse:
            self._disable_mouse_support()
            self._mouse = enabled
            self._enable_mouse_support()

    def send_message(self, message: Message) -> None:
        """Post a message to the app; a resize also requests the size of a cell, which a new font changes."""
        super().send_message(message)
        if isinstance(message, Resize):
            self.write(CELL_SIZE_REQUEST)

    def stop_application_mode(self) -> None:
        """Restore the terminal, including its original title, and delete images."""
        if sequences := self.release_graphics():
            self.write(sequences)
        if self._window_title:
            self.write(_POP_TITLE)
        super().stop_application_mode()

    def start_application_mode(self) -> None:
        """Enter application mode with disconnect-safe output and disconnect detection, and send the probes.

        After a suspend, the probes are sent again and the window title is set again.
        """
        if self._safe_file is None:
            self._safe_file = _DisconnectSafeFile(self._file)
            self._file = cast(TextIO, self._safe_file)
            Thread(target=self._watch_disconnect, name="terminal-watch", daemon=True).start()
        self._emoji_probe, self._graphics_probe = EmojiProbe(), GraphicsProbe()
        super().start_application_mode()
        with suppress(NotImplementedError):  # then the signal handler of Textual remains
            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._on_resize_signal)
        self.write(PROBE + GRAPHICS_REQUEST)
        if self._window_title:  # resumed after a suspend
            self.write(_PUSH_TITLE + self._window_title)

    def _on_resize_signal(self) -> None:
        """Post the new size, unless the terminal reports its size as input."""
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self.send_message(Resize(size, size))

    def run_input_thread(self) -> None:
        """Read terminal input until the app exits or the terminal disconnects. An unexpected error ends the app."""
        try:
            self._read_input()
        except Exception as error:
            self._app.call_later(_raise, error)  # the message loop of the app logs and reports errors

    def _read_input(self) -> None:
        """Pass the input to the probes and, as Textual messages, to the app."""
        framer, decoder = InputFramer(constants.ESCAPE_DELAY), InputDecoder(self._debug)
        with SelectSelector() as selector:
            selector.register(self.fileno, EVENT_READ)
            has_type_ahead = bool(selector.select(0))
            while not self.exit_event.is_set():
                timeout = EXIT_POLL_INTERVAL
                if framer.deadline is not None:
                    timeout = min(timeout, max(0.0, framer.deadline - time.monotonic()))
                if not selector.select(timeout):
                    frames = framer.expire(time.monotonic())
                elif data := self._read():
                    if has_type_ahead:
                        data, has_type_ahead = data.replace(b"\n", b"\r"), False
                    frames = framer.feed(data, time.monotonic())
                else:
                    log.info("terminal disconnected: input thread stopped")
                    return
                for frame in frames:
                    if (supported := self._emoji_probe.feed(frame.text)) is not None:
                        self.send_message(EmojiSequencesMeasured(supported))
                    if (graphics := self._graphics_probe.feed(frame)) is not None:
                        self.send_message(GraphicsMeasured(graphics))
                    for message in decoder.decode(frame):
                        self.process_message(message)

    def _read(self) -> bytes:
        """Return the available input, empty after a disconnect."""
        try:
            return os.read(self.fileno, READ_BYTES)
        except OSError:
            return b""

    def _watch_disconnect(self) -> None:
        """Wait without a time limit for the hang-up of the terminal, then post `TerminalDisconnected`."""
        # SIGHUP reaches only the session of the terminal, so poll for POLLHUP as well.
        poll = select.poll()
        poll.register(self.fileno, 0)
        if any(event & select.POLLHUP for _, event in poll.poll()):
            self.send_message(TerminalDisconnected())
