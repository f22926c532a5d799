"""Construction, background tasks and shutdown of the account service."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from server.gateway.account_erasure import AccountEraser
from server.gateway.account_service import AccountService
from server.gateway.password_hashing import PasswordHashing
from server.observability.supervision import Supervisor
from server.storage.database import Database
from tui_chat.protocol.errors import Unavailable


@asynccontextmanager
async def open_accounts(
    database: Database,
    generate_member_id: Callable[[], str],
    *,
    now: Callable[[], int],
    monotonic: Callable[[], float],
) -> AsyncGenerator[AccountService]:
    """Provide the accounts of a database.

    Args:
        database: Open database, which the caller closes after the context.
        generate_member_id: Source of member ids.
        now: Wall clock, as Unix time in milliseconds.
        monotonic: Monotonic clock, in seconds.

    Raises:
        Unavailable: The database is not readable.
    """
    hashing = PasswordHashing()
    try:
        service = AccountService(
            database.accounts, hashing, generate_member_id=generate_member_id, now=now, monotonic=monotonic
        )
        await service.load()
        yield service
    finally:
        hashing.close()


@asynccontextmanager
async def run_accounts(
    database: Database,
    generate_member_id: Callable[[], str],
    supervisor: Supervisor,
    *,
    now: Callable[[], int],
    monotonic: Callable[[], float],
) -> AsyncGenerator[AccountService]:
    """Provide the accounts of a database, save and expire their tokens, and erase deleted accounts.

    The end of the context saves the last uses of tokens; a failure of this save raises nothing.

    Args:
        database, generate_member_id, now, monotonic: As for `open_accounts`.
        supervisor: Supervisor of the background tasks.

    Raises:
        Unavailable: The database is not readable.
    """
    async with open_accounts(database, generate_member_id, now=now, monotonic=monotonic) as service:
        eraser = AccountEraser(database.accounts, database.erasures, database.journal, database.job_permit)
        service.on_deletion = eraser.wake
        tasks = [
            supervisor.supervise("account maintenance", service.tokens.run_maintenance),
            supervisor.supervise("account erasure", eraser.run),
        ]
        try:
            yield service
        finally:
            for task in tasks:
                task.cancel()
            with suppress(Unavailable):  # logged by the repository
                await service.tokens.save_uses()
