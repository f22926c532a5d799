"""Access of a person to a room: the state for the permission checks of `server.domain.permissions`."""

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
    """Person of a permission check.

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
    """Ban or mute; `until` is its end in milliseconds since the epoch, None for no end."""

    kind: SanctionKind
    until: int | None


class RoomAccess(Struct, frozen=True, kw_only=True):
    """Policy of a room at one time.

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
    """Access of one person to one room.

    Attributes:
        access: Policy of the room.
        standing: Standing of the person.
        membership_role: Role of the durable membership, None without one.
    """

    access: RoomAccess
    standing: Standing
    membership_role: MembershipRole | None


def derive_standing(
    requester: Requester, membership_role: MembershipRole | None, sanctions: Iterable[Sanction], now: int
) -> Standing:
    """Return the standing of a person in a room; of several sanctions of one kind, the one with the latest end counts.

    Args:
        requester: Person.
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
