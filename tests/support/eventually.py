"""Waiting for something to be so, without knowing when."""

import asyncio
from collections.abc import Callable

PATIENCE = 20.0
"""Seconds after which what was waited for is called missing."""


async def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: It never did.
    """
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 (any condition, with nobody to announce it)
            await asyncio.sleep(0.005)
