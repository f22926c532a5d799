"""Log configuration: text or JSON lines on stderr, without the texts of chat messages."""

import json
import logging
import sys
import time

from aiohttp import http_exceptions, web


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


class MalformedRequestFilter(logging.Filter):
    """Filter that reduces malformed HTTP requests to one INFO line.

    Without this filter, aiohttp logs a traceback for arbitrary bytes from the network.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Lower malformed requests to INFO, and return whether the record is logged.

        Other records pass unchanged. A malformed request loses its traceback, and is dropped if the root logger is
        above INFO.
        """
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, (http_exceptions.HttpProcessingError, web.RequestPayloadError)):
            return True
        record.msg, record.args = f"{record.getMessage()}: {type(error).__name__}", ()
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        record.exc_info = record.exc_text = None
        return logging.getLogger().isEnabledFor(logging.INFO)


_malformed_request_filter = MalformedRequestFilter()


def configure_logging(log_format: str, log_level: str) -> None:
    """Configure the root logger of the process to write to stderr.

    The call replaces all handlers of the root logger. Some library loggers stay at WARNING in any case.

    Args:
        log_format: `text` or `json`.
        log_level: Minimum severity: `debug`, `info`, `warning` or `error`.
    """
    handler = logging.StreamHandler(sys.stderr)
    text_formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text_formatter)
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)
    # Below WARNING, these loggers emit one line per statement, connection or request.
    for noisy_logger in ("sqlalchemy", "asyncio", "aiohttp.access"):
        logging.getLogger(noisy_logger).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_malformed_request_filter)
