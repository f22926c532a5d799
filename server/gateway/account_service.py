"""Accounts: registration, logins, tokens and profiles (docs/accounts.md).

- Tokens: 256 random bits after `ct_`, stored as SHA-256. Each hour of use extends the lifetime of a token.
- Verification: a verified token is cached; its account comes from the directory, so a suspension applies at once.
- Revocation: a revoked token is removed from the database, then from the cache, and its open connections receive
  `authFail` and close. A verification that overlaps a revocation reads the token again.
- Secrecy: a login with an unknown account and one with a wrong password have the same error and the same cost.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from server.domain.account_directory import Account, AccountDirectory, AccountIdentity, ServerRole
from server.domain.login_limiter import LoginLimiter
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.password_hashing import PasswordHashing
from server.storage.account_repository import HOUR_MS, AccountRecord, AccountRepository, TokenRecord
from tui_chat.protocol import errors, events, names
from tui_chat.protocol.accounts import normalize_password, validate_account_name, validate_password

TOKEN_PREFIX = "ct_"
"""Start of all tokens, by which secret scanners recognize them."""

_TOKEN_BYTES = 32
_MAX_CACHED_TOKENS = 10_000
_SAVE_INTERVAL = 60.0  # seconds between two writes of token uses

Registration = Literal["open", "invite", "closed"]


class IssuedToken(Struct, frozen=True):
    """New token of an account; `token` exists nowhere else.

    Attributes:
        account: Account of the token.
        token: Secret of the device.
        expires_at: Expiry without a further use, in milliseconds (Unix time).
    """

    account: Account
    token: str
    expires_at: int


class AccountService:
    """Operations on accounts; a rejected operation raises a `ChatError`.

    All methods that read or write storage raise `Unavailable` if the database fails. Methods with a client address also
    raise `Unavailable` if too many password checks are waiting.

    Args:
        repository: Storage of accounts and tokens.
        directory: Accounts in memory, filled by `load`.
        hashing: Pool of password hash computations.
        generate_member_id: Source of member ids.
        now: Wall clock, as Unix time in milliseconds.
        monotonic: Monotonic clock, in seconds.

    Attributes:
        directory: Accounts in memory.
        on_change: Called with each new or changed account, after the change of the directory.
    """

    def __init__(
        self,
        repository: AccountRepository,
        directory: AccountDirectory,
        hashing: PasswordHashing,
        *,
        generate_member_id: Callable[[], str],
        now: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._repository = repository
        self.directory = directory
        self._hashing = hashing
        self._generate_member_id = generate_member_id
        self.on_change: Callable[[Account], None] = lambda _: None
        self._now = now
        self._monotonic = monotonic
        self._login_limiter = LoginLimiter()
        self._token_cache = OrderedDict[bytes, TokenRecord]()  # by digest, least recently used first
        self._revocation_count = 0
        self._used_token_ids = set[int]()
        self._saved_hour = 0
        self._connections: dict[int, set[ClientConnection]] = {}  # by account id

    async def load(self) -> None:
        """Read all accounts into the directory; called once, before the first connection."""
        for record in await self._repository.list_all():
            self.directory.put(record.account)

    async def run_maintenance(self) -> None:
        """Save the uses of tokens once per minute; never returns."""
        while True:
            await asyncio.sleep(_SAVE_INTERVAL)
            with suppress(errors.Unavailable):  # logged by the repository
                await self.save_token_uses()

    async def save_token_uses(self) -> None:
        """Store the current hour as the last use of used and connected tokens, and delete expired tokens.

        Connected tokens are stored once per hour. After a failure, the next call repeats the write.
        """
        hour = self._now() // HOUR_MS
        token_ids = set(self._used_token_ids)
        if hour != self._saved_hour:
            token_ids |= {account.token_id for _, account in self._iterate_connections()}
        if token_ids or hour != self._saved_hour:
            await self._repository.touch_tokens(token_ids)
            self._used_token_ids -= token_ids
            self._saved_hour = hour

    # -- connections

    async def authenticate(self, token: str) -> AccountIdentity:
        """Return the account of a token, and record the use of the token.

        Raises:
            Unauthorized: The token is unknown, expired or revoked, or the account is suspended or deleted.
        """
        record = await self._find_token(hash_secret(token))
        account = None if record is None else await self._find_account(record.account_id)
        if record is None or account is None or not account.is_active:
            raise errors.Unauthorized("token_invalid")
        return AccountIdentity.from_account(account, record.id)

    def attach(self, connection: ClientConnection, account: AccountIdentity) -> None:
        """Set the account of a new connection; no `await` may separate the call from `authenticate`."""
        connection.account, connection.member_id = account, account.member_id
        self._connections.setdefault(account.id, set()).add(connection)

    def detach(self, connection: ClientConnection) -> None:
        """Forget a closed connection; without effect for a guest and for a repeated call."""
        if connection.account is None:
            return
        connections = self._connections.get(connection.account.id, set())
        connections.discard(connection)
        if not connections:
            self._connections.pop(connection.account.id, None)

    # -- accounts

    async def create_account(
        self,
        name: str,
        *,
        password: str | None,
        address: str,
        nick_name: str | None = None,
        email: str | None = None,
        member_id: str | None = None,
        invite_code: str | None = None,
        role: ServerRole = "user",
    ) -> Account:
        """Create an account, without a check of the registration policy.

        Args:
            name: Account name as received.
            password: Password as received, None for a bot.
            address: Client address, for the queue of password hashes.
            nick_name: Validated nickname, None for the account name.
            email: Address for the account's owner.
            member_id: Member id of the claimed guest, None for a new member.
            invite_code: Code of a server invite to redeem, None for a creation without one.
            role: Role on the server.

        Raises:
            BadRequest, NickInvalid, TooLong: The account name or the password is invalid.
            Conflict: The name or the nickname belongs to another account, or the guest is claimed already.
            Forbidden: The invite is unknown, expired or used up.
        """
        name = validate_account_name(name)
        password_hash = None
        if password is not None:
            password_hash = await self._hashing.hash(validate_password(password, name), address)
        account = Account(
            id=0,
            name=name,
            nick_name=nick_name or name,
            member_id=member_id or self._generate_member_id(),
            role=role,
            is_bot=password is None,
        )
        record = await self._repository.create(
            account,
            password_hash=password_hash,
            email=email,
            invite_digest=None if invite_code is None else hash_secret(invite_code),
        )
        self._apply(record)
        return record.account

    async def issue_token(self, account: Account, label: str, *, password_hash: str | None = None) -> IssuedToken:
        """Create a token for a device.

        Args:
            account: Account of the device.
            label: Name of the device.
            password_hash: Hash that a login has verified; None for a token without a login.

        Raises:
            Unauthorized: The password was changed, or the account deleted, since the verification.
        """
        token = TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
        record = await self._repository.add_token(account.id, hash_secret(token), label, password_hash=password_hash)
        return IssuedToken(account, token, record.expires_at)

    async def log_in(self, name: str, password: str, label: str, address: str) -> IssuedToken:
        """Verify a password and create a token.

        Args:
            name: Account name as received.
            password: Password as received.
            label: Name of the device.
            address: Client address.

        Raises:
            Unauthorized: The account is unknown or has no password, or the password is wrong.
            Forbidden: The password is correct and the account suspended.
            RateLimited: Too many attempts with this account name from this address failed.
        """
        record = await self._verify_password(name, password, address)
        if record.account.suspended:
            raise errors.Forbidden("account_suspended")
        return await self.issue_token(record.account, label, password_hash=record.password_hash)

    # -- internals

    async def _verify_password(self, name: str, password: str, address: str) -> AccountRecord:
        """Return the account of a name and password, with a hash of the current parameters.

        Raises:
            Unauthorized: As `log_in`.
            RateLimited: As `log_in`.
        """
        name_key = names.canonical_key(name)
        retry_after = self._login_limiter.acquire(name_key, address, self._monotonic())
        if retry_after:
            raise errors.RateLimited("too_many_logins", retry_after=round(retry_after, 3))
        normalized = normalize_password(password)
        try:
            record = await self._repository.find(name_key)
            password_hash = None if record is None else record.password_hash
            is_correct = await self._hashing.verify(normalized, password_hash, address)
        except errors.Unavailable:
            self._login_limiter.release(name_key, address)
            raise
        if record is None or password_hash is None or not is_correct:
            raise errors.Unauthorized("login_failed")
        self._login_limiter.reset(name_key, address)
        if self._hashing.needs_rehash(password_hash):
            new_hash = await self._hashing.hash(normalized, address)
            record = await self._repository.update(record.account.id, password_hash=new_hash)
        return record

    async def _find_token(self, digest: bytes) -> TokenRecord | None:
        now = self._now()
        record = self._token_cache.get(digest)
        while record is None or record.expires_at <= now:
            revocation_count = self._revocation_count
            record = await self._repository.find_token(digest)
            if record is None:
                return None
            if revocation_count != self._revocation_count:
                record = None
        if record.last_used_at // HOUR_MS < now // HOUR_MS:
            self._used_token_ids.add(record.id)
            record = replace(record, last_used_at=now // HOUR_MS * HOUR_MS)
        self._token_cache[digest] = record
        self._token_cache.move_to_end(digest)
        if len(self._token_cache) > _MAX_CACHED_TOKENS:
            self._token_cache.popitem(last=False)
        return record

    async def _find_account(self, account_id: int) -> Account | None:
        """Return an account from the directory, or from storage if another server has created the account."""
        account = self.directory.get(account_id)
        if account is None:
            with suppress(errors.NotFound):
                account = (await self._repository.get(account_id)).account
                self.directory.put(account)
        return account

    def _apply(self, record: AccountRecord) -> None:
        """Update the directory and the connections of an account after a change in storage."""
        account = record.account
        self.directory.put(account)
        for connection, identity in self._iterate_connections(account.id):
            connection.account = AccountIdentity.from_account(account, identity.token_id)
        self.on_change(account)

    def _revoke(self, account_id: int, is_revoked: Callable[[int], bool] = lambda _: True) -> None:
        """Close the connections of deleted tokens, and remove these from the cache.

        Args:
            account_id: Account of the tokens.
            is_revoked: Returns whether a token id is revoked; by default, all are.
        """
        self._revocation_count += 1
        for digest, record in list(self._token_cache.items()):
            if record.account_id == account_id and is_revoked(record.id):
                del self._token_cache[digest]
        frame = encode_event(events.AUTH_FAIL, events.AuthFailPush())
        for connection, identity in self._iterate_connections(account_id):
            if is_revoked(identity.token_id):
                connection.push(frame)
                connection.close("token revoked")

    def _iterate_connections(self, account_id: int | None = None) -> Iterator[tuple[ClientConnection, AccountIdentity]]:
        """Yield the connections of one account or of all accounts, each with its identity; closing them is safe."""
        groups = self._connections.values() if account_id is None else [self._connections.get(account_id, set())]
        for connection in [connection for group in groups for connection in group]:
            if connection.account is not None:
                yield connection, connection.account


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 digest of a token or an invite code; both have enough entropy for a fast hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
