"""Tokens of devices: verification, last uses and revocation (docs/accounts.md, "Tokens").

- Verification: a verified token is cached; its account comes from the directory, so a suspension applies at once.
- Lifetime: each hour of use extends the lifetime of a token, and an open connection counts as use.
- Revocation: a revoked token is removed from the database, then from the cache, and its open connections receive
  `authFail` and close. A verification that overlaps a revocation reads the token again.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress

from msgspec.structs import replace

from server.domain.account_directory import Account, AccountDirectory, AccountIdentity
from server.domain.lru_table import LruTable
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame, encode_empty_event, encode_event
from server.storage.account_records import HOUR_MS, TokenRecord
from server.storage.account_repository import AccountRepository
from tui_chat.protocol import errors, events

_MAX_CACHED_TOKENS = 10_000
_SAVE_INTERVAL = 60.0  # seconds between two writes of token uses


class DeviceTokens:
    """Verifier of tokens, and registry of the connections with a token.

    The methods that read or write storage raise `Unavailable` if the database fails.

    Args:
        repository: Storage of accounts and tokens.
        directory: Accounts in memory.
        now: Wall clock, as Unix time in milliseconds.

    Attributes:
        on_push: Called with the account id and the frame of each push to all devices of an account.
    """

    def __init__(self, repository: AccountRepository, directory: AccountDirectory, now: Callable[[], int]) -> None:
        self._repository = repository
        self._directory = directory
        self._now = now
        self._cache = LruTable[bytes, TokenRecord](_MAX_CACHED_TOKENS)  # by digest
        self._revocation_count = 0
        self._used_ids = set[int]()
        self._saved_hour = now() // HOUR_MS  # hour for which the uses by connections are stored
        self._connections: dict[int, set[ClientConnection]] = {}  # by account id
        self.on_push: Callable[[int, Frame], None] = lambda _account_id, _frame: None

    async def run_maintenance(self) -> None:
        """Save the uses of tokens once per minute, and a failed save again after a minute; never returns."""
        while True:
            await asyncio.sleep(_SAVE_INTERVAL)
            with suppress(errors.Unavailable):  # logged by the repository
                await self.save_uses()

    async def save_uses(self) -> None:
        """Store the current hour as the last use of used and connected tokens.

        The write also deletes expired tokens and server invites. Connected tokens are stored once per hour. A call
        without new uses in the same hour writes nothing. After a failure, the next call repeats the write.
        """
        hour = self._now() // HOUR_MS
        token_ids = set(self._used_ids)
        if hour != self._saved_hour:
            token_ids |= {account.token_id for _, account in self._iterate_connections()}
        if token_ids or hour != self._saved_hour:
            await self._repository.touch_tokens(token_ids)
            self._used_ids -= token_ids
            self._saved_hour = hour

    async def authenticate(self, token: str) -> AccountIdentity:
        """Return the account of a token, and record the use of the token.

        Raises:
            Unauthorized: The token is unknown, expired or revoked, or the account is suspended or deleted.
        """
        record = await self._find_token(hash_secret(token))
        account = None if record is None else await self._find_account(record.account_id)
        if record is None or account is None or not account.is_active:
            is_suspended = account is not None and account.suspended
            raise errors.Unauthorized("account_suspended" if is_suspended else "token_invalid")
        return AccountIdentity.from_account(account, record.id)

    def attach(self, connection: ClientConnection, account: AccountIdentity) -> None:
        """Set the account of a new connection; no `await` may separate the call from `authenticate`."""
        connection.account, connection.member_id = account, account.member_id
        self._connections.setdefault(account.id, set()).add(connection)

    def detach(self, connection: ClientConnection) -> None:
        """Remove a closed connection; no effect for a guest and for a repeated call."""
        if connection.account is None:
            return
        connections = self._connections.get(connection.account.id, set())
        connections.discard(connection)
        if not connections:
            self._connections.pop(connection.account.id, None)

    def list_connections(self, account_id: int) -> list[ClientConnection]:
        """Return the open connections of an account."""
        return [connection for connection, _ in self._iterate_connections(account_id)]

    def push_to_others(self, account_id: int, sender: ClientConnection, frame: Frame) -> None:
        """Push a frame to all connections of an account except `sender`, including those on other servers."""
        self.on_push(account_id, frame)
        for connection in self.list_connections(account_id):
            if connection is not sender:
                connection.push(frame)

    async def _find_token(self, digest: bytes) -> TokenRecord | None:
        """Return a valid token from the cache or from storage, None for an unknown, expired or revoked one.

        The first use in an hour is recorded for the next `save_uses`. A read during a revocation is repeated.
        """
        now = self._now()
        record = self._cache.get(digest)
        while record is None or record.expires_at <= now:
            revocation_count = self._revocation_count
            record = await self._repository.find_token(digest)
            if record is None:
                return None
            if revocation_count != self._revocation_count:
                record = None
        if record.last_used_at // HOUR_MS < now // HOUR_MS:
            self._used_ids.add(record.id)
            record = replace(record, last_used_at=now // HOUR_MS * HOUR_MS)
        self._cache.put(digest, record)
        return record

    async def _find_account(self, account_id: int) -> Account | None:
        """Return an account, even an inactive one, from the directory or from storage; None for an unknown id.

        An account from storage, which another server has created, is added to the directory without
        `AccountService.on_change`.
        """
        account = self._directory.get(account_id)
        if account is None:
            with suppress(errors.NotFound):
                account = (await self._repository.get(account_id)).account
                self._directory.put(account)
        return account

    def update_connections(self, account: Account) -> None:
        """Replace `ClientConnection.account` of the connections of a changed account."""
        for connection, identity in self._iterate_connections(account.id):
            connection.account = AccountIdentity.from_account(account, identity.token_id)

    def revoke(
        self, account_id: int, is_revoked: Callable[[int], bool] = lambda _: True, *, reason: str = "token_invalid"
    ) -> None:
        """Push `authFail` to the connections of revoked tokens and close them; remove the tokens from the cache.

        The database does not change. Running verifications read their token again.

        Args:
            account_id: Account of the tokens.
            is_revoked: Returns whether a token id is revoked; by default, all are.
            reason: Reason of the error for the clients.
        """
        self._revocation_count += 1
        for digest, record in self._cache.items():
            if record.account_id == account_id and is_revoked(record.id):
                self._cache.remove(digest)
        error = errors.Unauthorized(reason)
        for connection, identity in self._iterate_connections(account_id):
            if is_revoked(identity.token_id):
                connection.push(encode_auth_failure(error, is_conversation=connection.is_conversation))
                connection.close("token revoked")

    async def close_deleted(self, account: Account) -> None:
        """Revoke the tokens of an account that are deleted in storage, or all tokens of an inactive account."""
        if not account.is_active:
            self.revoke(account.id, reason="account_suspended" if account.suspended else "token_invalid")
            return
        self._revocation_count += 1  # verifications before the read of the stored tokens are repeated
        token_ids = {record.id for _, record in self._cache.items() if record.account_id == account.id}
        token_ids |= {identity.token_id for _, identity in self._iterate_connections(account.id)}
        if token_ids:
            token_ids -= {record.id for record in await self._repository.list_tokens(account.id)}
            self.revoke(account.id, lambda token_id: token_id in token_ids)

    def _iterate_connections(self, account_id: int | None = None) -> Iterator[tuple[ClientConnection, AccountIdentity]]:
        """Yield the connections of one account or of all accounts, each with its identity; closing them is safe."""
        groups = self._connections.values() if account_id is None else [self._connections.get(account_id, set())]
        for connection in [connection for group in groups for connection in group]:
            if connection.account is not None:
                yield connection, connection.account


def encode_auth_failure(error: errors.Unauthorized, *, is_conversation: bool) -> Frame:
    """Return the frame of `authFail`; without an argument for clients of the conversation dialect."""
    if is_conversation:
        return encode_empty_event(events.AUTH_FAIL)
    return encode_event(events.AUTH_FAIL, events.AuthFailPush(error.message, error.reason))


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 of a generated secret, which has enough entropy for a fast hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
