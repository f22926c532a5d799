"""Standings of persons, derived from memberships and sanctions."""

import pytest

from server.domain.permissions import Role, Standing
from server.domain.room_access import MembershipRole, Requester, Sanction, derive_standing

GUEST = Requester(member_id="ann")
USER = Requester(member_id="ann", has_account=True)
ADMIN = Requester(member_id="ann", has_account=True, is_admin=True)


@pytest.mark.parametrize(
    ("requester", "membership_role", "role"),
    [
        (GUEST, None, Role.GUEST),
        (GUEST, "member", Role.MEMBER),
        (USER, None, Role.MEMBER),
        (USER, "moderator", Role.MODERATOR),
        (USER, "owner", Role.OWNER),
        (ADMIN, None, Role.ADMIN),
        (ADMIN, "member", Role.ADMIN),
    ],
)
def test_the_role_is_the_highest_of_server_and_room(
    requester: Requester, membership_role: MembershipRole | None, role: Role
) -> None:
    standing = derive_standing(requester, membership_role, [], now=0)
    assert standing == Standing(role=role, is_member=membership_role is not None)


def test_a_sanction_applies_until_its_end() -> None:
    sanctions = [Sanction("mute", 10)]
    assert derive_standing(GUEST, None, sanctions, now=9) == Standing(muted=True, until=10)
    assert derive_standing(GUEST, None, sanctions, now=10) == Standing()


def test_the_ban_with_the_latest_end_applies() -> None:
    sanctions = [Sanction("ban", None), Sanction("ban", 5), Sanction("ban", 20), Sanction("mute", 30)]
    assert derive_standing(GUEST, None, sanctions, now=1) == Standing(banned=True, muted=True)
    assert derive_standing(GUEST, None, sanctions[1:], now=1) == Standing(banned=True, muted=True, until=20)
