"""Log lines, as text for people or as JSON for programs. They never hold what people say."""

import json
import logging
import sys
import time

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`, and `error` with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class RequestsThatAreNone(logging.Filter):
    """What aiohttp could not read as a request, in one line: it would log a traceback for whatever a stranger sends."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged, at the level that it then has."""
        fault = record.exc_info[1] if record.exc_info else None
        if not isinstance(fault, (HttpProcessingError, web.RequestPayloadError)):
            return True
        record.msg, record.args = f"{record.getMessage()}: {type(fault).__name__}", ()
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        record.exc_info = record.exc_text = None
        return logging.getLogger().isEnabledFor(logging.INFO)


_requests_that_are_none = RequestsThatAreNone()


def configure(log_format: str, log_level: str) -> None:
    """Send the logs of the whole process to standard error.

    Args:
        log_format: `text` or `json`.
        log_level: The least severity that is shown.
    """
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if log_format == "json" else text)
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)
    # Only its faults: it would log a line for each statement, connection and request.
    for chatty in ("sqlalchemy", "alembic", "asyncio", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_requests_that_are_none)
