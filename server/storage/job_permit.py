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
        """True if this server may run the jobs."""
        return self._granted.is_set()

    def grant(self) -> None:
        """Grant the permit, and resume the waiting jobs."""
        self._granted.set()

    def revoke(self) -> None:
        """Revoke the permit; the jobs finish a running round, and wait before the next one."""
        self._granted.clear()

    async def wait(self) -> None:
        """Wait until the permit is granted."""
        await self._granted.wait()
