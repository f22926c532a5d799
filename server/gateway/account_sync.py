"""Changes of accounts by other servers of the same database.

- Order: changes are read in the order of their commits, including those of this server.
- Lost messages: a message of another server starts a read; reads at an interval find the changes whose
  messages were lost.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from server.gateway.account_service import AccountService
from server.gateway.direct_contacts import DirectContacts
from server.storage.account_repository import AccountRepository
from tui_chat.protocol.errors import Unavailable

POLL_INTERVAL = 15.0
"""Maximum time between two reads, in seconds."""

DEGRADED_POLL_INTERVAL = 1.0
"""Maximum time between two reads without the bus, in seconds."""


class AccountSync:
    """Background task that applies the changes of accounts, tokens and blocks by other servers.

    Args:
        repository: Storage of accounts.
        account_service: Operations on accounts, with all accounts of the database in its directory.
        contacts: Blocks of live direct rooms.
        is_bus_healthy: Returns whether messages of other servers arrive.
    """

    def __init__(
        self,
        repository: AccountRepository,
        account_service: AccountService,
        contacts: DirectContacts,
        is_bus_healthy: Callable[[], bool],
    ) -> None:
        self._repository = repository
        self._account_service = account_service
        self._contacts = contacts
        self._is_bus_healthy = is_bus_healthy
        self._position = account_service.directory.get_last_change_seq()
        self._wakeup = asyncio.Event()

    def wake(self) -> None:
        """Read the changes now instead of after the interval."""
        self._wakeup.set()

    async def run(self) -> None:
        """Apply the changes now, after each `wake` and at an interval; never returns.

        A failed read is repeated after the next wait.
        """
        while True:
            self._wakeup.clear()
            with suppress(Unavailable):  # logged by the repositories; the next read repeats the change
                await self._apply_changes()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_INTERVAL if self._is_bus_healthy() else DEGRADED_POLL_INTERVAL):
                    await self._wakeup.wait()

    async def _apply_changes(self) -> None:
        """Apply the changes after the position, which moves with each applied account.

        Raises:
            Unavailable: The database failed; the next call continues with the same account.
        """
        for record in await self._repository.list_changed(self._position):
            account = record.account
            self._account_service.apply(record)
            await self._account_service.tokens.close_deleted(account)
            await self._contacts.reload_blocks(account.member_id)
            self._position = account.change_seq
