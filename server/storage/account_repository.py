"""Repository of accounts, their reserved names, tokens and server invites.

- Secrets: passwords are stored as Argon2id hashes, tokens and invite codes as SHA-256 digests.
- Namespace: `account_names` has one row per reserved name, so no two accounts share a name, even with concurrent
  writers.
- Expiry: a token expires `TOKEN_LIFETIME` after the start of the hour of its last use.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, exc, func, select, update

from server.domain.account_directory import Account
from server.domain.uploads import FilePath
from server.storage.account_changes import next_change_seq, record_change
from server.storage.account_records import (
    HOUR_MS,
    TOKEN_LIFETIME,
    AccountRecord,
    TokenRecord,
    account_from_row,
    token_from_row,
)
from server.storage.executor import MAX_KEYS_PER_QUERY, Executor, TransactionRunner
from server.storage.tables import account_names, accounts, invites, memberships, tokens, uploads
from tui_chat.protocol import names
from tui_chat.protocol.errors import Conflict, Forbidden, NotFound, Unauthorized

MAX_DEVICES = 100
"""Maximum number of tokens of an account; a further one revokes the least recently used one."""


class AccountRepository:
    """Repository of accounts, tokens and server invites.

    Methods that write raise `Unavailable` if the database is not writable, others if it is not readable.

    Attributes:
        on_change: Called after each committed creation or change of an account and after each revocation of tokens, not
            after the addition, use or expiry of tokens.
    """

    def __init__(self, writer: Executor, readers: Executor, clock: Callable[[], int]) -> None:
        self._writes = TransactionRunner.for_writes(writer, "accounts")
        self._reads = TransactionRunner.for_reads(readers, "accounts")
        self._clock = clock
        self.on_change: Callable[[], None] = lambda: None

    # -- accounts

    async def list_all(self) -> list[AccountRecord]:
        """Return all accounts in order of their ids, including deleted ones."""
        return await self._list(select(accounts).order_by(accounts.c.id))

    async def list_changed(self, after: int) -> list[AccountRecord]:
        """Return the accounts with a `change_seq` above `after`, in order of the `change_seq`, including deleted ones.

        Revocations of tokens and changes of blocks count as changes; the addition, use and expiry of tokens do not.
        """
        return await self._list(select(accounts).where(accounts.c.change_seq > after).order_by(accounts.c.change_seq))

    async def list_erasures(self) -> list[AccountRecord]:
        """Return the deleted accounts whose entries are not rewritten yet, in order of their ids."""
        return await self._list(select(accounts).where(accounts.c.erasure.is_not(None)).order_by(accounts.c.id))

    async def find(self, name_key: str) -> AccountRecord | None:
        """Return the account with an account name, None for an unknown or deleted account. Nicknames are not searched.

        Args:
            name_key: Canonical key of the account name.
        """
        if "\0" in name_key:  # invalid in PostgreSQL
            return None
        statement = (
            select(accounts)
            .join(account_names, account_names.c.account_id == accounts.c.id)
            .where(account_names.c.key == name_key, account_names.c.is_login)
        )
        row = await self._reads.run(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else account_from_row(row)

    async def find_by_email(self, email: str) -> AccountRecord | None:
        """Return the oldest account with an e-mail address, None for an unknown one; case-sensitive."""
        if "\0" in email:  # invalid in PostgreSQL
            return None
        statement = select(accounts).where(accounts.c.email == email).order_by(accounts.c.id).limit(1)
        row = await self._reads.run(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else account_from_row(row)

    async def get(self, account_id: int) -> AccountRecord:
        """Return the account with an id, even a deleted one.

        Raises:
            NotFound: The id is unknown.
        """
        statement = select(accounts).where(accounts.c.id == account_id)
        row = await self._reads.run(lambda connection: connection.execute(statement).one_or_none())
        if row is None:
            raise NotFound("account_not_found")
        return account_from_row(row)

    async def create(
        self,
        account: Account,
        *,
        password_hash: str | None,
        email: str | None = None,
        invite_digest: bytes | None = None,
    ) -> AccountRecord:
        """Store a new account, and redeem an invite in the same transaction.

        Existing memberships with the member id, those of a guest who registers, receive the names of the account.

        Args:
            account: Names, member id, role, `is_bot` and `suspended` of the account; other fields are ignored.
            password_hash: Encoded hash, None for a bot.
            invite_digest: SHA-256 of the code of a server invite; None for a registration without an invite.

        Raises:
            Conflict: The name or the nickname belongs to another account, or the member id is claimed.
            Forbidden: The invite is unknown, expired or used up.
        """
        now = self._clock()
        values = {
            **{"name": account.name, "nick_name": account.nick_name, "member_id": account.member_id},
            **{"role": account.role, "is_bot": account.is_bot, "suspended": account.suspended, "deleted": False},
            **{"password_hash": password_hash, "about": "", "email": email},
            **{"created_at": now, "updated_at": now},
        }
        return await self._write_names(partial(_create, values=values, invite_digest=invite_digest, now=now))

    async def update(
        self,
        account_id: int,
        *,
        keep_token_id: int | UnsetType | None = UNSET,
        required_hash: str | None = None,
        **values: Any,
    ) -> AccountRecord:
        """Change columns of an account, and set its `updated_at` to the current time.

        A new name or nickname replaces the reserved names and the names in the memberships of the account. The column
        `deleted` with True releases the reserved names; the row of the account remains.

        Args:
            keep_token_id: Delete all tokens of the account except this one in the same transaction, or all if None;
                UNSET keeps all.
            required_hash: Password hash that the account must still have; None for a change without this condition.
            values: New values by column of `accounts`; a `name` without a `nick_name` sets both. A different
                `avatar_path`, even None, unpins the upload of the former one.

        Raises:
            Conflict: The name or the nickname belongs to another account.
            NotFound: The id is unknown, and `required_hash` is None.
            Unauthorized: `required_hash` is given, and the account has another password hash or the id is unknown.
        """
        return await self._write_names(
            partial(
                _update,
                account_id=account_id,
                keep_token_id=keep_token_id,
                required_hash=required_hash,
                values={**values, "updated_at": self._clock()},
            )
        )

    # -- tokens

    async def add_token(
        self, account_id: int, digest: bytes, label: str, *, password_hash: str | None = None
    ) -> TokenRecord:
        """Store a token, even above `MAX_DEVICES`; the caller then calls `delete_excess_tokens`.

        Args:
            digest: SHA-256 of the token.
            password_hash: Hash that the account must still have; None for a token without a login.

        Raises:
            Unauthorized: The account has another password hash, or the id is unknown with a `password_hash`.
        """
        now = self._clock()
        values = {
            **{"account_id": account_id, "digest": digest, "label": label},
            **{"created_at": now, "last_used_at": now - now % HOUR_MS},
        }
        return await self._writes.run(partial(_add_token, values=values, password_hash=password_hash))

    async def delete_excess_tokens(self, account_id: int) -> bool:
        """Delete the tokens of an account above `MAX_DEVICES`, oldest use first; return whether there were any.

        Only a deletion calls `on_change`.
        """
        has_excess = await self._writes.run(partial(_delete_excess_tokens, account_id=account_id))
        if has_excess:
            self.on_change()
        return has_excess

    async def find_token(self, digest: bytes) -> TokenRecord | None:
        """Return the token with a digest, None for an unknown or expired one."""
        statement = _select_tokens(self._clock()).where(tokens.c.digest == digest)
        row = await self._reads.run(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else token_from_row(row)

    async def list_tokens(self, account_id: int) -> list[TokenRecord]:
        """Return the tokens of an account without expired ones, newest first."""
        statement = _select_tokens(self._clock()).where(tokens.c.account_id == account_id).order_by(tokens.c.id.desc())
        return [
            token_from_row(row) for row in await self._reads.run(lambda connection: connection.execute(statement).all())
        ]

    async def delete_token(self, account_id: int, token_id: int) -> None:
        """Delete a token of an account.

        Raises:
            NotFound: The account has no token with this id.
        """
        await self._writes.run(partial(_delete_token, account_id=account_id, token_id=token_id))
        self.on_change()

    async def touch_tokens(self, token_ids: Collection[int]) -> None:
        """Set the last use of tokens to the current hour, then delete expired tokens and expired server invites."""
        await self._writes.run(partial(_touch_tokens, token_ids=token_ids, now=self._clock()))

    # -- server invites

    async def add_invite(self, digest: bytes, *, uses: int, expires_at: int) -> int:
        """Store a server invite and return its id.

        Args:
            digest: SHA-256 of the code.
            expires_at: Expiry in milliseconds (Unix time).
        """
        values = {
            **{"digest": digest, "room_id": None, "uses_left": uses, "expires_at": expires_at},
            **{"created_by": "", "created_at": self._clock()},
        }
        statement = invites.insert().values(values).returning(invites.c.id)
        return await self._writes.run(lambda connection: connection.execute(statement).scalar_one())

    async def require_invite(self, digest: bytes) -> None:
        """Check that a server invite is valid, without redeeming the invite.

        Raises:
            Forbidden: The invite is unknown, expired or used up.
        """
        statement = select(invites.c.id).where(*_invite_filters(digest, self._clock()))
        if await self._reads.run(lambda connection: connection.execute(statement).first()) is None:
            raise Forbidden("invite_invalid")

    async def _write_names(self, work: Callable[[Connection], AccountRecord]) -> AccountRecord:
        """Run a write that may reserve names, then call `on_change`; a violated constraint becomes `Conflict`."""
        try:
            record = await self._writes.run(work)
        except exc.IntegrityError:
            raise Conflict("account_name_in_use") from None
        self.on_change()
        return record

    async def _list(self, statement: Select[Any]) -> list[AccountRecord]:
        rows = await self._reads.run(lambda connection: connection.execute(statement).all())
        return [account_from_row(row) for row in rows]


def _create(
    connection: Connection, *, values: Mapping[str, Any], invite_digest: bytes | None, now: int
) -> AccountRecord:
    values = {**values, "change_seq": next_change_seq(connection)}
    if invite_digest is not None:
        redeemed = connection.execute(
            update(invites).where(*_invite_filters(invite_digest, now)).values(uses_left=invites.c.uses_left - 1)
        )
        if not redeemed.rowcount:
            raise Forbidden("invite_invalid")
    row = connection.execute(accounts.insert().values(values).returning(*accounts.columns)).one()
    return _reserve_names(connection, row)


def _invite_filters(digest: bytes, now: int) -> tuple[ColumnElement[bool], ...]:
    is_server_invite = (invites.c.digest == digest, invites.c.room_id.is_(None))
    return (*is_server_invite, invites.c.uses_left > 0, invites.c.expires_at > now)


def _update(
    connection: Connection,
    *,
    account_id: int,
    keep_token_id: int | UnsetType | None,
    required_hash: str | None,
    values: Mapping[str, Any],
) -> AccountRecord:
    values = {**values, "change_seq": next_change_seq(connection)}
    if required_hash is not None:
        _require_password_hash(connection, account_id, required_hash)
    if keep_token_id is not UNSET:
        revoked = delete(tokens).where(tokens.c.account_id == account_id)
        connection.execute(revoked if keep_token_id is None else revoked.where(tokens.c.id != keep_token_id))
    if "avatar_path" in values:
        _unpin_avatar(connection, account_id, values["avatar_path"])
    if "name" in values:
        values = {"nick_name": values["name"], **values}
    statement = update(accounts).where(accounts.c.id == account_id).values(values).returning(*accounts.columns)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound("account_not_found")
    if values.keys().isdisjoint(("name", "nick_name", "deleted")):
        return account_from_row(row)
    return _reserve_names(connection, row)


def _unpin_avatar(connection: Connection, account_id: int, new_path: str | None) -> None:
    """Unpin the upload of a replaced avatar of an account, so that it expires; lock the row of the account."""
    statement = select(accounts.c.avatar_path).where(accounts.c.id == account_id).with_for_update()
    former_path = connection.execute(statement).scalar_one_or_none() or ""
    path = FilePath.parse(former_path)
    if path is not None and former_path != new_path:
        connection.execute(update(uploads).where(uploads.c.id == path.upload_id).values(is_pinned=False))


def _reserve_names(connection: Connection, row: Row[Any]) -> AccountRecord:
    """Replace the reserved names of an account, and the names in the memberships with its member id.

    A deleted account has no reserved names.

    Raises:
        sqlalchemy.exc.IntegrityError: A name belongs to another account.
    """
    record = account_from_row(row)
    connection.execute(delete(account_names).where(account_names.c.account_id == row.id))
    login_key = names.canonical_key(record.account.name)
    name_rows = [
        {"key": key, "account_id": row.id, "is_login": key == login_key} for key in sorted(record.account.name_keys)
    ]
    if name_rows:
        connection.execute(account_names.insert(), name_rows)
    connection.execute(
        update(memberships)
        .where(memberships.c.member_id == row.member_id)
        .values(nick_name=row.nick_name, account=row.name)
    )
    return record


def _add_token(connection: Connection, *, values: Mapping[str, Any], password_hash: str | None) -> TokenRecord:
    if password_hash is not None:
        _require_password_hash(connection, values["account_id"], password_hash)
    return token_from_row(connection.execute(tokens.insert().values(values).returning(*tokens.columns)).one())


def _require_password_hash(connection: Connection, account_id: int, password_hash: str) -> None:
    """Lock the row of an account; raise `Unauthorized` if the account has another password hash."""
    stored_hash = select(accounts.c.password_hash).where(accounts.c.id == account_id).with_for_update()
    if connection.execute(stored_hash).scalar_one_or_none() != password_hash:
        raise Unauthorized("login_failed")


def _delete_excess_tokens(connection: Connection, *, account_id: int) -> bool:
    of_account = tokens.c.account_id == account_id
    if connection.execute(select(func.count()).select_from(tokens).where(of_account)).scalar_one() <= MAX_DEVICES:
        return False
    record_change(connection, accounts.c.id == account_id)
    by_use = (tokens.c.last_used_at.desc(), tokens.c.id.desc())
    recent_ids = select(tokens.c.id).where(of_account).order_by(*by_use).limit(MAX_DEVICES)
    connection.execute(delete(tokens).where(of_account, tokens.c.id.not_in(recent_ids)))
    return True


def _delete_token(connection: Connection, *, account_id: int, token_id: int) -> None:
    record_change(connection, accounts.c.id == account_id)
    statement = delete(tokens).where(tokens.c.account_id == account_id, tokens.c.id == token_id)
    if not connection.execute(statement).rowcount:
        raise NotFound("session_not_found")


def _touch_tokens(connection: Connection, *, token_ids: Collection[int], now: int) -> None:
    ordered_ids = sorted(token_ids)
    for start in range(0, len(ordered_ids), MAX_KEYS_PER_QUERY):
        is_used = tokens.c.id.in_(ordered_ids[start : start + MAX_KEYS_PER_QUERY])
        connection.execute(update(tokens).where(is_used).values(last_used_at=now - now % HOUR_MS))
    connection.execute(delete(tokens).where(tokens.c.last_used_at <= now - TOKEN_LIFETIME))
    connection.execute(delete(invites).where(invites.c.room_id.is_(None), invites.c.expires_at <= now))


def _select_tokens(now: int) -> Select[Any]:
    return select(tokens).where(tokens.c.last_used_at > now - TOKEN_LIFETIME)
