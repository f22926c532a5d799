"""Logger of the SDK. No output without a logging configuration: problems are exceptions or events."""

import logging

log = logging.getLogger("chat.client")
log.addHandler(logging.NullHandler())
