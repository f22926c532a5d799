"""Log lines, as text for people or as JSON for programs. They never hold what people say."""

import json
import logging
import sys
import time

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`, and `error` with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
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


class MalformedRequestFilter(logging.Filter):
    """What aiohttp could not read as a request, in one line: it would log a traceback for whatever a stranger sends."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged, at the level that it then has."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, (HttpProcessingError, web.RequestPayloadError)):
            return True
        record.msg, record.args = f"{record.getMessage()}: {type(error).__name__}", ()
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        record.exc_info = record.exc_text = None
        return logging.getLogger().isEnabledFor(logging.INFO)


_malformed_request_filter = MalformedRequestFilter()


def configure_logging(log_format: str, log_level: str) -> None:
    """Send the logs of the whole process to standard error.

    Args:
        log_format: `text` or `json`.
        log_level: The least severity that is shown.
    """
    handler = logging.StreamHandler(sys.stderr)
    text_formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text_formatter)
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)
    # Only its faults: it would log a line for each statement, connection and request.
    for noisy_logger in ("sqlalchemy", "alembic", "asyncio", "aiohttp.access"):
        logging.getLogger(noisy_logger).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_malformed_request_filter)
