"""Where the program's logs go: into a file, and never onto the screen or among the output."""

import logging
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from types import TracebackType

MAX_LOG_BYTES = 1_000_000
"""A log that has grown past this is set aside at the next start."""


def log_path() -> Path:
    """The log, where this system has such files."""
    return platformdirs.user_log_path("tui-chat", appauthor=False) / "chat-tui.log"


def configure_logging(path: Path) -> None:
    """Send all logs to a file, and nothing to the terminal on which the screen stands."""
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".old"))
        handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a full disk must not write on the screen
    logging.captureWarnings(True)
    for logger_name in ("aiosqlite", "sqlalchemy", "alembic", "asyncio", "aiohttp.access", "socketio", "engineio"):
        logging.getLogger(logger_name).setLevel(logging.WARNING)
    threading.excepthook = _log_thread_exception
    sys.unraisablehook = _log_unraisable


def _log_thread_exception(args: threading.ExceptHookArgs) -> None:
    error = args.exc_value
    if error is not None:
        logging.getLogger("chat").error("a thread has failed", exc_info=(type(error), error, args.exc_traceback))


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    traceback: TracebackType | None = unraisable.exc_traceback
    if unraisable.exc_value is not None:
        logging.getLogger("chat").error(
            "unraisable", exc_info=(type(unraisable.exc_value), unraisable.exc_value, traceback)
        )
