"""Records of accounts and tokens, and their conversion from rows."""

from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from server.domain.account_directory import Account

HOUR_MS = 3_600_000

TOKEN_LIFETIME = 90 * 24 * HOUR_MS
"""Milliseconds from the hour of the last use of a token to its expiry."""


class AccountRecord(Struct, frozen=True, kw_only=True):
    """Stored account with its private fields.

    Attributes:
        password_hash: Encoded hash, None for bots and deleted accounts.
        email: E-mail address of the owner, None if unset.
        erasure: `keep` or `delete` while the entries of a deleted account are being rewritten, otherwise None.
    """

    account: Account
    password_hash: str | None
    about: str
    email: str | None
    erasure: str | None


class TokenRecord(Struct, frozen=True, kw_only=True):
    """Stored token.

    Attributes:
        id: Identifier for revocation.
        label: Name of the device, possibly empty.
        created_at: Time of the login in milliseconds (Unix time).
        last_used_at: Hour of the last use in milliseconds (Unix time).
    """

    id: int
    account_id: int
    label: str
    created_at: int
    last_used_at: int

    @property
    def expires_at(self) -> int:
        """Expiry in milliseconds (Unix time)."""
        return self.last_used_at + TOKEN_LIFETIME


def account_from_row(row: Row[Any]) -> AccountRecord:
    """Return an account from a row with all columns of `accounts`."""
    return AccountRecord(
        account=Account(
            id=row.id,
            name=row.name,
            nick_name=row.nick_name,
            member_id=row.member_id,
            role=row.role,
            is_bot=row.is_bot,
            suspended=row.suspended,
            deleted=row.deleted,
            created_at=row.created_at,
            updated_at=row.updated_at,
            change_seq=row.change_seq,
            avatar_path=row.avatar_path,
        ),
        password_hash=row.password_hash,
        about=row.about,
        email=row.email,
        erasure=row.erasure,
    )


def token_from_row(row: Row[Any]) -> TokenRecord:
    """Return a token from a row with all columns of `tokens`."""
    return TokenRecord(
        id=row.id,
        account_id=row.account_id,
        label=row.label,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
