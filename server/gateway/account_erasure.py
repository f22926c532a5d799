"""Erasure of deleted accounts while the server runs.

- Entries: the member leaves its rooms, its messages are deleted if requested, and the name of the deleted account
  replaces its names.
- Slices: the log is rewritten in slices with pauses, so that messages of other members are not delayed.
- Restart: an unfinished erasure starts again with the server, or after a failure.
- Several servers: the server with the permit erases all deleted accounts, including those of other servers.
"""

import asyncio
import logging
from contextlib import suppress

from server.domain.log_commands import AppendDeletion, AppendMemberChange, LogCommand
from server.storage.account_records import AccountRecord
from server.storage.account_repository import AccountRepository
from server.storage.erasure_repository import ErasureRepository
from server.storage.job_permit import JobPermit
from server.storage.journal import Journal
from tui_chat.protocol import errors, events

log = logging.getLogger("chat.accounts")

_PAUSE = 0.02  # seconds after each slice of the log and each batch of commands
_POLL_INTERVAL = 60.0  # seconds between two searches for accounts that other servers have deleted
_RETRY_DELAY = 2.0  # seconds after a failure of the database
_COMMANDS_PER_BATCH = 50  # commands that enter the journal at once


class AccountEraser:
    """Background task that erases deleted accounts.

    Args:
        accounts: Storage of accounts.
        erasures: Storage of erasures.
        journal: Writer of the log.
        permit: Permit for the task.
    """

    def __init__(
        self, accounts: AccountRepository, erasures: ErasureRepository, journal: Journal, permit: JobPermit
    ) -> None:
        self._permit = permit
        self._accounts = accounts
        self._erasures = erasures
        self._journal = journal
        self._wakeup = asyncio.Event()

    def wake(self) -> None:
        """Start the waiting erasures now instead of after the interval."""
        self._wakeup.set()

    async def run(self) -> None:
        """Erase all waiting accounts, now, after each `wake` and every `_POLL_INTERVAL`; never returns.

        Erasures wait for the permit. A failure of the database repeats them after `_RETRY_DELAY`.
        """
        while True:
            await self._permit.wait()
            try:
                for record in await self._accounts.list_erasures():
                    await self._erase(record)
            except errors.Unavailable:  # logged by the repositories and the journal
                await asyncio.sleep(_RETRY_DELAY)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_INTERVAL):
                    await self._wakeup.wait()
            self._wakeup.clear()

    async def _erase(self, record: AccountRecord) -> None:
        """Append the leaves and the requested deletions of an account, rename its entries, and delete its references.

        A repetition after a failure has the same result.

        Raises:
            Unavailable: The database failed, or the journal is overloaded.
        """
        account = record.account
        author = events.Member(member_id=account.member_id, nick_name=account.name, role="member", account=account.name)
        target = events.MemberRef(account.member_id, account.name, account.name)
        await self._append(
            [
                AppendMemberChange(room=room, author=author, action="left", target=target)
                for room in await self._erasures.list_rooms(account.member_id)
            ]
        )
        first_id: int | None = 1
        while first_id is not None:
            if record.erasure == "delete":
                await self._append(
                    [
                        AppendDeletion(room=message.room, author=author, target=message.seq)
                        for message in await self._erasures.list_messages(account.member_id, first_id)
                    ]
                )
            first_id = await self._erasures.rename_author(account.member_id, account.name, first_id)
            await asyncio.sleep(_PAUSE)
        await self._erasures.delete_references(account.member_id, account.name)
        await self._accounts.update(account.id, erasure=None)
        log.info("erased the entries of account %d", account.id)

    async def _append(self, commands: list[LogCommand]) -> None:
        """Append commands in batches, with a pause after each batch; rejected and unwritable commands are skipped.

        The leave of the last owner of a room is rejected; `delete_references` ends this membership without an entry.

        Raises:
            Unavailable: The database failed, or the journal is overloaded.
        """
        for start in range(0, len(commands), _COMMANDS_PER_BATCH):
            batch = map(self._journal.append, commands[start : start + _COMMANDS_PER_BATCH])
            for outcome in await asyncio.gather(*batch, return_exceptions=True):
                if isinstance(outcome, BaseException) and (
                    isinstance(outcome, errors.Unavailable) or not isinstance(outcome, errors.ChatError)
                ):
                    raise outcome
            await asyncio.sleep(_PAUSE)
