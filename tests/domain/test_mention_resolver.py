"""Accounts that a message text mentions."""

import pytest

from server.domain.account_directory import Account, AccountDirectory
from server.domain.log_commands import MentionTargets
from server.domain.mention_resolver import resolve_mentions
from server.domain.permissions import Role, Standing
from server.domain.room_access import RoomAccess
from server.domain.room_registry import RoomRegistry
from tui_chat.protocol.limits import MENTIONS_PER_MESSAGE

ACCOUNTS = AccountDirectory(
    Account(id=number, name=name, nick_name=nick_name, member_id=name)
    for number, (name, nick_name) in enumerate([("ann", "Ann"), ("ann.lee", "Annie Lee"), ("ming", "小明")])
)


def resolve(text: str, *present: tuple[str, str | None]) -> MentionTargets:
    """Return the mentions in a room with present members: nickname and account name."""
    registry = RoomRegistry[int](ACCOUNTS)
    room = None
    for connection, (nick_name, account) in enumerate(present):
        member_id = account or f"guest {connection}"
        room = registry.join(connection, "tea", member_id, nick_name, account=account).room
    return resolve_mentions(text, ACCOUNTS, room)


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("hi @ANN and @Annie Lee", (("ann",), ("ann.lee",))),
        ("@ann @ann", (("ann",),)),
        ("@ann.lee: tea?", (("ann.lee", "ann"),)),
        ("ann: 问@小明吧", (("ann",), ("ming",))),
    ],
)
def test_account_names_and_nicknames_mention_absent_accounts(
    text: str, candidates: tuple[tuple[str, ...], ...]
) -> None:
    assert resolve(text) == MentionTargets(candidates=candidates)


@pytest.mark.parametrize("text", ["@bob `@ann` ann@example.org", "tea"])
def test_unknown_names_code_and_email_addresses_mention_no_account(text: str) -> None:
    assert resolve(text) == MentionTargets()


def test_a_present_guest_with_the_longest_name_is_mentioned_instead_of_an_account() -> None:
    assert resolve("@ann b", ("Ann B", None)) == MentionTargets()
    assert resolve("@ann b", ("Bob", None)) == MentionTargets(candidates=(("ann",),))
    assert resolve("@annie lee b", ("Annie", None)) == MentionTargets(candidates=(("ann.lee",),))


def test_the_present_nickname_of_an_account_is_a_name() -> None:
    assert resolve("@miss ann", ("Miss Ann", "ann")) == MentionTargets(candidates=(("ann",),))


@pytest.mark.parametrize(("role", "all_members"), [(Role.MEMBER, False), (Role.MODERATOR, True)])
def test_only_moderators_mention_all_members(role: Role, all_members: bool) -> None:
    joined = RoomRegistry[int](ACCOUNTS).join(1, "tea", "bob", "Bob")
    standing = Standing(role=role, is_member=True)
    targets = resolve_mentions("@room, @ann", ACCOUNTS, joined.room, RoomAccess().policy, standing)
    assert targets == (MentionTargets(all_members=True) if all_members else MentionTargets(candidates=(("ann",),)))


def test_the_number_of_mentions_is_limited() -> None:
    assert resolve("@nobody " * (MENTIONS_PER_MESSAGE - 1) + "@ann") == MentionTargets(candidates=(("ann",),))
    assert resolve("@nobody " * MENTIONS_PER_MESSAGE + "@ann") == MentionTargets()
