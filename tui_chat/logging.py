"""Logging of the client to a file, never to the terminal.

An internal error is a log record with a traceback from level ERROR, but not from the network library. Each one makes
the exit code of the process 1.
"""

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import platformdirs

MAX_LOG_BYTES = 1_000_000
"""Log size in bytes above which the next start replaces the suffix of the file with `.old`."""

_UNHANDLED = "chat.unhandled"
_NETWORK_LIBRARY = "chat.client.library"  # reports faults of the server as errors


def log_path() -> Path:
    """Return the platform's default path of the log file."""
    return platformdirs.user_log_path("tui-chat", appauthor=False) / "chat-tui.log"


class InternalErrorMonitor(logging.Handler):
    """Log handler that detects internal errors.

    Attributes:
        exit_code: Exit code of the process: 1 after an internal error, otherwise 0.
        on_unhandled: Called in any thread after an error of a thread or task that no part of the program reports.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.exit_code = 0
        self.on_unhandled: Callable[[], object] = lambda: None

    def emit(self, record: logging.LogRecord) -> None:
        """Set `exit_code` to 1 for an internal error; call `on_unhandled` if nothing else reports it."""
        if record.exc_info and record.name != _NETWORK_LIBRARY:
            self.exit_code = 1
            if record.name in (_UNHANDLED, "asyncio"):
                self.on_unhandled()


def configure_logging(path: Path) -> InternalErrorMonitor:
    """Append all log records, warnings and unhandled exceptions of threads and tasks to `path`; return their monitor.

    The directory is created now, the file with the first record. Records are discarded if the directory or the rename
    fails, and later write errors are ignored. Earlier handlers and exception hooks are replaced. The level is INFO, and
    WARNING for libraries. The suffix of a file above `MAX_LOG_BYTES` becomes `.old`, in place of an earlier such file.
    """
    monitor = InternalErrorMonitor()
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".old"))
        handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler, monitor], force=True)
    logging.raiseExceptions = False  # a failing handler would print a traceback over the screen
    logging.captureWarnings(True)
    for logger_name in ("aiosqlite", "sqlalchemy", "asyncio", "aiohttp.access", "socketio", "engineio"):
        logging.getLogger(logger_name).setLevel(logging.WARNING)
    threading.excepthook = partial(_log_unhandled, "unhandled exception: a thread has ended")
    sys.unraisablehook = partial(_log_unhandled, "unraisable exception: ignored by the interpreter")
    return monitor


def _log_unhandled(text: str, args: "threading.ExceptHookArgs | sys.UnraisableHookArgs") -> None:
    if args.exc_value is not None:
        logging.getLogger(_UNHANDLED).error(text, exc_info=args.exc_value)
