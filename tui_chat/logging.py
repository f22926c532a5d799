"""Logging of the client to a file, never to the terminal."""

import logging
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import platformdirs

MAX_LOG_BYTES = 1_000_000
"""Log size in bytes above which the next start renames the file to `.old`."""


def log_path() -> Path:
    """Return the platform's default path of the log file."""
    return platformdirs.user_log_path("tui-chat", appauthor=False) / "chat-tui.log"


def configure_logging(path: Path) -> None:
    """Redirect all log records, warnings and unhandled thread exceptions to `path`.

    Records are discarded if the log file cannot be prepared. Earlier handlers are replaced. The file is created with
    the first record, from level INFO.
    """
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".old"))
        handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a failing handler would print a traceback over the screen
    logging.captureWarnings(True)
    for logger_name in ("aiosqlite", "sqlalchemy", "asyncio", "aiohttp.access", "socketio", "engineio"):
        logging.getLogger(logger_name).setLevel(logging.WARNING)
    threading.excepthook = partial(_log_unhandled, "unhandled exception: a thread has ended")
    sys.unraisablehook = partial(_log_unhandled, "unraisable exception: ignored by the interpreter")


def _log_unhandled(text: str, args: "threading.ExceptHookArgs | sys.UnraisableHookArgs") -> None:
    if args.exc_value is not None:
        logging.getLogger("chat").error(text, exc_info=args.exc_value)
