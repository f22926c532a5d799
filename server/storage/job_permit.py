"""Permit for the background jobs that one server of a database runs at a time."""

import asyncio


class JobPermit:
    """Permit of this server; granted unless another server of the database may have it.

    The jobs are correct on several servers at once, so a late revocation only repeats work.
    """

    def __init__(self) -> None:
        self._granted = asyncio.Event()
        self._granted.set()

    @property
    def is_granted(self) -> bool:
        """This server runs the jobs."""
        return self._granted.is_set()

    def grant(self) -> None:
        """Start the waiting jobs."""
        self._granted.set()

    def revoke(self) -> None:
        """Make the jobs wait before their next round; a running round ends."""
        self._granted.clear()

    async def wait(self) -> None:
        """Wait until this server runs the jobs."""
        await self._granted.wait()
