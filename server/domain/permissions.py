"""Permissions of persons in rooms (docs/moderation.md).

- One table, `RULES`, defines the permissions of all actions.
- Visibility: a room that a person may not see is answered like a room that does not exist, before any other check.
- Rank: an action on a person requires a target of lower role. Equal roles cannot act on each other.
- Membership: private and direct rooms are visible to their members only; an administrator needs a membership too.
"""

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import Any, Literal, cast

from msgspec import Struct

from tui_chat.protocol import errors
from tui_chat.protocol.policies import Audience, ManagerRole, Visibility

RoomVisibility = Visibility | Literal["admins"]
"""Visibility of a room; `admins` is that of the server's audit log, which only the server writes."""

PermittedGroup = Audience | ManagerRole
"""Persons with a permission; `everyone`, `members`, `moderators` and `owner` each contain the following groups.

Administrators belong to all groups.
"""

_OPEN: frozenset[RoomVisibility] = frozenset(("public", "unlisted", "private"))
_CONVERSATIONS: frozenset[RoomVisibility] = frozenset((*_OPEN, "direct"))
_ALL: frozenset[RoomVisibility] = frozenset((*_CONVERSATIONS, "admins"))
_AUDITED: frozenset[RoomVisibility] = frozenset((*_OPEN, "admins"))


class Role(IntEnum):
    """Role of a person in a room; a greater role has the higher rank.

    `GUEST` is a person without an account and without a durable membership, `MEMBER` a person with one of them. `ADMIN`
    is the server role and precedes every room role.
    """

    GUEST = 0
    MEMBER = 1
    MODERATOR = 2
    OWNER = 3
    ADMIN = 4


class Policy(Struct, frozen=True, kw_only=True):
    """Settings of a room; the defaults are those of a room that a join creates.

    Attributes:
        visibility: Persons that see the room: everyone, without a place in lists (`unlisted`), or only members.
        speak: Audience of messages.
        guest_post: Persons with the role `GUEST` may write; a guest with a durable membership has the role `MEMBER`.
        react: Audience of reactions.
        upload: Audience of uploads; a subset of the audience of messages.
        topic: Audience of topic changes; in a room without an owner, everyone.
        invite: Audience of invites.
        keep_days: Retention of entries in days; None for no limit.
        keep_messages: Number of newest messages that are kept; None for no limit.
        owned: The room has an owner.
    """

    visibility: RoomVisibility = "public"
    speak: Audience = "everyone"
    guest_post: bool = True
    react: Audience = "everyone"
    upload: Audience = "everyone"
    topic: ManagerRole = "members"
    invite: ManagerRole = "members"
    keep_days: int | None = None
    keep_messages: int | None = None
    owned: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """Snapshot of the role and the sanctions of a person in a room.

    Attributes:
        role: Highest role, of the room or of the server.
        is_member: The person has a durable membership.
        muted: A mute is in effect.
        banned: A ban is in effect.
        until: End of the ban, otherwise of the mute, in milliseconds since the epoch; None for no end.
    """

    role: Role = Role.GUEST
    is_member: bool = False
    muted: bool = False
    banned: bool = False
    until: int | None = None


class Action(Enum):
    """Action in a room; the value is its description in docs/moderation.md.

    Members are singletons, so the hash is that of their identity; the hash of `Enum` runs Python code per message.
    """

    __hash__ = object.__hash__

    READ = "join, observe, read and search the room"
    LIST_MEMBERS = "list members"
    SEND = "send messages and replies"
    EDIT_OWN = "edit own messages"
    DELETE_OWN = "delete own messages"
    DELETE_OTHER = "delete messages of others"
    REACT = "react"
    UPLOAD = "upload"
    SET_TOPIC = "set the topic"
    MENTION_ROOM = "mention all members with `@room`"
    INVITE = "create invites"
    MANAGE_INVITES = "list and revoke invites"
    CREATE_HOOK = "create webhooks; list and revoke own webhooks"
    MANAGE_HOOKS = "list and revoke all webhooks"
    KICK = "kick"
    BAN = "ban and unban"
    MUTE = "silence and unsilence"
    SET_ROLE = "assign roles"
    RESIGN = "give up one's own role"
    SEE_AUDIT = "read the audit log"
    CHANGE_POLICY = "change the policy"
    RENAME = "rename the room"
    DELETE_ROOM = "delete the room"


class Rule(Struct, frozen=True, kw_only=True):
    """Conditions of an action; all must hold. The person must belong to each of the groups.

    Attributes:
        group: Group in all rooms.
        owned_group: Group in rooms with an owner.
        policy_fields: Fields of `Policy` with further groups.
        blocked_by_mute: Forbidden while muted.
        needs_guest_post: Forbidden to guests in rooms without `guest_post`.
        needs_lower_target: Requires a target of lower role.
        visibilities: Rooms in which the action exists.
    """

    group: PermittedGroup = "everyone"
    owned_group: PermittedGroup = "everyone"
    policy_fields: tuple[str, ...] = ()
    blocked_by_mute: bool = False
    needs_guest_post: bool = False
    needs_lower_target: bool = False
    visibilities: frozenset[RoomVisibility] = _CONVERSATIONS


_MODERATE = Rule(group="moderators", needs_lower_target=True, visibilities=_OPEN)
_OWNER_ONLY = Rule(group="owner", visibilities=_OPEN)

RULES: Mapping[Action, Rule] = {
    Action.READ: Rule(visibilities=_ALL),
    Action.LIST_MEMBERS: Rule(visibilities=_ALL),
    Action.SEND: Rule(policy_fields=("speak",), blocked_by_mute=True, needs_guest_post=True),
    Action.EDIT_OWN: Rule(policy_fields=("speak",), blocked_by_mute=True, needs_guest_post=True),
    Action.DELETE_OWN: Rule(),
    Action.DELETE_OTHER: _MODERATE,
    Action.REACT: Rule(policy_fields=("react",), blocked_by_mute=True),
    Action.UPLOAD: Rule(policy_fields=("speak", "upload"), blocked_by_mute=True, needs_guest_post=True),
    Action.SET_TOPIC: Rule(policy_fields=("topic",), blocked_by_mute=True, needs_guest_post=True),
    Action.MENTION_ROOM: Rule(group="moderators", policy_fields=("speak",), blocked_by_mute=True, visibilities=_OPEN),
    Action.INVITE: Rule(policy_fields=("invite",), visibilities=_OPEN),
    Action.MANAGE_INVITES: Rule(group="moderators", visibilities=_OPEN),
    Action.CREATE_HOOK: Rule(group="members", owned_group="moderators", blocked_by_mute=True, visibilities=_OPEN),
    Action.MANAGE_HOOKS: Rule(group="moderators", visibilities=_OPEN),
    Action.KICK: _MODERATE,
    Action.BAN: _MODERATE,
    Action.MUTE: _MODERATE,
    Action.SET_ROLE: Rule(group="owner", needs_lower_target=True, visibilities=_OPEN),
    Action.RESIGN: Rule(group="moderators", visibilities=_OPEN),
    Action.SEE_AUDIT: Rule(group="moderators", visibilities=_AUDITED),
    Action.CHANGE_POLICY: _OWNER_ONLY,
    Action.RENAME: _OWNER_ONLY,
    Action.DELETE_ROOM: _OWNER_ONLY,
}
"""Conditions by action; every action has one rule."""

_LEAST_ROLES: Mapping[PermittedGroup, Role] = {"moderators": Role.MODERATOR, "owner": Role.OWNER}
_REFUSALS: Mapping[PermittedGroup, str] = {
    "members": "members_only",
    "moderators": "moderators_only",
    "owner": "owner_only",
}


def is_visible(policy: Policy, standing: Standing) -> bool:
    """Return whether a person may know that a room exists, regardless of bans.

    Public and unlisted rooms are visible to all persons, private and direct rooms to durable members, and the audit log
    of the server to its administrators.
    """
    match policy.visibility:
        case "public" | "unlisted":
            return True
        case "private" | "direct":
            return standing.is_member
        case "admins":
            return standing.role is Role.ADMIN


def require(action: Action, policy: Policy, standing: Standing, target: Standing | None = None) -> None:
    """Check a permission, with the conditions of the action in `RULES`.

    Args:
        action: Requested action.
        policy: Policy of the room.
        standing: Standing of the acting person.
        target: Standing of the person on whom the action acts, or of the author of a message; None without such a
            person, for which actions with `needs_lower_target` raise `Forbidden`.

    Raises:
        NotFound: The room is not visible.
        Forbidden: The action is not permitted, as for every action of a banned person. The parameter `until` is the
            end of a ban or mute, absent for no end.
    """
    if not is_visible(policy, standing):
        raise errors.NotFound("room_not_found")
    until: dict[str, Any] = {} if standing.until is None else {"until": standing.until}
    rule = RULES[action]
    if standing.banned:
        raise errors.Forbidden("member_banned", **until)
    if policy.visibility not in rule.visibilities:
        raise errors.Forbidden("not_in_direct_room" if policy.visibility == "direct" else "room_read_only")
    if rule.blocked_by_mute and standing.muted:
        raise errors.Forbidden("member_muted", **until)
    if rule.needs_guest_post and standing.role is Role.GUEST and not policy.guest_post:
        raise errors.Forbidden("guests_read_only")
    groups: list[PermittedGroup] = [rule.group, *(_get_group(policy, field) for field in rule.policy_fields)]
    if policy.owned:
        groups.append(rule.owned_group)
    for group in groups:
        if not _is_in_group(standing, group):
            raise errors.Forbidden(_REFUSALS[group])
    if rule.needs_lower_target and (target is None or target.role >= standing.role):
        raise errors.Forbidden("rank_too_low")


def is_permitted(action: Action, policy: Policy, standing: Standing, target: Standing | None = None) -> bool:
    """Return whether `require` with the same arguments raises no error."""
    try:
        require(action, policy, standing, target)
    except errors.ChatError:
        return False
    return True


def require_role_change(policy: Policy, standing: Standing, target: Standing, role: Role, *, is_self: bool) -> None:
    """Check the assignment of a room role.

    Owners and administrators assign all roles to persons of lower rank than their own. Moderators and persons of higher
    rank may give up their own role for a lower one. A room without an owner gets none, because only its creation makes
    an owner.

    Args:
        policy: Policy of the room.
        standing: Standing of the acting person.
        target: Standing of the person with the new role, the same person if `is_self`.
        role: New role: `MEMBER`, `MODERATOR` or `OWNER`.
        is_self: The acting person changes their own role.

    Raises:
        NotFound: The room is not visible.
        Forbidden: The change is not permitted.
    """
    if is_self:
        require(Action.RESIGN, policy, standing)
        if role >= standing.role:
            raise errors.Forbidden("rank_too_low")
    else:
        require(Action.SET_ROLE, policy, standing, target)
    if role is Role.OWNER and not policy.owned:
        raise errors.Forbidden("room_ownerless")


def _get_group(policy: Policy, field: str) -> PermittedGroup:
    """Return the group of a policy field; for `topic` in a room without an owner, `everyone`."""
    return "everyone" if field == "topic" and not policy.owned else cast(PermittedGroup, getattr(policy, field))


def _is_in_group(standing: Standing, group: PermittedGroup) -> bool:
    """Return whether a person belongs to a group; `members` are durable members and persons of higher rank."""
    match group:
        case "everyone":
            return True
        case "members":
            return standing.is_member or standing.role >= Role.MODERATOR
        case _:
            return standing.role >= _LEAST_ROLES[group]
