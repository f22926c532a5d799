"""Directory of all accounts in memory: reserved names and member ids.

- Namespace: account names and nicknames share one namespace of canonical keys, so a name belongs to one account.
- Member ids: the member id of an account is never that of a guest, even after the deletion of the account.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from server.domain.confusables import get_skeletons
from tui_chat.protocol import events, names

ServerRole = Literal["user", "admin"]


class Account(Struct, frozen=True, kw_only=True):
    """Account of a person or a bot.

    Attributes:
        id: Stable identifier.
        name: Display form of the account name; `deleted-` and random characters after the deletion.
        nick_name: Nickname in all rooms.
        member_id: Member id in all rooms; the former member id of the guest if registered with a guest key.
        role: Role on the server.
        is_bot: The account belongs to a bot, which has no password.
        suspended: Logins and tokens are rejected.
        deleted: The account is deleted; only its member id stays in use.
        created_at: Time of the registration in milliseconds (Unix time).
        updated_at: Time of the last change in milliseconds (Unix time).
        change_seq: Number of the last change; a greater number is a later state.
        avatar_path: Unsigned path of the picture, None without one.
    """

    id: int
    name: str
    nick_name: str
    member_id: str
    role: ServerRole = "user"
    is_bot: bool = False
    suspended: bool = False
    deleted: bool = False
    created_at: int = 0
    updated_at: int = 0
    change_seq: int = 0
    avatar_path: str | None = None

    @property
    def is_active(self) -> bool:
        """True if the account may log in."""
        return not (self.suspended or self.deleted)

    @property
    def name_keys(self) -> frozenset[str]:
        """Canonical keys that the account reserves; empty for a deleted account."""
        if self.deleted:
            return frozenset()
        return frozenset({names.canonical_key(self.name), names.canonical_key(self.nick_name)})

    def to_ref(self) -> events.MemberRef:
        """Return the account as a member with its current names."""
        return events.MemberRef(member_id=self.member_id, nick_name=self.nick_name, account=self.name)

    def list_skeletons(self) -> list[str]:
        """Return the skeletons of all reserved names, possibly with duplicates; empty for a deleted account."""
        reserved_names = () if self.deleted else (self.name, self.nick_name)
        return [skeleton for name in reserved_names for skeleton in get_skeletons(name, names.canonical_key(name))]


class AccountIdentity(Struct, frozen=True, kw_only=True):
    """Authenticated account of a request or a connection, with the token of the device."""

    id: int
    name: str
    nick_name: str
    member_id: str
    role: ServerRole
    token_id: int

    @classmethod
    def from_account(cls, account: Account, token_id: int) -> "AccountIdentity":
        """Return the identity of an account on the device with a token."""
        return cls(
            id=account.id,
            name=account.name,
            nick_name=account.nick_name,
            member_id=account.member_id,
            role=account.role,
            token_id=token_id,
        )


class AccountDirectory:
    """Directory of accounts by id, reserved name and member id.

    Args:
        accounts: All accounts, including deleted ones.
    """

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self._accounts: dict[int, Account] = {}
        self._by_name_key: dict[str, Account] = {}
        self._by_member_id: dict[str, Account] = {}
        self._skeleton_counts = Counter[str]()  # of the names of all accounts
        for account in accounts:
            self.put(account)

    def put(self, account: Account) -> bool:
        """Add an account, or replace the one with the same id.

        Former names of the account become available. A name of another account passes to this account.

        Returns:
            True; False without an effect if a state of the account with a greater `change_seq` is known.
        """
        previous = self._accounts.get(account.id)
        if previous is not None:
            if previous.change_seq > account.change_seq:
                return False
            for key in previous.name_keys:
                if self._by_name_key.get(key) is previous:  # another server may have assigned the name meanwhile
                    del self._by_name_key[key]
            for skeleton in previous.list_skeletons():
                self._skeleton_counts[skeleton] -= 1
                if not self._skeleton_counts[skeleton]:
                    del self._skeleton_counts[skeleton]
        self._accounts[account.id] = self._by_member_id[account.member_id] = account
        self._by_name_key |= dict.fromkeys(account.name_keys, account)
        self._skeleton_counts.update(account.list_skeletons())
        return True

    def get_last_change_seq(self) -> int:
        """Return the greatest `change_seq` of all accounts, 0 without accounts."""
        return max((account.change_seq for account in self._accounts.values()), default=0)

    def get(self, account_id: int) -> Account | None:
        """Return the account with an id, even a deleted one; None for an unknown id."""
        return self._accounts.get(account_id)

    def find(self, name_key: str) -> Account | None:
        """Return the account that reserves a name with this canonical key, None for an available name."""
        return self._by_name_key.get(name_key)

    def is_available(self, name_key: str, member_id: str) -> bool:
        """Return whether a member may use a name: no account has reserved the name, except that of the member."""
        account = self._by_name_key.get(name_key)
        return account is None or account.member_id == member_id

    def find_member(self, member_id: str) -> Account | None:
        """Return the account of a member, even a deleted one; None for a guest."""
        return self._by_member_id.get(member_id)

    def is_confusable(self, skeletons: Iterable[str], member_id: str) -> bool:
        """Return whether a guest nickname with these skeletons looks like a reserved name; False for an account."""
        return not self.is_claimed(member_id) and any(skeleton in self._skeleton_counts for skeleton in skeletons)

    def is_bot(self, member_id: str) -> bool:
        """Return whether a member id belongs to the account of a bot."""
        account = self._by_member_id.get(member_id)
        return account is not None and account.is_bot

    def is_claimed(self, member_id: str) -> bool:
        """Return whether a member id belongs to an account, even to a deleted one."""
        return member_id in self._by_member_id
