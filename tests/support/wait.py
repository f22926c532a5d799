"""Polling for conditions without notifications."""

import asyncio
import time
from collections.abc import Callable

TIMEOUT = 20.0
"""Default timeout in seconds."""


POLL_INTERVAL = 0.005
"""Minimum pause between two checks, in seconds."""

POLL_PAUSE_FACTOR = 4
"""Minimum ratio of a pause to the duration of its check, to leave the processor to the tested programs."""


async def wait_until(condition: Callable[[], object], timeout: float = TIMEOUT) -> None:
    """Poll until `condition` is true.

    Args:
        condition: Checked on the event loop.
        timeout: Maximum wait in seconds.

    Raises:
        TimeoutError: `condition` stayed false until the timeout.
    """
    async with asyncio.timeout(timeout):
        while True:
            check_started = time.monotonic()
            if condition():
                return
            await asyncio.sleep(max(POLL_INTERVAL, POLL_PAUSE_FACTOR * (time.monotonic() - check_started)))
