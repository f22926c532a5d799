"""Writer of standard output in a thread, so that an unread pipe or a stopped terminal does not block the event loop.

- Order: texts are written in the order of `write`.
- Memory: at most `MAX_QUEUED_TEXTS` texts wait; a further one discards the oldest one.
- Exit: the thread bypasses the buffer of `sys.stdout`. A blocked write would hold the lock of the buffer, which the
  interpreter needs at its exit.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from tui_chat.standard_streams import OutputError

MAX_QUEUED_TEXTS = 10_000

CLOSE_TIMEOUT = 2.0
"""Time limit in seconds for the remaining output at the end of the program."""

_RETRY_DELAY = 0.05  # seconds between writes to a full non-blocking stream


class OutputThread:
    """Thread that writes texts to standard output.

    Args:
        on_error: Called by the thread after a failed write; this text and all later ones are lost.
    """

    def __init__(self, on_error: Callable[[OutputError], None]) -> None:
        self._on_error = on_error
        self._texts: deque[str] = deque(maxlen=MAX_QUEUED_TEXTS)
        self._changed = threading.Condition()
        self._is_closed = False
        self._error: OutputError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Queue a text without waiting; no line break is added. A text after the end of the thread is lost."""
        with self._changed:
            self._texts.append(text)
            self._changed.notify()

    def close(self) -> None:
        """Let the thread write the queued texts and end, and wait for at most `CLOSE_TIMEOUT` seconds.

        A thread that is still blocked then ends with the program, and its remaining texts are lost.

        Raises:
            OutputError: A write has failed.
        """
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(CLOSE_TIMEOUT)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        """Write texts until `close` or the first error."""
        stream = sys.stdout
        raw: Any = getattr(stream.buffer, "raw", stream.buffer)  # unbuffered with `python -u`
        try:
            while (text := self._next_text()) is not None:
                data = text.encode(stream.encoding, stream.errors or "strict")
                while data:
                    written = raw.write(data)
                    if written is None:
                        time.sleep(_RETRY_DELAY)
                    data = data[written or 0 :]
        except OSError as error:
            self._error = OutputError(error)
            self._on_error(self._error)

    def _next_text(self) -> str | None:
        """Wait for the next text and return it; None after `close` and the last text."""
        with self._changed:
            self._changed.wait_for(lambda: self._texts or self._is_closed)
            return self._texts.popleft() if self._texts else None
