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

LOG_BYTES = 1_000_000
"""A log that has grown past this is set aside at the next start."""


def log_file() -> Path:
    """The log, where this system has such files."""
    return platformdirs.user_log_path("tui-chat", appauthor=False) / "chat-tui.log"


def log_to(file: Path) -> None:
    """Send all logs to a file, and nothing to the terminal on which the screen stands."""
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > LOG_BYTES:
            file.replace(file.with_suffix(".old"))
        handler = logging.FileHandler(file, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a full disk must not write on the screen
    logging.captureWarnings(True)
    for chatty in ("aiosqlite", "sqlalchemy", "alembic", "asyncio", "aiohttp.access", "socketio", "engineio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    threading.excepthook = _thread_failed
    sys.unraisablehook = _unraisable


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    value = failure.exc_value
    if value is not None:
        logging.getLogger("chat").error("a thread has failed", exc_info=(type(value), value, failure.exc_traceback))


def _unraisable(failure: "sys.UnraisableHookArgs") -> None:
    traceback: TracebackType | None = failure.exc_traceback
    if failure.exc_value is not None:
        logging.getLogger("chat").error("unraisable", exc_info=(type(failure.exc_value), failure.exc_value, traceback))
