"""Log configuration: text or JSON lines, without the texts of chat messages.

- No blocking: a thread writes the lines. Lines above the bound of the queue, and lines of failed writes, are dropped,
  counted and reported.
- Repetition: at most `MAX_REPEATS` lines a minute with the same logger, format string and first argument, which is the
  peer if one exists, or one line with `ONE_PER_MINUTE`. Suppressed lines are counted and reported after the minute, or
  earlier after `_MAX_KINDS` kinds of lines.
"""

import json
import logging
import os
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Thread
from typing import Final

ONE_PER_MINUTE: Final = {"one_per_minute": True}
"""Value of `extra` for a line that is written once a minute at most, independent of its arguments."""

MAX_REPEATS: Final = 30
"""Maximum number of lines a minute with the same logger, format string and first argument."""

_MAX_KINDS = 10_000  # kinds of lines in one window
_QUEUE_LINES: Final = 2000
_WINDOW: Final = 60.0  # seconds
_CLOSE_TIMEOUT: Final = 1.0  # seconds
_STDERR: Final = 2


class JsonFormatter(logging.Formatter):
    """Formatter with one JSON object per line.

    The object has the fields `time` (UTC, RFC 3339), `level`, `logger`, `message`, and for exceptions `error` with the
    traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        timestamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {
            "time": f"{timestamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


@dataclass(slots=True)
class _Repetition:
    """Number of lines of one kind in the current window, and the last one."""

    count: int
    line: logging.LogRecord


class LogWriter(logging.Handler):
    """Handler that passes lines to a thread, which writes them to a file or to stderr.

    A reader that stops reading a pipe blocks only the thread. The thread writes to the descriptor directly: locks of
    file objects would block the exit of the interpreter.

    Args:
        path: Log file, opened for appending; None for stderr.
        max_bytes: Size above which the file is renamed to `.1`, in place of an earlier one, and a new one is opened;
            0 for no limit. A failed rename is logged and ends the limit.

    Raises:
        OSError: The log file cannot be opened.
    """

    def __init__(self, path: Path | None, max_bytes: int = 0) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._descriptor = _STDERR if path is None else _open_log_file(path)
        self._queue = Queue[str | None](_QUEUE_LINES)
        self._dropped = 0
        self._repetitions: dict[tuple[str, str, str], _Repetition] = {}
        self._window_end = time.monotonic() + _WINDOW
        self._thread = Thread(target=self._write_lines, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line of a record without waiting; a repeated line is suppressed, and a full queue drops the line.

        A record with invalid arguments becomes a line about the fault.
        """
        if time.monotonic() >= self._window_end or len(self._repetitions) >= _MAX_KINDS:
            self._report_repetitions()
        try:
            message = record.getMessage()
        except (TypeError, ValueError, LookupError):  # `Handler.handleError` would write to stderr, which may block
            message = f"invalid arguments of the log line {record.msg!r}"
        is_single = hasattr(record, "one_per_minute")
        peer = str(record.args[0]) if isinstance(record.args, tuple) and record.args and not is_single else ""
        line = logging.makeLogRecord({**vars(record), "msg": message, "args": None})
        repetition = self._repetitions.setdefault((record.name, str(record.msg), peer), _Repetition(0, line))
        repetition.count, repetition.line = repetition.count + 1, line
        if repetition.count <= (1 if is_single else MAX_REPEATS):
            self._enqueue(line)

    def reopen(self) -> None:
        """Open or create the log file again, after a rotation; without effect for stderr.

        Raises:
            OSError: The log file cannot be opened; the previous one stays in use.
        """
        if self._path is not None:
            descriptor = _open_log_file(self._path)
            os.dup2(descriptor, self._descriptor, inheritable=False)
            os.close(descriptor)

    def close(self) -> None:
        """Report suppressed lines, write the queued lines and end the thread.

        The call waits at most 2 seconds; lines that are not written by then may be lost, and later lines are not
        written. The log file stays open.
        """
        with self.lock or nullcontext():
            self._report_repetitions()
        with suppress(Full):
            self._queue.put(None, timeout=_CLOSE_TIMEOUT)
            self._thread.join(_CLOSE_TIMEOUT)
        super().close()

    def _report_repetitions(self) -> None:
        """Queue the last line of each suppressed kind with the number of suppressed lines, and start a new window."""
        self._window_end = time.monotonic() + _WINDOW
        repetitions, self._repetitions = self._repetitions, {}
        for repetition in repetitions.values():
            suppressed = repetition.count - (1 if hasattr(repetition.line, "one_per_minute") else MAX_REPEATS)
            if suppressed > 0:
                repetition.line.msg += f" ({suppressed} more such lines in the last minute)"
                self._enqueue(repetition.line)

    def _enqueue(self, line: logging.LogRecord) -> None:
        """Queue a formatted line; a full queue counts the line as dropped."""
        try:
            self._queue.put_nowait(self.format(line))
        except Full:
            self._dropped += 1

    def _write_lines(self) -> None:
        """Write queued lines until None, after a warning with the number of dropped lines; runs in the thread.

        A minute without a line ends the window of repetitions.
        """
        line: str | None = ""
        while line is not None:
            try:
                line = self._queue.get(timeout=_WINDOW)
            except Empty:
                with self.lock or nullcontext():
                    self._report_repetitions()
                continue
            dropped, self._dropped = self._dropped, 0
            if dropped:
                self._write_warning(f"{dropped} log lines dropped: the queue was full, or a write failed")
            if line is not None:
                self._write(line)

    def _write(self, line: str) -> None:
        """Write a line, and rotate the file if necessary; a failed write counts the line as dropped."""
        data = line.encode(errors="backslashreplace") + b"\n"
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:  # closed pipe or full disk
            self._dropped += 1
        self._rotate()

    def _write_warning(self, message: str) -> None:
        attributes = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": message}
        self._write(self.format(logging.makeLogRecord(attributes)))

    def _rotate(self) -> None:
        """Rename a log file above the limit and open a new one; after a logged error, the file has no limit."""
        if self._max_bytes and self._path is not None and os.fstat(self._descriptor).st_size > self._max_bytes:
            try:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
                self.reopen()
            except OSError as error:
                self._max_bytes = 0
                self._write_warning(f"rotation of {self._path} failed, the file grows without limit: {error.strerror}")


def _open_log_file(path: Path) -> int:
    """Return the descriptor of a log file for appending, created with mode 0600; raise `OSError` on failure."""
    # Without O_NONBLOCK, the call waits for the reader of a named pipe. Windows has neither.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o600)
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor


def configure_logging(log_format: str, log_level: str, log_file: Path | None, max_bytes: int = 0) -> LogWriter:
    """Configure the root logger of the process, and return its only handler.

    Previous handlers of the root logger are removed and closed.

    Args:
        log_format: `text` or `json`.
        log_level: Minimum severity: `debug`, `info`, `warning` or `error`.
        log_file: Log file; None for stderr.
        max_bytes: Size above which the log file is renamed to `.1`; 0 for no limit.

    Raises:
        OSError: The log file cannot be opened.
    """
    handler = LogWriter(log_file, max_bytes)
    handler.setLevel(log_level.upper())  # also limits loggers with a level of their own
    text_formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text_formatter)
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)
    # One line per statement, connection or request.
    for noisy_logger in ("sqlalchemy", "asyncio", "aiohttp.access"):
        logging.getLogger(noisy_logger).setLevel(logging.WARNING)
    return handler
