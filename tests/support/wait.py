"""Waiting for something to be so, without knowing when."""

import asyncio
import time
from collections.abc import Callable

TIMEOUT = 20.0
"""Seconds after which what was waited for is called missing."""


POLL_INTERVAL = 0.005
"""Seconds between two looks."""

POLL_PAUSE_FACTOR = 4
"""How much longer than a look itself the pause behind it is at least: who waits leaves the processor to the others."""


async def wait_until(condition: Callable[[], object], timeout: float = TIMEOUT) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: It never did.
    """
    async with asyncio.timeout(timeout):
        while True:  # any condition, with nobody to announce it
            check_started = time.monotonic()
            if condition():
                return
            await asyncio.sleep(max(POLL_INTERVAL, POLL_PAUSE_FACTOR * (time.monotonic() - check_started)))
