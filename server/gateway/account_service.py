"""Accounts: registration, logins, tokens and profiles (docs/accounts.md).

- Order: a change is stored first, then applied to the directory, to open connections and to present members.
- Tokens: 256 random bits after `ct_`, stored as SHA-256.
- Secrecy: a login with an unknown account and one with a wrong password have the same error and the same cost.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

from server.domain.account_directory import Account, AccountDirectory, AccountIdentity, ServerRole
from server.domain.login_limiter import LoginLimiter
from server.gateway.device_tokens import DeviceTokens, hash_secret
from server.gateway.password_hashing import PasswordHashing
from server.storage.account_records import AccountRecord, TokenRecord
from server.storage.account_repository import AccountRepository
from tui_chat.protocol import errors, names
from tui_chat.protocol.accounts import DELETED_PREFIX, normalize_password, validate_account_name, validate_password

log = logging.getLogger("chat.accounts")

TOKEN_PREFIX = "ct_"
"""Prefix of all tokens, for secret scanners."""

_TOKEN_BYTES, _INVITE_BYTES, _DELETED_NAME_BYTES = 32, 16, 4

RegistrationPolicy = Literal["open", "invite", "closed"]
"""Policy of registrations: everyone, only with a server invite, or nobody."""

ErasureMode = Literal["keep", "delete"]
"""Treatment of the messages of a deleted account: `keep` replaces the author name, `delete` deletes the texts too."""


class IssuedToken(Struct, frozen=True):
    """New token of an account; the server stores only the digest of `token`.

    Attributes:
        account: Account of the token.
        token: Secret of the device.
        expires_at: Expiry if the token is not used again, in milliseconds (Unix time).
    """

    account: Account
    token: str
    expires_at: int


class ServerInvite(Struct, frozen=True):
    """New invite for registrations; the server stores only the digest of `code`.

    Attributes:
        id: Identifier of the invite.
        code: Secret for the registration.
        uses: Number of accounts that may be registered.
        expires_at: Expiry in milliseconds (Unix time).
    """

    id: int
    code: str
    uses: int
    expires_at: int


class AccountService:
    """Operations on accounts; a rejected operation raises a `ChatError`.

    Methods that read or write storage raise `Unavailable` if the database fails, and methods with a password if too
    many password hashes are waiting.

    Args:
        repository: Storage of accounts and tokens.
        hashing: Pool of password hash computations.
        generate_member_id: Source of member ids.
        now: Wall clock, as Unix time in milliseconds.
        monotonic: Monotonic clock, in seconds.

    Attributes:
        directory: Accounts in memory, filled by `load`.
        tokens: Tokens of devices, and their connections.
        on_change: Called with each account that `apply` adds or changes.
        on_deletion: Called after the deletion of an account, to start the erasure of its entries.
    """

    def __init__(
        self,
        repository: AccountRepository,
        hashing: PasswordHashing,
        *,
        generate_member_id: Callable[[], str],
        now: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._repository = repository
        self.directory = AccountDirectory()
        self._hashing = hashing
        self._generate_member_id = generate_member_id
        self.on_change: Callable[[Account], None] = lambda _: None
        self.on_deletion: Callable[[], None] = lambda: None
        self._now = now
        self._monotonic = monotonic
        self._login_limiter = LoginLimiter()
        self.tokens = DeviceTokens(repository, self.directory, now)

    async def load(self) -> None:
        """Read all accounts into the directory."""
        for record in await self._repository.list_all():
            self.directory.put(record.account)

    def apply(self, record: AccountRecord) -> None:
        """Apply a stored change to the directory and the connections, and call `on_change`; skip an outdated change."""
        if self.directory.put(record.account):
            self.tokens.update_connections(record.account)
            self.on_change(record.account)

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
        is_bot: bool = False,
    ) -> Account:
        """Store and apply a new account; the registration policy is not checked, and no token is issued.

        Args:
            name: Account name as received.
            password: Password as received, None for an account without a login, such as a bot.
            address: Client address.
            nick_name: Validated nickname, None for the account name.
            email: Validated e-mail address, None without one.
            member_id: Member id of the claimed guest, None for a new one.
            invite_code: Code of a server invite to redeem, None without one.
            role: Role on the server.
            is_bot: The account belongs to a bot.

        Raises:
            BadRequest, NickInvalid, TooLong: The account name or the password is invalid.
            Conflict: The name or the nickname belongs to another account, or the guest is claimed already.
            Forbidden: The invite is unknown, expired or used up.
        """
        invite_digest = None if invite_code is None else hash_secret(invite_code)
        if invite_digest is not None:
            await self._repository.require_invite(invite_digest)
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
            is_bot=is_bot,
        )
        record = await self._repository.create(
            account, password_hash=password_hash, email=email, invite_digest=invite_digest
        )
        self.apply(record)
        return record.account

    async def issue_token(self, account: Account, label: str, *, password_hash: str | None = None) -> IssuedToken:
        """Create a token for the device `label`, and revoke the least recently used tokens above `MAX_DEVICES`.

        Raises:
            Unauthorized: The account no longer has `password_hash`, the hash of the password verified by a login.
        """
        token = TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
        record = await self._repository.add_token(account.id, hash_secret(token), label, password_hash=password_hash)
        if await self._repository.delete_excess_tokens(account.id):
            await self.tokens.close_deleted(account)
        return IssuedToken(account, token, record.expires_at)

    async def log_in(self, name: str, password: str, label: str, address: str) -> IssuedToken:
        """Verify a password, and create a token for the device `label`; name and password are as received.

        Raises:
            Unauthorized: The account is unknown or has no password, or the password is wrong.
            Forbidden: The password is correct and the account suspended.
            RateLimited: Too many attempts with this account name from this address failed or are running.
        """
        record = await self._verify_password(name, password, address)
        if record.account.suspended:
            raise errors.Forbidden("account_suspended")
        return await self.issue_token(record.account, label, password_hash=record.password_hash)

    # -- devices and profile

    async def list_devices(self, account_id: int) -> list[TokenRecord]:
        """Return the unexpired tokens of an account, newest first."""
        return await self._repository.list_tokens(account_id)

    async def revoke_device(self, account: AccountIdentity, token_id: int) -> None:
        """Delete a token of an account, and close the connections of the token.

        Raises:
            NotFound: The account has no such token.
        """
        await self._repository.delete_token(account.id, token_id)
        self.tokens.revoke(account.id, lambda revoked_id: revoked_id == token_id)

    async def read_profile(self, account: AccountIdentity) -> AccountRecord:
        """Return the stored account with its private fields."""
        return await self._repository.get(account.id)

    async def update_profile(self, account: AccountIdentity, values: Mapping[str, Any]) -> AccountRecord:
        """Store and apply changes of the profile, and return the account; without values, only read the account.

        Args:
            account: Account to change.
            values: Validated columns of `accounts`, such as `about`; a new `name` without a `nick_name` becomes the
                nickname too.

        Raises:
            Conflict: The name or the nickname belongs to another account.
        """
        if not values:
            return await self.read_profile(account)
        record = await self._repository.update(account.id, **values)
        self.apply(record)
        return record

    async def change_password(self, account: AccountIdentity, password: str, new_password: str, address: str) -> None:
        """Replace the password, and revoke the tokens of all other devices; both passwords are as received.

        Raises:
            BadRequest, TooLong: The new password is invalid.
            Unauthorized: The current password is wrong, or the account has none.
            RateLimited: As in `log_in`.
        """
        validated_password = validate_password(new_password, account.name)
        await self._verify_password(account.name, password, address)
        await self._replace_password(account.id, validated_password, address, keep_token_id=account.token_id)

    async def delete_account(
        self, account: AccountIdentity, password: str, *, erasure: ErasureMode, address: str
    ) -> None:
        """Delete an account, revoke its tokens and start the erasure of its entries.

        The password is as received, and ignored for a bot.

        Raises:
            Unauthorized: The password is wrong, or the account of a person has none.
            RateLimited: As in `log_in`.
        """
        if not (await self.read_profile(account)).account.is_bot:
            await self._verify_password(account.name, password, address)
        await self._delete(account.id, erasure)

    # -- administration

    async def require_account(self, name: str) -> AccountRecord:
        """Return the account with an account name.

        Raises:
            NotFound: No account has this account name.
        """
        record = await self._repository.find(names.canonical_key(name))
        if record is None:
            raise errors.NotFound("account_not_found")
        return record

    async def list_accounts(self) -> list[AccountRecord]:
        """Return all accounts in order of their creation, without deleted ones."""
        return [record for record in await self._repository.list_all() if not record.account.deleted]

    async def set_role(self, name: str, role: ServerRole) -> AccountRecord:
        """Change the role of an account on the server, and return the account; raises as `require_account`."""
        return await self._update_by_name(name, role=role)

    async def suspend(self, name: str) -> AccountRecord:
        """Reject logins and tokens of an account until `resume`, close its connections, and return the account.

        Raises as `require_account`.
        """
        record = await self._update_by_name(name, suspended=True)
        self.tokens.revoke(record.account.id, reason="account_suspended")
        return record

    async def resume(self, name: str) -> AccountRecord:
        """End the suspension of an account, and return the account; raises as `require_account`."""
        return await self._update_by_name(name, suspended=False)

    async def reset_password(self, name: str, new_password: str) -> None:
        """Replace the password without the current one, and revoke all tokens of the account.

        Raises:
            BadRequest, TooLong: The new password is invalid.
            NotFound: No account has this name.
        """
        account = (await self.require_account(name)).account
        await self._replace_password(account.id, validate_password(new_password, account.name), address="")

    async def replace_tokens(self, bot: Account, label: str) -> IssuedToken:
        """Delete the password and all tokens of a bot, close its connections, and create a token for `label`."""
        await self._repository.update(bot.id, keep_token_id=None, password_hash=None)
        self.tokens.revoke(bot.id)
        return await self.issue_token(bot, label)

    async def delete_account_by_name(self, name: str, erasure: ErasureMode) -> None:
        """Delete an account as `delete_account`, without a password check; raises as `require_account`."""
        await self._delete((await self.require_account(name)).account.id, erasure)

    async def create_invite(self, *, uses: int, lifetime: float) -> ServerInvite:
        """Create an invite for `uses` registrations, valid for `lifetime` seconds."""
        code = secrets.token_urlsafe(_INVITE_BYTES)
        expires_at = self._now() + round(lifetime * 1000)
        invite_id = await self._repository.add_invite(hash_secret(code), uses=uses, expires_at=expires_at)
        return ServerInvite(invite_id, code, uses, expires_at)

    # -- internals

    async def _verify_password(self, name: str, password: str, address: str) -> AccountRecord:
        """Check a password, and return the account, even a suspended one.

        A stored hash with other parameters than new hashes is replaced; a password change in the meantime raises
        `Unauthorized`. Each attempt without a correct password counts toward the limit of failed logins. Raises
        `Unauthorized` and `RateLimited` as `log_in`.
        """
        name_key = names.canonical_key(name)
        retry_after = self._login_limiter.acquire(name_key, address, self._monotonic())
        if retry_after:
            log.warning("login rejected: too many failures for one account from %s", address)
            raise errors.RateLimited("too_many_logins", retry_after=round(retry_after, 3))
        normalized = normalize_password(password)
        try:
            record = await self._repository.find(name_key)
            old_hash = None if record is None else record.password_hash
            is_correct = await self._hashing.verify(normalized, old_hash, address)
        except errors.Unavailable:
            self._login_limiter.release(name_key, address)
            raise
        if record is None or old_hash is None or not is_correct:
            raise errors.Unauthorized("login_failed")
        self._login_limiter.reset(name_key, address)
        if self._hashing.needs_rehash(old_hash):
            new_hash = await self._hashing.hash(normalized, address)
            record = await self._repository.update(record.account.id, required_hash=old_hash, password_hash=new_hash)
        return record

    async def _update_by_name(self, name: str, **values: Any) -> AccountRecord:
        """Store and apply new columns, and return the account; raises as `require_account`."""
        account_id = (await self.require_account(name)).account.id
        record = await self._repository.update(account_id, **values)
        self.apply(record)
        return record

    async def _replace_password(
        self, account_id: int, password: str, address: str, keep_token_id: int | None = None
    ) -> None:
        """Store the hash of a validated password, and revoke all tokens of the account except `keep_token_id`."""
        new_hash = await self._hashing.hash(password, address)
        await self._repository.update(account_id, keep_token_id=keep_token_id, password_hash=new_hash)
        self.tokens.revoke(account_id, lambda token_id: token_id != keep_token_id)

    async def _delete(self, account_id: int, erasure: ErasureMode) -> None:
        """Delete an account and its secrets, replace its name by a random one, and start the erasure."""
        record = await self._repository.update(
            account_id,
            keep_token_id=None,
            name=DELETED_PREFIX + secrets.token_hex(_DELETED_NAME_BYTES),
            deleted=True,
            erasure=erasure,
            password_hash=None,
            about="",
            email=None,
            avatar_path=None,
        )
        self.apply(record)
        self.tokens.revoke(account_id)
        self.on_deletion()
