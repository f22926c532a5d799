"""Errors of background requests that concern no action of the user."""

import logging
from collections.abc import Coroutine
from typing import Any

from tui_chat.protocol.errors import ChatError

log = logging.getLogger("chat.session")


async def log_chat_errors(request: Coroutine[Any, Any, object]) -> None:
    """Await a request. A `ChatError` is only logged, at debug level."""
    try:
        await request
    except ChatError as error:
        log.debug("background request failed: %s", error.code)
