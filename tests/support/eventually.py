"""Waiting for something to be so, without knowing when."""

import asyncio
import time
from collections.abc import Callable

PATIENCE = 20.0
"""Seconds after which what was waited for is called missing."""


LOOKED_AGAIN = 0.005
"""Seconds between two looks."""

LOOKING = 4
"""How much longer than a look itself the pause behind it is at least: who waits leaves the processor to the others."""


async def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: It never did.
    """
    async with asyncio.timeout(patience):
        while True:  # any condition, with nobody to announce it
            looked = time.monotonic()
            if condition():
                return
            await asyncio.sleep(max(LOOKED_AGAIN, LOOKING * (time.monotonic() - looked)))
