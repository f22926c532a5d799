"""Inputs of the permission checks in `server.domain.permissions`: room policy, roles and sanctions."""

from collections.abc import Iterable
from math import inf
from typing import Literal, NamedTuple

from msgspec import Struct

from server.domain.permissions import Policy, Role, Standing

MembershipRole = Literal["member", "moderator", "owner"]
SanctionKind = Literal["ban", "mute"]

ROLES_BY_NAME = {"member": Role.MEMBER, "moderator": Role.MODERATOR, "owner": Role.OWNER}
"""Room roles by the value of `memberships.role`."""


class Requester(Struct, frozen=True, kw_only=True):
    """Person whose permission is checked.

    Attributes:
        member_id: Member id.
        has_account: The person has an account.
        is_admin: The account is an administrator of the server.
        address_hash: Keyed hash of the address of a guest, to which bans apply; None for accounts and shared addresses.
    """

    member_id: str
    has_account: bool = False
    is_admin: bool = False
    address_hash: bytes | None = None


class Sanction(NamedTuple):
    """Ban or mute; it ends at `until`, in milliseconds since the epoch, or never (None)."""

    kind: SanctionKind
    until: int | None


class RoomAccess(Struct, frozen=True, kw_only=True):
    """Snapshot of the policy of a room.

    Attributes:
        policy: Policy; the default one for a room that is not stored.
        policy_seq: `seq` of the newest entry that may revoke a permission. 0 implies the default policy, no sanctions
            and no roles above `member`.
        is_stored: The room exists in storage and is not removed.
    """

    policy: Policy = Policy()
    policy_seq: int = 0
    is_stored: bool = False


class AccessState(NamedTuple):
    """Access of one person to one room; `membership_role` is None without a durable membership."""

    access: RoomAccess
    standing: Standing
    membership_role: MembershipRole | None


def derive_standing(
    requester: Requester, membership_role: MembershipRole | None, sanctions: Iterable[Sanction], now: int
) -> Standing:
    """Return the standing of a person in a room; of several sanctions of one kind, the one with the latest end counts.

    Args:
        requester: Person whose standing is derived.
        membership_role: Role of the durable membership, None without one.
        sanctions: Sanctions of the person, or of the address of a guest.
        now: Current time in milliseconds since the epoch; sanctions with this or an earlier end are ignored.
    """
    role = Role.ADMIN if requester.is_admin else Role.MEMBER if requester.has_account else Role.GUEST
    if membership_role is not None:
        role = max(role, ROLES_BY_NAME[membership_role])
    by_end = sorted(sanctions, key=lambda sanction: inf if sanction.until is None else sanction.until)
    ends = {kind: until for kind, until in by_end if until is None or until > now}
    return Standing(
        role=role,
        is_member=membership_role is not None,
        banned="ban" in ends,
        muted="mute" in ends,
        until=ends.get("ban", ends.get("mute")),
    )
